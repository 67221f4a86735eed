"""Takes the steps of a plan, one operation after the other."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from console.configuration.kinds import BY_NOUN, Kind
from console.configuration.steps import Action, Plan, Step
from console.models import RESOURCES, Account, DatasetImportJob, Job, SolutionVersion, Status
from console.operations.base import call_by_wire_names
from console.shapes import JSONDict

ROLE = "arn:aws:iam::000000000000:role/configuration"  # AWS's members ask for one; nothing here assumes it
RECIPE = "arn:aws:personalize:::recipe/"


class ApplyError(Exception):
    """A step could not be taken; the message says which and why. Those before it are done, and applying again goes on."""


def require_no_conflicts(plan: Plan) -> None:
    """Refuse a plan that cannot be carried out.

    Raises:
        ApplyError: it has conflicts.
    """
    if plan.conflicts:
        raise ApplyError("The plan has steps that cannot be taken:\n" + "\n".join(map(str, plan.conflicts)))


def apply(account: Account, plan: Plan, wait: Callable[[Job], None], report: Callable[[str], None]) -> None:
    """Take all steps.

    Args:
        account: whose resources are made.
        plan: made for this account.
        wait: returns when a job has ended.
        report: called with each step before it is taken.

    Raises:
        ApplyError: the plan has conflicts, or a job failed.
        ServiceError: an operation refused.
    """
    require_no_conflicts(plan)
    for step in plan.steps:
        report(str(step))
        job = take(account, step)
        if job is None:
            continue
        wait(job)
        job.refresh_from_db()
        if job.status != job.done:
            raise ApplyError(f"{job.name} ended {job.status}: {job.failure_reason}")


def take(account: Account, step: Step) -> Job | None:
    """Take one step; the job that must end before the next one is taken, if there is one.

    Raises:
        ApplyError: what the step needs is not there.
        ServiceError: the operation refused.
    """
    match step.action:
        case Action.CREATE:
            call_by_wire_names(f"Create{step.kind.title}", account, _wire(account, step))
            row = _row(account, step.kind, step.entry)
            return row if isinstance(row, Job) else None
        case Action.CHANGE:
            _change(account, step)
        case Action.FILL:
            return _fill(account, step)
        case Action.TRAIN:
            call_by_wire_names(
                "CreateSolutionVersion", account, {"solutionArn": _arn(account, "solution", step.entry["name"])}
            )
            return SolutionVersion.objects.filter(solution__account=account, solution__name=step.entry["name"]).first()
    return None


def _wire(account: Account, step: Step) -> JSONDict:
    """The entry as Create… takes it."""
    members: JSONDict = {}
    by_name = {member: wire for wire, member in step.kind.references.items()}
    for member, value in step.entry.items():
        if member in by_name:
            members[by_name[member]] = _reference(account, step, member)
        elif member == "tags":
            members["tags"] = [{"tagKey": key, "tagValue": text} for key, text in (value or {}).items()]
        elif member == "schema":
            members["schema"] = json.dumps(value)
        elif member != "importFrom":
            members[member] = value
    return members


def _reference(account: Account, step: Step, member: str) -> str:
    name = str(step.entry[member])
    if member == "recipe":
        return RECIPE + name
    if step.kind.noun == "campaign":
        return f"{_arn(account, 'solution', name)}/$LATEST" if _follows_latest(step) else _newest(account, name)
    return _arn(account, member, name)


def _follows_latest(step: Step) -> bool:
    config = step.entry.get("campaignConfig") or {}
    return bool(config.get("syncWithLatestSolutionVersion"))


def _newest(account: Account, solution: str) -> str:
    versions = SolutionVersion.objects.filter(solution__account=account, solution__name=solution, status=Status.ACTIVE)
    version = versions.first()
    if version is None:
        raise ApplyError(
            f"The solution {solution} has no active version to put up; train one, or add it to the document."
        )
    return str(version.arn)


def _arn(account: Account, noun: str, name: str) -> str:
    row = RESOURCES[BY_NOUN[noun].slug].objects.for_account(account).filter(name=name).first()
    if row is None:
        raise ApplyError(f"There is no {noun} named {name}, in the account or in the document.")
    return str(row.arn)


def _change(account: Account, step: Step) -> None:
    """Call the Update operation with the changed members; tags have operations of their own."""
    changed = {path.split(".")[0] for path in step.differences}
    arn = str(_row(account, step.kind, step.entry).arn)
    wire = _wire(account, step)
    if "tags" in changed:
        call_by_wire_names("TagResource", account, {"resourceArn": arn, "tags": wire["tags"]})
    to_wire = {member: wire_name for wire_name, member in step.kind.references.items()}
    members: dict[str, Any] = {
        to_wire.get(member, member): wire[to_wire.get(member, member)] for member in changed - {"tags"}
    }
    if members:
        call_by_wire_names(f"Update{step.kind.title}", account, {step.kind.arn: arn} | members)


def _fill(account: Account, step: Step) -> Job | None:
    name = step.entry["name"]
    row = _row(account, step.kind, step.entry)
    members = {
        "datasetArn": str(row.arn),
        "dataSource": {"dataLocation": step.entry["importFrom"]},
        "roleArn": ROLE,
        "importMode": "INCREMENTAL" if step.is_added else "FULL",
    }
    jobs = DatasetImportJob.objects.for_account(account)
    number = row.import_jobs.count() + 1
    while jobs.filter(name=f"{name[:50]}-{number}").exists():
        number += 1
    call_by_wire_names("CreateDatasetImportJob", account, members | {"jobName": f"{name[:50]}-{number}"})
    job: Job = jobs.get(name=f"{name[:50]}-{number}")
    return job


def _row(account: Account, kind: Kind, entry: JSONDict) -> Any:
    """The row of the account that an entry describes."""
    rows = RESOURCES[kind.slug].objects.for_account(account).filter(name=entry["name"])
    return rows.get(dataset_group__name=entry["datasetGroup"]) if kind.has_own_names else rows.get()
