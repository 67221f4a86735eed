"""The AWS wire: calls that nearly succeed, and envelopes that should not be opened."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.parsers import create_parser
from botocore.validate import ParamValidator
from hypothesis import strategies as st

from console.shapes import OPERATION_MODELS, SERVICE_OF, SERVICES
from tests.fuzz.judging import Answer, Report, Sent, run_cases
from tests.fuzz.scene import Caller, Scene
from tests.fuzz.sending import Transport
from tests.fuzz.values import TEXTS, hostile, mutated, of_shape

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


def fuzz(scene: Scene, transport: Transport, report: Report, cases: int, seed: int, kind: str = "wire") -> None:
    """Send `cases` calls."""

    def act(sent: Sent) -> None:
        answer = transport.send(sent)
        report.judge(kind, sent, answer)
        for what in _complaints(sent, answer):
            report.add(
                f"{kind}: {sent.label}: {what}",
                f"{sent.path} {sent.body[:1500]!r}\n-> {answer.status} {answer.text[:800]}",
            )

    with report.timing(kind):
        run_cases(requests(scene, transport), act, cases, seed)


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


@st.composite
def requests(draw: st.DrawFn, scene: Scene, transport: Transport) -> Sent:
    """One call: good members with changes, or made-up ones; in one of eight the envelope is bent too."""
    name = draw(st.sampled_from(sorted(scene.good)))
    model = OPERATION_MODELS[name]
    if draw(st.integers(0, 3)):
        members = draw(mutated(scene.good[name], scene))
    else:
        members = draw(of_shape(model.input_shape, scene)) if model.input_shape else {}
    if transport.keeps and name.startswith(PILLARS) and any(arn in json.dumps(members) for arn in scene.arns.values()):
        members = {key: f"{value}-gone" if isinstance(value, str) else value for key, value in members.items()}
    by_owner = draw(st.integers(0, 3)) > 0
    return draw(enveloped(scene, transport.host, name, json.dumps(members).encode(), by_owner))


@st.composite
def enveloped(draw: st.DrawFn, scene: Scene, host: str, name: str, body: bytes, by_owner: bool) -> Sent:
    """The call in an envelope."""
    model = OPERATION_MODELS[name]
    is_json = SERVICE_OF[name] not in {"personalize-runtime", "personalize-events"}
    path = "/aws/" if is_json else f"/aws{model.http['requestUri']}"
    target = f"{model.service_model.metadata['targetPrefix']}.{name}" if is_json else ""
    caller = scene.owner if by_owner else scene.stranger
    bend = draw(st.integers(0, 7)) == 0
    if bend:
        body = draw(_bodies(body))
    sent = Sent("POST", path, signed(caller, host, path, target, body), body, name, by_owner)
    return draw(_bent(sent)) if bend else sent


def _bodies(body: bytes) -> st.SearchStrategy[bytes]:
    half = body[: len(body) // 2]
    kinds = [body, half, b"", b"null", b"[]", b"7", b'""', b"{", b"\xff\xfe", b'{"a": NaN}', b'{"name": 1e999}', b"[" * 50_000,
             b'{"a":' * 30_000, b"\0" * 100, body + b"x", body * 2, b'{"name": "a", "name": "b"}', b"\xef\xbb\xbf" + body,
             body.decode(errors="replace").encode("utf-16"), b'{"maxResults": ' + b"9" * 5000 + b"}", b" " * 6_000_000]  # fmt: skip
    return st.sampled_from(kinds) | st.binary(max_size=200) | hostile().map(lambda value: json.dumps(value).encode())


@st.composite
def _bent(draw: st.DrawFn, sent: Sent) -> Sent:
    """The request with its envelope changed after it was signed; what HTTP itself cannot carry is left out."""
    headers = dict(sent.headers)
    text = draw(st.sampled_from([each for each in TEXTS if len(each) < 6000]) | st.text(max_size=30))
    text = text.encode("latin-1", "replace").decode("latin-1").replace("\r", "").replace("\n", "").replace("\0", "")
    match draw(st.integers(0, 6)):
        case 0:
            headers["X-Amz-Target"] = text
        case 1:
            headers["Authorization"] = draw(
                st.sampled_from(["", text, headers["Authorization"][:60], headers["Authorization"] + text[:50]])
            )
        case 2:
            headers["X-Amz-Date"] = draw(st.sampled_from(["", "20200101T000000Z", "99999999T999999Z", text]))
        case 3:
            headers["Content-Type"] = draw(
                st.sampled_from(
                    ["", "text/plain", "multipart/form-data", "application/x-www-form-urlencoded; charset=utf-99"]
                )
            )
        case 4:
            return replace(
                sent,
                path=sent.path
                + draw(
                    st.sampled_from(
                        ["nowhere", "?a=%ff%00", "?" + "a" * 3000, "//", "%00", "%2e%2e/", "?X-Amz-Signature=1"]
                    )
                ),
            )
        case 5:
            headers.pop(draw(st.sampled_from(sorted(headers))))
        case _:
            return replace(sent, method=draw(st.sampled_from(["GET", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH"])))
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
    if body["__type"] not in COMMON | OF_ANY_CALL | modelled:
        yield f"{body['__type']} is not modelled"
    if len(body["message"]) > 3000:
        yield "a message of more than 3,000 characters"
