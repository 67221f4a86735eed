"""What was just deleted, as AWS shows it: Describe says DELETE IN_PROGRESS for some seconds, lists and names are free at once.

Clean-up loops of published notebooks wait for that status, or for ResourceNotFoundException after it. Here the row is gone already;
what it was is kept in the cache that all web processes share. Without the cache it is gone at once, which such loops take, too.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from contextlib import suppress
from typing import cast

import redis
from django.conf import settings
from django.core.cache import cache

from console.errors import ResourceNotFoundException
from console.models import Account
from console.operations.base import OPERATIONS
from console.shapes import JSONDict

STATUS = "DELETE IN_PROGRESS"
Call = Callable[[str, Account, JSONDict], JSONDict]


def call(operation: Call, name: str, account: Account, members: JSONDict) -> JSONDict:
    """Call an operation by `operation`; a Describe of what was just deleted is answered from the cache."""
    noun = name.removeprefix("Delete")
    if name != noun and f"Describe{noun}" in OPERATIONS and settings.DELETING_S:
        described = _described(operation, f"Describe{noun}", account, members)
        result = operation(name, account, members)
        if described:
            _remember(_key(account, noun, members), described)
        return result
    try:
        return operation(name, account, members)
    except ResourceNotFoundException:
        gone = _recall(_key(account, name.removeprefix("Describe"), members)) if settings.DELETING_S else None
        if gone is None:
            raise
        return gone


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


def _key(account: Account, noun: str, members: JSONDict) -> str:
    text = json.dumps([account.pk, noun, members], sort_keys=True, default=str)
    return f"deleted:{hashlib.sha256(text.encode()).hexdigest()}"


def _remember(key: str, described: JSONDict) -> None:
    with suppress(redis.RedisError):
        cache.set(key, described, math.ceil(settings.DELETING_S))


def _recall(key: str) -> JSONDict | None:
    with suppress(redis.RedisError):
        return cast("JSONDict | None", cache.get(key))
    return None
