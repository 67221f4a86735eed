"""Examples for the OpenAPI document: a request and an answer of each operation, made from the service model's shapes."""

from __future__ import annotations

import json
import re
from typing import Any

from botocore.model import Shape
from drf_spectacular.utils import OpenApiExample

from console import arns
from console.shapes import OPERATION_MODELS, JSONDict, python_pattern

DEEPEST = 6
ARN = f"arn:{arns.PARTITION}:personalize:{arns.REGION}:000000000000:"
SCHEMA = {
    "type": "record",
    "name": "Users",
    "namespace": "com.amazonaws.personalize.schema",
    "fields": [{"name": "USER_ID", "type": "string"}, {"name": "AGE", "type": "int"}],
    "version": "1.0",
}
# By the member's name, where its shape alone would not tell what stands there.
STRINGS = {
    "schema": json.dumps(SCHEMA),
    "filterExpression": 'INCLUDE ItemID WHERE Items.GENRES IN ("Drama")',
    "field": "Items.GENRES",
    "expression": "SUM(Items.PRICE)",
    "properties": '{"genres": "Drama|War"}',
    "path": "s3://films/data/",
    "dataLocation": "s3://films/users.csv",
    "userId": "42",
    "itemId": "2571",
    "actionId": "newsletter",
    "sessionId": "session-1",
    "eventType": "click",
    "recommendationId": "RID-0a1b2c3d",
    "trackingId": "8f14e45f-ceea-467f-a0e6-6c7bd5a1c9e2",
    "nextToken": "WyJMaXN0IiwgMV0=",
    "datasetType": "Users",
    "status": "ACTIVE",
    "schedulingExpression": "rate(7 days)",
    "roleArn": "arn:aws:iam::000000000000:role/PersonalizeRole",
    "kmsKeyArn": "arn:aws:kms:us-east-1:000000000000:key/films",
    "recipeArn": arns.recipe_arn("aws-user-personalization-v2"),
    "algorithmArn": "arn:aws:personalize:::algorithm/aws-user-personalization-v2",
    "featureTransformationArn": "arn:aws:personalize:::feature-transformation/featurize_metadata",
    "datasetArn": f"{ARN}dataset/films/USERS",
    "solutionVersionArn": f"{ARN}solution/films/1a2b3c4d",
    "resourceArn": f"{ARN}dataset-group/films",
    "message": "Value 'a b' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern",
}
CANDIDATES = (
    "films",
    "Drama",
    "1",
    f"{ARN}dataset-group/films",
    "s3://films/data/",
    "arn:aws:iam::000000000000:role/r",
    "a",
)
NUMBERS = {
    "maxResults": 100,
    "numResults": 25,
    "percentPromotedItems": 20,
    "score": 0.12,
    "price": 9.5,
    "minProvisionedTPS": 1,
}
ERRORS = {
    400: ("InvalidInputException", "Value 'a b' at 'name' failed to satisfy constraint: Member must satisfy …", "name"),
    401: ("MissingAuthenticationToken", "Authentication credentials were not provided.", None),
    403: ("AccessDeniedException", "Your role is viewer, which may look but not change; CreateCampaign changes.", None),
    404: ("ResourceNotFoundException", f"Resource Arn {ARN}campaign/films does not exist.", "campaignArn"),
    409: ("ResourceInUseException", "The campaign is CREATE PENDING; wait until it is ACTIVE.", "campaignArn"),
    415: ("UnsupportedMediaTypeException", 'Unsupported media type "text/plain" in request.', None),
    503: ("ServiceUnavailableException", "The database is busy. Try again in a moment.", None),
}  # fmt: skip


def examples(operation: str, status: int, fills: str, statuses: list[int], *, has_body: bool) -> list[OpenApiExample]:
    """What the document shows of an operation: a request, its answer, and each error."""
    model = OPERATION_MODELS[operation]
    found = error_examples(statuses)
    if has_body and model.input_shape:
        sent = {name: value for name, value in request_example(operation).items() if name != fills}
        found.append(OpenApiExample("Request", sent, request_only=True))
    if status != 204:
        answer = example(model.output_shape, "", everything=True)
        found.append(OpenApiExample("Done", answer, response_only=True, status_codes=[str(status)]))
    return found


def request_example(operation: str) -> JSONDict:
    """Members with which the operation can be called: those it needs, and those that are worth seeing."""
    shape = OPERATION_MODELS[operation].input_shape
    found: JSONDict = example(shape, "", everything=False) if shape else {}
    return found


def example(shape: Shape, name: str, *, everything: bool, depth: int = 0) -> Any:
    """A value of a shape for the member called `name`.

    Args:
        shape: of the service model.
        name: of the member that holds the value.
        everything: whether structures show members that may be left out.
        depth: how many structures are around it.
    """
    match shape.type_name:
        case "structure":
            shown = (
                [each for each in shape.members if everything or each in shape.required_members]
                if depth < DEEPEST
                else []
            )
            return {each: example(shape.members[each], each, everything=everything, depth=depth + 1) for each in shown}
        case "list":
            one = example(shape.member, re.sub(r"(?<=Arn)s$", "", name), everything=everything, depth=depth + 1)
            return [one] * max(1, shape.metadata.get("min", 1))
        case "map":
            key = _string(shape.key, "key")
            return {key: example(shape.value, "value", everything=everything, depth=depth + 1)}
        case "boolean":
            return True
        case "timestamp":
            return "2026-01-31T23:59:59Z"
        case "string":
            return _string(shape, name)
        case _:
            return _number(shape, name)


def _string(shape: Shape, name: str) -> str:
    if shape.enum:
        return str("ACTIVE" if "ACTIVE" in shape.enum else shape.enum[0])
    kind = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name.removesuffix("Arn")).lower()
    by_kind = (f"{ARN}{kind}/films",) if name.endswith("Arn") else ()
    wanted: tuple[str, ...] = (STRINGS[name],) if name in STRINGS else by_kind
    found: str = next(
        text for text in (*wanted, *CANDIDATES, "x" * int(shape.metadata.get("min", 1))) if _fits(shape, text)
    )
    return found


def _fits(shape: Shape, text: str) -> bool:
    limits = shape.metadata
    pattern = limits.get("pattern")
    is_long = limits.get("min", 0) <= len(text) <= limits.get("max", len(text))
    return is_long and (not pattern or bool(python_pattern(pattern).fullmatch(text)))


def _number(shape: Shape, name: str) -> float:
    least, most = shape.metadata.get("min", 0), shape.metadata.get("max", 10**9)
    wanted = NUMBERS.get(name, 1)
    found = min(max(wanted, least), most)
    return found if shape.type_name in {"float", "double"} else int(found)


def error_examples(statuses: list[int]) -> list[OpenApiExample]:
    """One body for each status."""
    bodies = {status: dict(zip(("code", "message", "field"), ERRORS[status], strict=True)) for status in statuses}
    return [
        OpenApiExample(body["code"], body, response_only=True, status_codes=[str(status)])
        for status, body in bodies.items()
    ]
