"""What was just deleted, as AWS shows it: Describe says DELETE IN_PROGRESS for some seconds, lists and names are free at once.

Clean-up loops of published notebooks wait for that status, or for ResourceNotFoundException after it. Here the row is gone already;
what it was is kept in the memory of the process that deleted it, which is all that such a loop needs.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from django.conf import settings

from console.errors import ResourceNotFoundException
from console.models import Account
from console.operations.base import OPERATIONS
from console.shapes import JSONDict

STATUS = "DELETE IN_PROGRESS"
MOST = 1000
Call = Callable[[str, Account, JSONDict], JSONDict]


class Gone(NamedTuple):
    """A resource's last description, and when it was deleted."""

    described: JSONDict
    since: float


_gone: dict[tuple[int, str, str], Gone] = {}


def call(operation: Call, name: str, account: Account, members: JSONDict) -> JSONDict:
    """Call an operation by `operation`; a Describe of what was just deleted is answered from memory."""
    noun = name.removeprefix("Delete")
    if name != noun and f"Describe{noun}" in OPERATIONS and settings.DELETING_S:
        described = _described(operation, f"Describe{noun}", account, members)
        result = operation(name, account, members)
        if described:
            _remember((account.pk, noun, str(members)), described)
        return result
    try:
        return operation(name, account, members)
    except ResourceNotFoundException:
        gone = _gone.get((account.pk, name.removeprefix("Describe"), str(members)))
        if gone is None or time.monotonic() - gone.since > settings.DELETING_S:
            raise
        return gone.described


def _described(operation: Call, name: str, account: Account, members: JSONDict) -> JSONDict | None:
    """The description with the status of what is being deleted; None where there is none, or it has no status."""
    try:
        described = operation(name, account, members)
    except ResourceNotFoundException:
        return None
    inner = {
        key: value | {"status": STATUS}
        for key, value in described.items()
        if isinstance(value, dict) and "status" in value
    }
    return inner or None


def _remember(key: tuple[int, str, str], described: JSONDict) -> None:
    if len(_gone) >= MOST:
        _gone.clear()
    _gone[key] = Gone(described, time.monotonic())
