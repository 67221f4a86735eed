"""Ours: deleting a dataset group with all that is in it, in the order in which one thing needs another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from console.errors import InvalidInputException
from console.models import Account, Campaign, DatasetGroup, Experiment, Filter, MetricAttribution, Resource
from console.operations.base import call_by_wire_names, operation
from console.operations.data.dataset_groups import find_group
from console.shapes import JSONDict


@operation
def delete_dataset_group_contents(account: Account, *, dataset_group_arn: str, confirmation: str) -> JSONDict:
    """Delete a group with its campaigns, recommenders, solutions, filters, trackers and datasets: all of them, or nothing.

    `confirmation` is the group's name. Schemas stay, as they belong to the account. What a job still works on is refused by its
    own operation, and then everything stays.
    """
    group = find_group(account, dataset_group_arn)
    if confirmation != group.name:
        raise InvalidInputException(
            f"confirmation is {confirmation}; type the name of the group, {group.name}.", field="confirmation"
        )
    deleted: dict[str, int] = {}
    for row in contents_of(group):
        noun = type(row).__name__
        if isinstance(row, Experiment):
            call_by_wire_names("StopExperiment", account, {"experimentArn": row.arn})
            continue
        call_by_wire_names(f"Delete{noun}", account, {f"{noun[0].lower()}{noun[1:]}Arn": row.arn})
        deleted[noun] = deleted.get(noun, 0) + 1
    call_by_wire_names("DeleteDatasetGroup", account, {"datasetGroupArn": group.arn})
    return {"deleted": [{"type": noun, "count": count} for noun, count in deleted.items()]}


def contents_of(group: DatasetGroup) -> Iterator[Resource]:
    """What is in a group, each before what it needs; of experiments those that run, as others go with their campaign."""
    for rows in _shelves(group):
        yield from rows.select_related("account")


def counts_of(group: DatasetGroup) -> dict[type[Resource], int]:
    """How many of each kind are in a group."""
    return {rows.model: count for rows in _shelves(group) if (count := rows.count())}


def _shelves(group: DatasetGroup) -> tuple[QuerySet[Any], ...]:
    in_group = {"solution_version__solution__dataset_group": group}
    return (
        Experiment.objects.filter(
            campaign__solution_version__solution__dataset_group=group, status=Experiment.State.RUNNING
        ),
        Campaign.objects.filter(**in_group),
        group.recommenders.all(),
        group.solutions.all(),
        Filter.objects.filter(dataset_group=group),
        group.event_trackers.all(),
        MetricAttribution.objects.filter(dataset_group=group),
        group.datasets.select_related("dataset_group"),
    )
