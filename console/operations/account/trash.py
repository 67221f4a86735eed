"""Ours: deleting so that it can be undone for a week."""

from __future__ import annotations

import json
from itertools import chain
from typing import Any

from django.core import serializers
from django.db import IntegrityError, connection, models, transaction
from django.db.models.deletion import Collector, ProtectedError

from console import arns, storage
from console.errors import (
    InvalidInputException,
    ResourceAlreadyExistsException,
    ResourceInUseException,
    ResourceNotFoundException,
)
from console.models import RESOURCES, Account, Dataset, DatasetGroup, Resource, SharedEvaluation, Trash
from console.operations.auditing import acting
from console.operations.base import OPERATIONS, operation
from console.shapes import JSONDict, parameter_names
from console.streamed import forget_counts
from console.trainings import purge_trash

KINDS = {"dataset-group", "schema", "dataset", "event-tracker", "filter", "campaign", "recommender", "solution",
         "experiment"}  # fmt: skip
MOST_ROWS = 20_000  # of what goes with it: streamed events and records stand in the database


@operation
def move_to_trash(account: Account, *, resource_arn: str) -> JSONDict:
    """Delete a resource as its own operation does, and keep what is needed to have it back."""
    row = _row(account, resource_arn)
    rows = [json.loads(text) for text in _serialized(_going(row))]
    group = row if isinstance(row, DatasetGroup) else _group_of(row)
    entry = Trash(
        account=account, actor=acting().name, kind=type(row).__name__, name=row.arn_name, arn=row.arn, rows=rows,
        dataset_group=group.pk if group else None,
    )  # fmt: skip
    name = f"Delete{type(row).__name__}"
    (parameter,) = parameter_names(name)
    with storage.keeping() as kept:
        OPERATIONS[name](account, **{parameter: resource_arn})
    entry.folders = kept
    entry.save(force_insert=True)
    return {"trashId": str(entry.pk)}


@operation
def list_trash(account: Account) -> JSONDict:
    """What can be had back, newest first."""
    return {"trash": [row.wire() for row in Trash.objects.filter(account=account).defer("folders")]}


@operation
def restore_from_trash(account: Account, *, trash_id: str) -> JSONDict:
    """Put a resource back with all that went with it."""
    entry = _entry(account, trash_id)
    try:
        with transaction.atomic():
            for found in serializers.deserialize("python", entry.rows):
                found.object.save(force_insert=True)
                if isinstance(found.object, Dataset):
                    forget_counts(found.object.dataset_group_id)
    except IntegrityError:
        raise ResourceAlreadyExistsException(
            f"{entry.arn} cannot come back: its name is taken by now. Delete or rename what has it.", field="trashId"
        ) from None
    try:
        connection.check_constraints()
    except IntegrityError:
        raise ResourceInUseException(
            f"{entry.arn} cannot come back: what it belongs to is gone. Restore that first.", field="trashId"
        ) from None
    entry.delete()
    return {"resourceArn": entry.arn}


@operation
def delete_from_trash(account: Account, *, trash_id: str) -> None:
    """Give up for good what was deleted."""
    entry = _entry(account, trash_id)
    purge_trash(Trash.objects.filter(pk=entry.pk))


def _row(account: Account, arn: str) -> Resource:
    kind = arns.parse(arn, field="resourceArn").type
    if kind == SharedEvaluation.arn_type or kind not in KINDS:
        raise InvalidInputException(
            f"A {kind} cannot be moved to the trash; allowed are {', '.join(sorted(KINDS))}.", field="resourceArn"
        )
    row: Resource = RESOURCES[kind].objects.select_related("account").by_arn(account, arn, field="resourceArn")
    return row


def _group_of(row: Resource) -> DatasetGroup | None:
    """The group of what belongs to one; campaigns belong to it by their version."""
    found: Any = getattr(row, "solution_version", None)
    return getattr(found.solution if found else row, "dataset_group", None)


def _going(row: Resource) -> list[models.Model]:
    """The row and everything that its deletion takes along.

    Raises:
        ResourceInUseException: something stands in the way, or there is too much to keep.
    """
    collector = Collector(using="default", origin=row)
    try:
        collector.collect([row])
    except ProtectedError as error:
        users = ", ".join(sorted(str(one) for one in error.protected_objects)[:5])
        raise ResourceInUseException(f"{row.arn} is in use by {users}.", field="resourceArn") from None
    quick: list[Any] = list(collector.fast_deletes)
    if isinstance(row, Dataset) and row.type in {"INTERACTIONS", "ACTION_INTERACTIONS"}:
        quick.append(row.dataset_group.events.filter(is_action=row.type == "ACTION_INTERACTIONS"))
    size = sum(rows.count() for rows in quick)
    if size > MOST_ROWS:
        raise ResourceInUseException(
            f"{row.arn} has {size:,} streamed rows, and at most {MOST_ROWS:,} can be kept in the trash; delete it for good "
            "instead.", field="resourceArn",
        )  # fmt: skip
    return [*chain.from_iterable(collector.data.values()), *chain.from_iterable(quick)]


def _serialized(rows: list[models.Model]) -> list[str]:
    """Each row as JSON text; the same one is not kept twice."""
    unique = {(type(row), row.pk): row for row in rows}
    return [serializers.serialize("json", [row])[1:-1] for row in unique.values()]


def _entry(account: Account, trash_id: str) -> Trash:
    found = Trash.objects.filter(account=account, pk=trash_id).first() if trash_id.isdecimal() else None
    if found is None:
        raise ResourceNotFoundException(
            f"There is no {trash_id[:40]} in the trash; it is emptied after seven days.", field="trashId"
        )
    return found
