"""Writes down who changed what: every write that goes through an operation, with the resource before and after."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import NamedTuple

from console import arns
from console.errors import ServiceError
from console.models import JOBS, RESOURCES, Account, AuditEntry, Resource, SolutionVersion
from console.shapes import JSONDict

UNRECORDED = ("Put", "MoveToTrash")  # events and records are data, not resources; the deletion within is written down
NESTED = {"latestSolutionVersion", "stage", "fraction"}  # resources of their own, and what changes by itself


class Actor(NamedTuple):
    """Somebody who changes something, and the door they came through."""

    name: str
    door: str


WORKER = Actor("system", "worker")
_actor: ContextVar[Actor] = ContextVar("actor", default=WORKER)


def acting_as(name: str, door: str) -> None:
    """Say for the rest of this request whose changes it makes; each face does so once it knows."""
    _actor.set(Actor(name, door))


def acting() -> Actor:
    """Whose changes are made right now."""
    return _actor.get()


def recorded(name: str, account: Account, params: JSONDict, write: Callable[[], JSONDict | None]) -> JSONDict | None:
    """Run a write and keep what it changed; both happen, or neither."""
    if name.startswith(UNRECORDED):
        return write()
    arn = "" if name.startswith("Create") else _target(name, params)
    before = _state(account, arn)
    result = write()
    arn = arn or _target(name, _snake(result or {}))
    if arn:
        actor = acting()
        after = None if name.startswith("Delete") else _state(account, arn)
        AuditEntry.objects.create(
            account=account, actor=actor.name, door=actor.door, operation=name, arn=arn, before=before, after=after
        )
    return result


def _target(name: str, members: Mapping[str, object]) -> str:
    """The ARN of what an operation is about: the one it is named after, else the first."""
    found = {key: value for key, value in members.items() if key.endswith("_arn") and isinstance(value, str)}
    noun = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower().partition("_")[2].removesuffix("_creation")
    return found.get(f"{noun}_arn") or found.get("resource_arn") or next(iter(found.values()), "")


def _state(account: Account, arn: str) -> JSONDict | None:
    """A resource as it is now, as JSON values; None if there is none."""
    row = _row(account, arn)
    if row is None:
        return None
    members = {key: value for key, value in row.wire().items() if value is not None and key not in NESTED}
    copied: JSONDict = json.loads(json.dumps(members | ({"tags": row.tags} if row.tags else {}), default=str))
    return copied


def _row(account: Account, arn: str) -> Resource | None:
    try:
        parsed = arns.parse(arn)
    except ServiceError:
        return None
    kinds = RESOURCES | {model.arn_type: model for model in JOBS.values() if model.arn_type not in RESOURCES}
    model = SolutionVersion if parsed.type == "solution" and "/" in parsed.name else kinds.get(parsed.type)
    if model is None or parsed.account != account.number:
        return None
    row: Resource | None = model.objects.for_account(account).filter(**model.arn_lookup(parsed.name)).first()
    return row


def _snake(members: JSONDict) -> JSONDict:
    return {re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower(): value for name, value in members.items()}
