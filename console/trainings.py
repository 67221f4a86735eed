"""What is trained and when: a version is queued by hand, or by the clock where a solution says so."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Max, Q, QuerySet
from django.utils import timezone

from console import jobs, storage
from console.models import (
    Campaign,
    Dataset,
    Event,
    Recommender,
    Record,
    SharedResult,
    Solution,
    SolutionVersion,
    Status,
    Trash,
)
from console.models.base import UNFINISHED

FIRST_AFTER = timedelta(hours=1)  # AWS trains a new solution within the hour if nobody else does
RECOMMENDER_INTERVAL = timedelta(days=7)


def queue_training(solution: Solution, **fields: Any) -> SolutionVersion:
    """A new version, which a worker will train."""
    version = SolutionVersion(
        account=solution.account, solution=solution, identifier=secrets.token_hex(4), recipe=solution.recipe, **fields
    )
    version.save(force_insert=True)
    jobs.enqueue(version)
    return version


def trained(row: SolutionVersion | Recommender) -> datetime:
    """When what a version or a recommender serves was learned."""
    return row.finished or row.created


def drop_artefacts(rows: Iterable[SolutionVersion | Recommender]) -> None:
    """Remove what versions or recommenders learned from the store, once the deletion of their rows is committed."""
    keys = [key for row in rows for key in (row.artefact, row.evaluation) if key]
    storage.drop(keys)


def retire_versions() -> int:
    """Remove the models of old versions that nothing serves, beyond the newest KEEP_VERSIONS of their solution.

    Tagged versions, what a campaign serves or may go back to, experiments' treatments and the newest full training, which
    updates build on, are kept. Metrics and evaluations stay. Returns how many were removed.
    """
    count = 0
    for solution in Solution.objects.all() if settings.KEEP_VERSIONS else ():
        trained = list(solution.versions.filter(status=Status.ACTIVE).exclude(artefact="").order_by("-pk"))
        base = next((version for version in trained if version.training_mode == "FULL"), None)
        for version in trained[settings.KEEP_VERSIONS :]:
            if version != base and not _is_needed(version):
                count += _retire(version)
    return count


def _is_needed(version: SolutionVersion) -> bool:
    jobs_left = (version.batch_inference_jobs, version.batch_segment_jobs)
    return (
        bool(version.tags)
        or Campaign.objects.filter(Q(solution_version=version) | Q(previous_version=version)).exists()
        or version.experiments.exists()
        or any(rows.filter(status__in=UNFINISHED).exists() for rows in jobs_left)
    )


def _retire(version: SolutionVersion) -> int:
    reason = (
        f"The model was removed, as {settings.KEEP_VERSIONS} newer ones of its solution are kept; its metrics stay."
    )
    held = SolutionVersion.objects.filter(pk=version.pk, artefact=version.artefact, campaigns=None)
    taken = SolutionVersion.objects.filter(pk__in=held).update(artefact="", damage=reason)
    if taken:
        storage.drop([version.artefact])
    return taken


def drop_shared_results(results: QuerySet[SharedResult]) -> None:
    """Remove what shared evaluations kept of versions, once the deletion of the rows is committed."""
    storage.drop(list(results.exclude(evaluation="").values_list("evaluation", flat=True)))


def purge_trash(rows: QuerySet[Trash]) -> int:
    """Give up for good what stands in the trash, its files too; returns how many."""
    keys = [key for row in rows for key in row.folders]
    count = rows.count()
    rows.delete()
    storage.drop(keys)
    return count


def data_state(group_id: int) -> dict[str, Any]:
    """What tells whether a group has changed: its interactions (bulk revision, newest streamed event) and its catalogue."""
    kinds = ("INTERACTIONS", "ACTION_INTERACTIONS")
    rows = Dataset.objects.filter(dataset_group_id=group_id, type__in=kinds).values_list("revision", flat=True)
    newest = Event.objects.filter(dataset_group_id=group_id).order_by("-pk").values_list("pk", flat=True).first()
    catalog = Dataset.objects.filter(dataset_group_id=group_id, type__in=("ITEMS", "ACTIONS"))
    put = Record.objects.filter(dataset__in=catalog).aggregate(count=Count("pk"), newest=Max("updated"))
    revisions = sum(catalog.values_list("revision", flat=True))
    return {
        "revision": sum(rows),
        "newest_event": newest or 0,
        "catalog": f"{revisions}, {put['count']} put until {put['newest'] or 'never'}",
    }


def has_new_interactions(before: dict[str, Any] | None, group_id: int) -> bool:
    """Whether interactions came in since `before`, a `data_state`."""
    now = data_state(group_id)
    return before is None or any(before.get(key) != now[key] for key in ("revision", "newest_event"))


def is_refresh_due(row: SolutionVersion | Recommender, group_id: int) -> bool:
    """Whether what is served was made or refreshed long ago and its data have changed since."""
    last = row.report.get("refreshed")
    since = datetime.fromisoformat(last) if last else row.finished or row.created
    if timezone.now() - since < timedelta(hours=settings.REFRESH_HOURS):
        return False
    return bool(row.report.get("data_state") != data_state(group_id))


def is_any_refresh_due() -> bool:
    """Whether anything served may need a refresh; asked before the recipes are imported for it."""
    versions = SolutionVersion.objects.filter(status=Status.ACTIVE).select_related("solution")
    served = [(row, row.solution.dataset_group_id) for row in versions]
    recommenders = Recommender.objects.filter(status=Status.ACTIVE)
    return any(is_refresh_due(*pair) for pair in [*served, *((row, row.dataset_group_id) for row in recommenders)])


def queue_due(now: datetime | None = None) -> int:
    """Queue every automatic training whose time has come and that has something new to learn; returns how many."""
    now = now or timezone.now()
    solutions = Solution.objects.filter(perform_auto_training=True, status=Status.ACTIVE).select_related("account")
    due = [solution for solution in solutions if _is_due(solution, now)]
    for solution in due:
        queue_training(solution, training_type="AUTOMATIC")
    return len(due) + sum(_retrain(row, now) for row in Recommender.objects.filter(status=Status.ACTIVE))


def _is_due(solution: Solution, now: datetime) -> bool:
    """AWS counts the interval from the start of the previous training and skips it if no interactions came in."""
    latest = solution.latest_version
    if latest is None:
        nothing = {"revision": 0, "newest_event": 0}
        return now >= solution.created + FIRST_AFTER and has_new_interactions(nothing, solution.dataset_group_id)
    if latest.status in UNFINISHED or now < latest.created + timedelta(days=solution.days_between_trainings):
        return False
    return has_new_interactions(latest.report.get("data_state"), solution.dataset_group_id)


def _retrain(row: Recommender, now: datetime) -> bool:
    if row.started is None or now < row.started + RECOMMENDER_INTERVAL:
        return False
    if not has_new_interactions(row.report.get("data_state"), row.dataset_group_id):
        return False
    waiting = Recommender.objects.filter(pk=row.pk, status=Status.ACTIVE)
    if not waiting.update(status=Recommender.waiting, attempts=0, updated=now):
        return False
    jobs.enqueue(row)
    return True
