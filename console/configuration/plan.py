"""What it takes to make an account as a document says: nothing is deleted, and a second plan after the first is empty."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from console.configuration.document import Document
from console.configuration.export import export
from console.configuration.kinds import BY_NOUN, Kind
from console.configuration.rehearsal import nothing_comes, rehearsed
from console.configuration.steps import Action, Plan, Step
from console.models import RESOURCES, Account, DatasetImportJob, Solution, Status
from console.shapes import JSONDict


def make_plan(account: Account, document: Document, is_coming: Callable[[str], bool] = nothing_comes) -> Plan:
    """Hold the document against the account, and its steps against what operations refuse; nothing is changed.

    Args:
        account: whose resources are to be made.
        document: what there is to be.
        is_coming: whether files will be at a location before the steps are taken.

    Raises:
        ServiceUnavailableException: the database or the store is away or busy.
    """
    plan = compared(account, document)
    return replace(plan, steps=rehearsed(account, plan.steps, is_coming))


def compared(account: Account, document: Document) -> Plan:
    """Hold the document against the account: what differs, whether or not operations would take it."""
    present = {kind.key(entry): entry for kind, entry in export(account).entries()}
    steps: list[Step] = []
    unchanged = 0
    named = {(kind.noun, entry["name"]) for kind, entry in document.entries()}
    put_up = {entry["solution"] for kind, entry in document.entries() if kind.noun == "campaign"}
    for kind, entry in document.entries():
        found = present.pop(kind.key(entry), None)
        lacking = [
            Step(
                Action.CONFLICT,
                kind,
                entry,
                refusal=f"names the {noun} {name}, which is neither in the account nor in the document",
            )
            for noun, name in kind.referred(entry)
            if (noun, name) not in named and not _is_there(account, noun, name)
        ]
        own = lacking or [*_steps(kind, entry, found), *_jobs(account, kind, entry, put_up)]
        steps += own
        unchanged += not own
    return Plan(steps, unchanged, [f"{noun} {name}" for noun, _, name in present])


def _is_there(account: Account, noun: str, name: str) -> bool:
    rows = RESOURCES[BY_NOUN[noun].slug].objects.for_account(account)
    return bool(rows.filter(name=name).exists())


def _steps(kind: Kind, entry: JSONDict, found: JSONDict | None) -> Iterator[Step]:
    if found is None:
        yield Step(Action.CREATE, kind, entry)
        return
    differences = dict(_differences(_comparable(entry), found))
    if not differences:
        return
    fixed = [path for path in differences if path.split(".")[0] not in (*kind.changeable, "tags")]
    yield Step(Action.CONFLICT if fixed else Action.CHANGE, kind, entry, differences)


def _jobs(account: Account, kind: Kind, entry: JSONDict, put_up: set[Any]) -> Iterator[Step]:
    """What must run before others can be made: the first import of a dataset, the first training of what a campaign serves."""
    match kind.noun:
        case "dataset" if entry.get("importFrom"):
            yield from _imports(account, kind, entry)
        case "solution" if entry["name"] in put_up:
            solution = Solution.objects.for_account(account).filter(name=entry["name"]).first()
            if solution is None or not solution.versions.filter(status=Status.ACTIVE).exists():
                yield Step(Action.TRAIN, kind, entry)


def _imports(account: Account, kind: Kind, entry: JSONDict) -> Iterator[Step]:
    """An import for each location that is left; none where the dataset was filled in another way."""
    rows = DatasetImportJob.objects.for_account(account).filter(
        status=Status.ACTIVE, dataset__name=entry["name"], dataset__dataset_group__name=entry["datasetGroup"]
    )
    done = set(rows.values_list("data_location", flat=True))
    places = list(map(str, listed(entry["importFrom"])))
    if done.isdisjoint(places) and done:
        return
    for number, place in enumerate(places):
        if place not in done:
            yield Step(Action.FILL, kind, entry | {"importFrom": place}, is_added=number > 0)


def listed(value: Any) -> list[Any]:
    """What may be one thing or a list of several, as a list."""
    return value if isinstance(value, list) else [value]


def _comparable(entry: JSONDict) -> JSONDict:
    """What is held against the account: AWS takes dataset types in any case and tells them in capitals."""
    compared = {member: value for member, value in entry.items() if member != "importFrom"}
    if "datasetType" in compared:
        compared["datasetType"] = str(compared["datasetType"]).upper()
    return compared


def _differences(wanted: Any, found: Any, path: str = "") -> Iterator[tuple[str, tuple[Any, Any]]]:
    """Members that the document names and that are otherwise in the account; what it does not name is no difference."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        for member, value in wanted.items():
            yield from _differences(value, found.get(member), f"{path}.{member}" if path else member)
    elif wanted != found and not (wanted in (None, False, {}, []) and found is None):
        yield path, (found, wanted)
