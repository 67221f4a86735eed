"""The OpenAPI document: valid, complete, and with examples that its own schemas and the service model accept."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from console.api.examples import request_example
from console.api.routes import routes
from console.shapes import OPERATION_MODELS, SERVICES
from console.validation import validate

METHODS = {"get", "post", "patch", "delete"}


@pytest.fixture
def document(client, db) -> dict[str, Any]:
    """As it is served."""
    found: dict[str, Any] = client.get("/api/v1/schema/?format=json").json()
    return found


def media(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Every body that the document describes, with where."""
    found = []
    for path, entry in document["paths"].items():
        for method, operation in entry.items():
            bodies = {"request": operation.get("requestBody", {}), **operation["responses"]}
            found += [
                (f"{method} {path} {name}", content)
                for name, body in bodies.items()
                for content in body.get("content", {}).values()
            ]
    return found


def test_it_is_valid_openapi_3_1(document):
    errors = [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()]
    assert errors == []


def test_every_body_has_an_example_that_its_schema_accepts(document):
    bodies = media(document)
    assert len(bodies) > 6 * len(routes())
    for where, content in bodies:
        if "file" in content["schema"].get("properties", {}):  # a file is no JSON
            continue
        shown = content.get("examples", {})
        assert shown, where
        schema = content["schema"] | {"components": document["components"]}
        for name, entry in shown.items():
            problems = [error.message for error in Draft202012Validator(schema).iter_errors(entry["value"])]
            assert problems == [], (where, name)


@pytest.mark.parametrize("operation", OPERATION_MODELS)
def test_the_service_model_accepts_the_request_shown(operation):
    if OPERATION_MODELS[operation].input_shape:
        validate(OPERATION_MODELS[operation].input_shape, request_example(operation))


def test_every_operation_is_reached_and_described(document):
    described = {
        operation["operationId"]: operation
        for entry in document["paths"].values()
        for method, operation in entry.items()
        if method in METHODS
    }
    names = {name for service in SERVICES.values() for name in service.operation_names}
    assert names <= set(described)
    assert set(described) - names == {"Upload", "GetRecommendationsFromRecommender"}
    for name, operation in described.items():
        assert operation["summary"], name
        assert {"400", "401", "403"} <= set(operation["responses"]), name
        assert any(status.startswith("2") for status in operation["responses"]), name
