"""The AWS wire: calls that nearly succeed, and envelopes that should not be opened."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.parsers import create_parser
from botocore.validate import ParamValidator

from console.shapes import OPERATION_MODELS, SERVICE_OF, SERVICES
from tests.fuzz.judging import Answer, Report, Sent, run_cases
from tests.fuzz.scene import Caller, Scene
from tests.fuzz.sending import Transport
from tests.fuzz.values import DRAWS, TEXTS, Draw, mutated, names_of, of_shape

COMMON = {"SerializationException", "UnknownOperationException", "AccessDeniedException", "MissingAuthenticationToken",
          "IncompleteSignature", "InvalidSignatureException", "UnrecognizedClientException", "ThrottlingException"}  # fmt: skip
OF_ANY_CALL = {
    "InvalidInputException",
    "ResourceNotFoundException",
    "LimitExceededException",
    "InvalidNextTokenException",
}
STATUSES = {200, 400, 403, 404, 409, 413, 429}
PILLARS = ("Delete", "Stop", "Update")
PARSERS = {service: create_parser(SERVICES[service].metadata["protocol"]) for service in SERVICES}


@dataclass(frozen=True)
class Known:
    """What calls are made of: the operations' names, and what names something on the server."""

    operations: list[str]
    names: list[str]


def fuzz(scene: Scene, transport: Transport, report: Report, cases: int, seed: int, kind: str = "wire") -> None:
    """Send `cases` calls."""

    known = Known(sorted(OPERATION_MODELS), names_of(scene))

    def act(draw: Draw) -> None:
        sent = request_of(draw, scene, transport, known)
        answer = transport.send(sent)
        report.judge(kind, sent, answer)
        for what in _complaints(sent, answer):
            report.add(
                f"{kind}: {sent.label}: {what}",
                f"{sent.path} {sent.body[:1500]!r}\n-> {answer.status} {answer.text[:800]}",
            )

    with report.timing(kind):
        run_cases(DRAWS, act, cases, seed)


