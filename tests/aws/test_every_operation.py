"""Every operation of AWS's service models with a real boto3 client: a good call, and each way of getting it wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from django.db import transaction

from console.shapes import AWS_SERVICES, OPERATION_MODELS, SERVICE_OF, SERVICES
from tests.aws.everything import World, build, good_calls

pytestmark = pytest.mark.slow

NAMES = [name for service in AWS_SERVICES for name in SERVICES[service].operation_names]
OF_EVERYBODY = {"recipeArn", "algorithmArn", "featureTransformationArn", "roleArn"}
WRONG = {"structure": "text", "list": "text", "map": "text", "string": {"a": 1}}
# Members that AWS's model does not call required although the call means nothing without them.
NEEDED = {"UpdateMetricAttribution": ["metricAttributionArn"], "ListMetricAttributionMetrics": ["metricAttributionArn"],
          "GetRecommendations": ["campaignArn"], "CreateSolution": ["recipeArn"]}  # fmt: skip


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """Built once for all tests of this file; each test's own changes are rolled back to it."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield build()
        transaction.set_rollback(True)


@pytest.fixture
def call(world: World, db: None) -> Any:
    """`call(operation, members)` as the world's account or another."""

    def send(operation: str, members: dict[str, Any], account: Any = None) -> dict[str, Any]:
        made = world.clients[account or world.account, SERVICE_OF[operation]]
        answer: dict[str, Any] = as_sent(made, operation, members)
        return answer

    return send


def as_sent(made: Any, operation: str, members: dict[str, Any]) -> dict[str, Any]:
    """Call with exactly these members, which botocore itself could not always write down."""

    def replace_body(params: dict[str, Any], **_: object) -> None:
        params["body"] = json.dumps(members).encode()

    made.meta.events.register("before-call", replace_body)
    try:
        answer: dict[str, Any] = getattr(made, xform_name(operation))()
    finally:
        made.meta.events.unregister("before-call", replace_body)
    return answer


def refused(call: Any, operation: str, members: dict[str, Any], account: Any = None) -> tuple[str, str]:
    """Code and message of the refusal."""
    with pytest.raises(ClientError) as caught:
        call(operation, members, account)
    error = caught.value.response["Error"]
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] in {400, 404, 409}
    return error["Code"], error["Message"]


def arn_members(operation: str, members: dict[str, Any]) -> list[str]:
    return [name for name in members if name.endswith("Arn") and name not in OF_EVERYBODY]


def test_the_table_is_complete(world):
    assert set(good_calls(world)) == set(NAMES)


@pytest.mark.parametrize("operation", NAMES)
def test_a_good_call_succeeds(world, call, operation):
    answer = call(operation, good_calls(world)[operation])
    shape = OPERATION_MODELS[operation].output_shape
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    allowed = set(shape.members) if shape else set()
    assert set(answer) - {"ResponseMetadata"} <= allowed
    if operation.startswith(("Describe", "List", "Create", "Get")):
        assert set(answer) > {"ResponseMetadata"}


@pytest.mark.parametrize("operation", NAMES)
def test_a_missing_member_is_named(world, call, operation):
    members = good_calls(world)[operation]
    required = OPERATION_MODELS[operation].input_shape.required_members
    for name in [*required, *NEEDED.get(operation, [])]:
        code, message = refused(call, operation, {key: value for key, value in members.items() if key != name})
        assert code == "InvalidInputException", name
        assert name in message


@pytest.mark.parametrize("operation", NAMES)
def test_a_value_of_another_type_is_refused(world, call, operation):
    members = good_calls(world)[operation]
    shapes = OPERATION_MODELS[operation].input_shape.members
    for name, shape in shapes.items():
        code, _ = refused(call, operation, members | {name: WRONG.get(shape.type_name, "text")})
        assert code == "InvalidInputException", name
    code, message = refused(call, operation, members | {"colour": "red"})
    assert (code, "colour" in message) == ("InvalidInputException", True)


@pytest.mark.parametrize("operation", NAMES)
def test_a_value_beyond_its_limit_is_refused(world, call, operation):
    members = good_calls(world)[operation]
    for name, shape in OPERATION_MODELS[operation].input_shape.members.items():
        if shape.type_name == "string" and shape.metadata.get("max"):
            code, message = refused(call, operation, members | {name: "x" * (shape.metadata["max"] + 1)})
            assert (code, name in message) == ("InvalidInputException", True)
        if name.endswith("Arn") or getattr(shape, "enum", None):
            assert refused(call, operation, members | {name: "no such thing"})[0] == "InvalidInputException", name


@pytest.mark.parametrize("operation", NAMES)
def test_an_unknown_arn_is_not_found(world, call, operation):
    members = good_calls(world)[operation]
    for name in arn_members(operation, members):
        unknown = f"{members[name].rsplit('/', 1)[0]}/no-such-thing"
        assert refused(call, operation, members | {name: unknown})[0] == "ResourceNotFoundException", name
    if "trackingId" in members:
        assert refused(call, operation, members | {"trackingId": "no-such-thing"})[0] == "InvalidInputException"


@pytest.mark.parametrize("operation", NAMES)
def test_an_arn_of_another_kind_is_not_found(world, call, operation):
    members = good_calls(world)[operation]
    for name in arn_members(operation, members):
        if name != "resourceArn":
            other = world.arns["tracker"] if ":filter/" in members[name] else world.arns["filter"]
            assert refused(call, operation, members | {name: other})[0] == "ResourceNotFoundException", name


@pytest.mark.parametrize("operation", NAMES)
def test_nothing_of_another_account_is_reached(world, call, operation):
    members = good_calls(world)[operation]
    if "trackingId" in members:
        assert refused(call, operation, members, world.other)[0] == "InvalidInputException"
    elif arn_members(operation, members):
        assert refused(call, operation, members, world.other)[0] == "ResourceNotFoundException"
    elif operation.startswith("List") and operation != "ListRecipes":
        answer = call(operation, members, world.other)
        assert not any(value for key, value in answer.items() if key != "ResponseMetadata")


@pytest.mark.parametrize(
    "operation", [name for name in NAMES if name.startswith("List") and name != "ListTagsForResource"]
)
def test_a_token_of_another_list_is_refused(world, call, operation):
    members = good_calls(world)[operation]
    assert refused(call, operation, members | {"nextToken": "of-another-list"})[0] == "InvalidNextTokenException"
