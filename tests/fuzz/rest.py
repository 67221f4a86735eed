"""REST against its own document: schemathesis makes up requests, and names of what is there are put into half of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import requests
import schemathesis
from django.test import Client
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.transport import Response
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.fuzz.judging import Answer, Report, Sent, complaints, described, run_cases
from tests.fuzz.scene import Scene
from tests.fuzz.sending import Transport
from tests.fuzz.values import DRAWS, Draw, mutated, names_of

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@dataclass(frozen=True)
class Operation:
    """One operation of the document, with what schemathesis draws for it."""

    label: str
    name: str
    found: Any
    draws: st.SearchStrategy[tuple[Draw, Any]]


@cache
def operations() -> tuple[Operation, ...]:
    """All of the document."""
    return tuple(_operations())


def _operations() -> Iterator[Operation]:
    schema = schemathesis.openapi.from_dict(Client().get("/api/v1/schema/?format=json").json())
    for result in schema.get_all_operations():
        found = result.ok()
        yield Operation(found.label, found.definition.raw["operationId"], found, st.tuples(DRAWS, found.as_strategy()))


def fuzz(scene: Scene, transport: Transport, report: Report, cases: int, seed: int) -> None:
    """Send as many requests to each operation as make `cases` in all; at least one."""
    known = operations()
    names = names_of(scene)
    bare = sorted({part for name in names for part in name.rpartition(":")[2].split("/")[1:2] or [name] if part})
    with report.timing("rest"):
        for place, operation in enumerate(known):

            def act(drawn: tuple[Draw, Any], operation: Operation = operation) -> None:
                _try(operation, *drawn, scene, transport, report, names, bare)

            run_cases(operation.draws, act, max(1, cases // len(known)), seed + place)


def _try(
    operation: Operation,
    draw: Draw,
    case: Any,
    scene: Scene,
    transport: Transport,
    report: Report,
    names: list[str],
    bare: list[str],
) -> None:
    by_owner = draw.dice.randrange(4) > 0
    _name_things(operation, draw, case, scene, names, bare)
    caller = scene.owner if by_owner else scene.stranger
    try:
        sent, answer, response = _sent(operation, case, caller.token, by_owner, transport)
    except (ValueError, UnicodeError):  # what HTTP cannot carry
        return
    report.judge("rest", sent, answer)
    if list(complaints(sent, answer)):
        return
    try:
        case.validate_response(response, checks=CHECKS)
    except Exception as error:  # noqa: BLE001  schemathesis' groups of failures
        inner = getattr(error, "exceptions", [error])
        report.add(
            f"rest: {operation.label}: {inner[0].__class__.__name__}",
            f"{str(inner[0])[:800]}\n{described(sent, answer)}",
        )


def _name_things(operation: Operation, draw: Draw, case: Any, scene: Scene, names: list[str], bare: list[str]) -> None:
    """Put names of what there is into the path, and members that nearly succeed into the body."""
    if draw.dice.randrange(2):
        for part in list(case.path_parameters or {}):
            case.path_parameters[part] = draw.dice.choice(bare).split("/")[0]
    good = scene.good.get(operation.name)
    if (
        good is not None
        and isinstance(case.body, dict)
        and case.media_type == "application/json"
        and draw.dice.randrange(2)
    ):
        case.body = mutated(draw, good, names)
    for key in list(case.query or {}):
        if key.endswith("Arn") and draw.dice.randrange(2):
            case.query[key] = draw.dice.choice(names)


def _sent(
    operation: Operation, case: Any, token: str, by_owner: bool, transport: Transport
) -> tuple[Sent, Answer, Response]:
    """Write schemathesis' case down, send it, and read the answer as schemathesis does."""
    written = case.as_transport_kwargs(
        base_url=f"http://{transport.host}", headers={"Authorization": f"Bearer {token}"}
    )
    written.pop("cookies", None)
    request = requests.Request(**written).prepare()
    body = request.body.encode() if isinstance(request.body, str) else request.body or b""
    headers = {
        name: value.decode("latin-1") if isinstance(value, bytes) else value for name, value in request.headers.items()
    }
    sent = Sent(request.method or "", request.path_url, headers, body, operation.label, by_owner)
    answer = transport.send(sent)
    told = {name.lower(): [value] for name, value in answer.headers.items()}
    return sent, answer, Response(answer.status, told, answer.body, request, answer.seconds, verify=False)
