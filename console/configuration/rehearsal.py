"""Takes the steps of a plan and takes them back, so that what an operation would refuse half-way is known before anything changes.

The rules are those of the operations, which are called as `apply` calls them, in a transaction that is rolled back. Jobs are not
run: each counts as one that ended well, so that what comes after it is looked at, too. On SQLite all of that happens in a copy,
as a document of some size would keep events and requests of others waiting.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from django.db import transaction

from console.configuration.applying import ApplyError, take
from console.configuration.copied_database import in_a_copy
from console.configuration.steps import Action, Step
from console.errors import ServiceError
from console.models import Account, Dataset, DatasetImportJob, Job, SolutionVersion
from console.serving.caches import REQUEST_CACHE
from console.tenancy import location_for

SERVERS_FAULT = 500  # the status from which on it is no rule that refuses
ANY_RECIPE = "aws-user-personalization"  # of a version whose recipe AutoML will choose
ANY_PART = "rehearsed"
Key = tuple[str, str, str]


@contextmanager
def taken_back() -> Iterator[None]:
    """Roll back what the block does to the database; jobs that it queues are sent to nobody."""
    with in_a_copy(), transaction.atomic():
        yield
        transaction.set_rollback(True)
    REQUEST_CACHE.forget()


def nothing_comes(_location: str) -> bool:
    """For plans before which no files are copied."""
    return False


def rehearsed(account: Account, steps: list[Step], is_coming: Callable[[str], bool]) -> list[Step]:
    """The steps; those that an operation refuses as conflicts with its sentence, what hangs on these as it is.

    Raises:
        ServiceUnavailableException: the database or the store is away or busy.
    """
    absent: set[Key] = set()
    found = []
    with taken_back():
        for step in steps:
            refusal = ""
            is_moot = _is_moot(step, absent)
            if step.action is not Action.CONFLICT and not is_moot:
                refusal = _refusal(account, step, is_coming)
            if refusal or is_moot or step.action is Action.CONFLICT:
                absent |= _concerned(step)
            found.append(replace(step, action=Action.CONFLICT, refusal=refusal) if refusal else step)
    return found


def _is_moot(step: Step, absent: set[Key]) -> bool:
    """Whether a step is about what would not be there, or names it."""
    named = {(noun, "", name) for noun, name in step.kind.referred(step.entry)}
    return not absent.isdisjoint({step.kind.key(step.entry), *named})


def _concerned(step: Step) -> set[Key]:
    """What would not be there, or not as others need it, without a step: what is to be changed is."""
    if step.differences:
        return set()
    key = step.kind.key(step.entry)
    has_columns = step.kind.noun == "dataset" and step.action is not Action.FILL
    return {key, ("datasetGroup", "", key[1])} if has_columns else {key}


def _refusal(account: Account, step: Step, is_coming: Callable[[str], bool]) -> str:
    """Take a step; why it cannot be taken, "" where it can."""
    try:
        with transaction.atomic():
            _act(account, step, is_coming)
    except (ApplyError, ServiceError) as error:
        if isinstance(error, ServiceError) and error.status_code >= SERVERS_FAULT:
            raise
        return f"would be refused in the account {account}: {error}"
    return ""


def _act(account: Account, step: Step, is_coming: Callable[[str], bool]) -> None:
    if step.action is Action.FILL and is_coming(step.entry["importFrom"]):
        location_for(account, step.entry["importFrom"])
        datasets = Dataset.objects.for_account(account).filter(name=step.entry["name"])
        datasets.filter(dataset_group__name=step.entry["datasetGroup"]).update(parts=[ANY_PART])
    elif job := take(account, step):
        _end_well(job)


def _end_well(job: Job) -> None:
    type(job)._default_manager.filter(pk=job.pk).update(status=job.done)
    match job:
        case DatasetImportJob():
            Dataset.objects.filter(pk=job.dataset_id).update(parts=[ANY_PART])
        case SolutionVersion() if not job.recipe:
            SolutionVersion.objects.filter(pk=job.pk).update(recipe=ANY_RECIPE)
