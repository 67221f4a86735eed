"""`@operation`: the one door for every face.

An operation is a plain keyword-only function named as in the API, `create_campaign(account, *, name, …)`. The decorator
looks its name up in the service model, validates the parameters, opens the transaction for a write, cuts the result to
the output shape, and registers it. Quotas, state rules and look-ups stand in the function.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import datetime
from functools import partial, wraps
from typing import Any

from django.db import IntegrityError, models, transaction

from console import arns, limits, telemetry
from console.errors import (
    InvalidInputException,
    InvalidNextTokenException,
    LimitExceededException,
    ResourceAlreadyExistsException,
)
from console.json_values import without_nulls
from console.models import Account, Resource
from console.models.base import UNFINISHED
from console.operations.auditing import recorded
from console.serving.caches import REQUEST_CACHE
from console.shapes import (
    OPERATION_MODELS,
    SERVICE_OF,
    JSONDict,
    operation_name,
    parameter_names,
    parameters_by_wire_name,
    pruner,
)
from console.transient import translated
from console.validation import validate
from recipes.json_text import read_json

Operation = Callable[..., JSONDict]
OPERATIONS: dict[str, Operation] = {}

READS = ("Describe", "List", "Get", "Search", "Compare", "Preview", "Explain", "Profile", "Test")
ID_PARAMETERS = {"user_id", "item_id", "input_list", "item_ids", "left_out_items", "added_items"}
DEFAULT_PAGE = 100


def is_read(name: str) -> bool:
    """Whether the operation changes nothing, so that a viewer may call it and no transaction is opened."""
    return name.startswith(READS)


def operation(function: Callable[..., JSONDict | None]) -> Operation:
    """Make `function` the implementation of the operation it is named after."""
    name = operation_name(function.__name__)
    model, names = OPERATION_MODELS[name], parameter_names(name)
    cut = pruner(model.output_shape) if model.output_shape else None
    ids = names.keys() & ID_PARAMETERS if is_read(name) else ()
    # Reads write nothing. Events, items and users are committed in groups, and change nothing that requests keep.
    is_plain = is_read(name) or SERVICE_OF[name] == "personalize-events"

    def write(account: Account, given: dict[str, Any]) -> JSONDict | None:
        with transaction.atomic():
            result = recorded(name, account, given, partial(function, account, **given))
            transaction.on_commit(REQUEST_CACHE.forget)
        REQUEST_CACHE.forget()  # for what follows inside a transaction around this one
        return result

    @wraps(function)
    def call(account: Account, **params: Any) -> JSONDict:
        limits.of(account)
        given = {key: value for key, value in params.items() if value is not None}
        if unknown := sorted(given.keys() - names.keys()):
            allowed = ", ".join(names.values())
            raise InvalidInputException(f"Unknown parameter {unknown[0]}; allowed are {allowed}.", field=unknown[0])
        if model.input_shape:
            validate(model.input_shape, {names[key]: value for key, value in given.items()})
        if ids:
            given |= {key: _as_kept(given[key]) for key in ids if key in given}
        with translated(name):
            result = function(account, **given) if is_plain else write(account, given)
        return cut(result or {}) if cut else {}

    OPERATIONS[name] = call
    return call


def _as_kept(asked: str | list[str]) -> str | list[str]:
    """An id, or a list of ids, as they are kept: without blanks around them."""
    return asked.strip() if isinstance(asked, str) else [each.strip() for each in asked]


def call_by_wire_names(name: str, account: Account, members: JSONDict) -> JSONDict:
    """Call an operation with members named as on the wire, as all faces do; a null is as good as absent."""
    snake = parameters_by_wire_name(name)
    given = without_nulls(arns.brought_home(members))
    if unknown := sorted(given.keys() - snake.keys()):
        allowed = ", ".join(snake) or "none"
        raise InvalidInputException(f"Unknown parameter {unknown[0]}; allowed are {allowed}.", field=unknown[0])
    telemetry.operation.set(name)
    return OPERATIONS[name](account, **{snake[member]: value for member, value in given.items()})


def create(row: models.Model) -> None:
    """Insert a new resource; its name must be free.

    Raises:
        ResourceAlreadyExistsException: the name is taken.
    """
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        arn = row.arn if isinstance(row, Resource) else str(row)
        raise ResourceAlreadyExistsException(
            f"Another resource with Arn {arn} already exists; choose another name.", field="name"
        ) from None


def within_quota(quota: str, rows: models.QuerySet[Any], what: str) -> None:
    """Hold a new resource to its quota; `what` completes "Cannot create …".

    Raises:
        LimitExceededException: there are as many as allowed already.
    """
    limit = limits.quota(quota)
    if rows.count() >= limit:
        raise LimitExceededException(
            f"Cannot create {what}. More than {limit} resources in ACTIVE state. Please delete some and try again, or "
            f"raise QUOTA_{quota}."
        )


def within_pending_quota(quota: str, rows: models.QuerySet[Any]) -> None:
    """Hold a new job to the quota of those that have not ended; only waiting or stopping helps.

    Raises:
        LimitExceededException: as many wait or run already.
    """
    limit = limits.quota(quota)
    if rows.filter(status__in=UNFINISHED).count() >= limit:
        raise LimitExceededException(
            f"More than {limit} resources with PENDING or IN_PROGRESS status. Wait until some have ended, or raise "
            f"QUOTA_{quota}."
        )


def page(
    name: str, rows: models.QuerySet[Any], key: str, next_token: str | None, max_results: int = DEFAULT_PAGE
) -> JSONDict:
    """One page of a list, newest first; the token holds the list's name and the last row seen, so insertions don't shift it."""
    if next_token:
        created, pk = _read_token(name, next_token)
        rows = rows.filter(models.Q(created__lt=created) | models.Q(created=created, pk__lt=pk))
    found = list(rows.order_by("-created", "-pk")[: max_results + 1])
    more = len(found) > max_results
    found = found[:max_results]
    token = _write_token(name, found[-1]) if more else None
    return {key: [row.wire() for row in found], "nextToken": token}


def _write_token(name: str, row: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps([name, row.created.isoformat(), row.pk]).encode()).decode()


def _read_token(name: str, token: str) -> tuple[str, int]:
    wrong = InvalidNextTokenException(
        f"nextToken {token[:40]} is not one of this list; pass on the token of its last page.", field="nextToken"
    )
    try:
        owner, created, pk = read_json(base64.urlsafe_b64decode(token.encode()))
        datetime.fromisoformat(created)
    except (ValueError, TypeError):
        raise wrong from None
    if owner != name or not isinstance(pk, int):
        raise wrong
    return created, pk