def signed(caller: Caller, host: str, path: str, target: str, body: bytes) -> dict[str, str]:
    """Headers of a call, signed by botocore."""
    headers = (
        {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": target}
        if target
        else {"Content-Type": "application/json"}
    )
    request = AWSRequest("POST", f"http://{host}{path}", headers | {"Host": host}, body)
    SigV4Auth(Credentials(caller.key_id, caller.secret), "personalize", "us-east-1").add_auth(request)
    return dict(request.headers.items())


def request_of(draw: Draw, scene: Scene, transport: Transport, known: Known) -> Sent:
    """One call: good members with changes, or made-up ones; in one of eight the envelope is bent too."""
    name = draw.dice.choice(known.operations)
    shape = OPERATION_MODELS[name].input_shape
    if shape is None or (name in scene.good and draw.dice.randrange(4)):
        members = mutated(draw, scene.good.get(name, {}), known.names)
    else:
        members = of_shape(draw, shape, known.names)
    if transport.keeps and name.startswith(PILLARS) and any(arn in json.dumps(members) for arn in scene.arns.values()):
        members = {key: f"{value}-gone" if isinstance(value, str) else value for key, value in members.items()}
    return _enveloped(draw, scene, transport.host, name, json.dumps(members).encode())


def envelope(name: str) -> tuple[str, str]:
    """An operation's path and target."""
    model = OPERATION_MODELS[name]
    if SERVICE_OF[name] in {"personalize-runtime", "personalize-events"}:
        return f"/aws{model.http['requestUri']}", ""
    return "/aws/", f"{model.service_model.metadata['targetPrefix']}.{name}"


def _enveloped(draw: Draw, scene: Scene, host: str, name: str, body: bytes) -> Sent:
    dice = draw.dice
    path, target = envelope(name)
    by_owner = dice.randrange(4) > 0
    caller = scene.owner if by_owner else scene.stranger
    bend = dice.randrange(8) == 0
    if bend:
        body = _bent_body(draw, body)
    sent = Sent("POST", path, signed(caller, host, path, target, body), body, name, by_owner)
    return _bent(dice, sent) if bend and dice.randrange(2) else sent


def _bent_body(draw: Draw, body: bytes) -> bytes:
    dice = draw.dice
    half = body[: len(body) // 2]
    return dice.choice([
        body, half, b"", b"null", b"[]", b"7", b'""', b"{", b"\xff\xfe", b'{"a": NaN}', b'{"name": 1e999}', b"[" * 50_000,
        b'{"a":' * 30_000, b"\0" * 100, body + b"x", body * 2, b'{"name": "a", "name": "b"}', b"\xef\xbb\xbf" + body,
        body.decode(errors="replace").encode("utf-16"), b'{"maxResults": ' + b"9" * 5000 + b"}", b" " * dice.choice([100, 6_000_000]),
        draw.text.encode(errors="replace"), json.dumps(draw.odd()).encode(),
    ])  # fmt: skip


def _bent(dice: Random, sent: Sent) -> Sent:
    """The request with its envelope changed after it was signed; what HTTP itself cannot carry is left out."""
    headers = dict(sent.headers)
    text = dice.choice([each for each in TEXTS if len(each) < 6000])
    text = text.encode("latin-1", "replace").decode("latin-1").replace("\r", "").replace("\n", "").replace("\0", "")
    match dice.randrange(7):
        case 0:
            headers["X-Amz-Target"] = text
        case 1:
            told = headers["Authorization"]
            headers["Authorization"] = dice.choice(["", text, told[:60], told + text[:50], told.replace("/", "//")])
        case 2:
            headers["X-Amz-Date"] = dice.choice(["", "20200101T000000Z", "99999999T999999Z", text])
        case 3:
            kinds = ["", "text/plain", "multipart/form-data", "application/x-www-form-urlencoded; charset=utf-99"]
            headers["Content-Type"] = dice.choice(kinds)
        case 4:
            ends = ["nowhere", "?a=%ff%00", "?" + "a" * 3000, "//", "%00", "%2e%2e/", "?X-Amz-Signature=1"]
            return replace(sent, path=sent.path + dice.choice(ends))
        case 5:
            headers.pop(dice.choice(sorted(headers)))
        case _:
            return replace(sent, method=dice.choice(["GET", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH"]))
    return replace(sent, headers=headers)


def _complaints(sent: Sent, answer: Answer) -> Iterator[str]:
    if answer.status not in STATUSES:
        yield f"status {answer.status} is none of the protocol's"
    elif answer.status == 200:
        yield from _wrong_success(sent, answer)
    elif answer.status != 413 and sent.method != "HEAD":
        yield from _wrong_error(sent, answer)


def _wrong_success(sent: Sent, answer: Answer) -> Iterator[str]:
    """A success must be what the model says, as botocore reads it."""
    model = OPERATION_MODELS[sent.label]
    if sent.method != "POST" or model.output_shape is None:
        return
    response = {"status_code": 200, "headers": answer.headers, "body": answer.body}
    try:
        parsed = PARSERS[SERVICE_OF[sent.label]].parse(response, model.output_shape)
    except Exception as error:  # noqa: BLE001  whatever botocore stumbles over
        yield f"botocore cannot read the answer: {type(error).__name__}"
        return
    parsed.pop("ResponseMetadata", None)
    if (checked := ParamValidator().validate(parsed, model.output_shape)).has_errors():
        yield f"not the output's shape: {checked.generate_report()[:100]}"


def _wrong_error(sent: Sent, answer: Answer) -> Iterator[str]:
    """An error must have AWS's form, a sentence, and a name that the operation's model knows."""
    body = answer.json()
    if not isinstance(body, dict) or not isinstance(body.get("message"), str) or not body["message"]:
        yield "an error without __type and message"
        return
    headers: dict[str, Any] = {name.lower(): value for name, value in answer.headers.items()}
    if body.get("__type") != headers.get("x-amzn-errortype") or "x-amzn-requestid" not in headers:
        yield "an error whose headers do not name it"
    modelled = {shape.name for shape in OPERATION_MODELS[sent.label].error_shapes}
    if modelled and body["__type"] not in COMMON | OF_ANY_CALL | modelled:
        yield f"{body['__type']} is not modelled"
    if len(body["message"]) > 3000:
        yield "a message of more than 3,000 characters"
