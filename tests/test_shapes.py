"""The service model holds what AWS's limits are; we hold requests to them."""

from __future__ import annotations

import pytest

from console import shapes
from console.errors import InvalidInputException, SerializationException
from console.shapes import OPERATION_MODELS, prune, validate


def _input(operation):
    return OPERATION_MODELS[operation].input_shape


def test_it_works():
    validate(_input("CreateDatasetGroup"), {"name": "films", "domain": "ECOMMERCE"})


def test_all_79_operations_are_known():
    assert sum(service in shapes.AWS_SERVICES for service in shapes.SERVICE_OF.values()) == 79


@pytest.mark.parametrize(
    ("operation", "params", "field", "says"),
    [
        ("CreateDatasetGroup", {}, "name", "Value null at 'name' .* must not be null"),
        ("CreateDatasetGroup", {"name": "a b"}, "name", "regular expression"),
        ("CreateDatasetGroup", {"name": "x" * 64}, "name", "less than or equal to 63"),
        ("CreateDatasetGroup", {"name": "x", "domain": "BOOKS"}, "domain", "ECOMMERCE"),
        ("CreateDatasetGroup", {"name": 5}, "name", "Value '5' at 'name' .* must be a string"),
        ("CreateDatasetGroup", {"name": "x", "colour": 1}, "colour", "Unknown parameter; allowed are name, roleArn"),
        ("CreateDatasetGroup", {"name": "x", "tags": [{"tagKey": "a"}]}, "tags", r"null at 'tags\[0\].tagValue'"),
        ("CreateDatasetGroup", {"name": "x", "tags": "a"}, "tags", "must be a list"),
        ("CreateDatasetGroup", {"name": ""}, "name", "length greater than or equal to 1"),
        ("ListCampaigns", {"maxResults": True}, "maxResults", "'true' .* whole number"),
        ("ListCampaigns", {"maxResults": 10**5000}, "maxResults", "whole number"),
        ("ListCampaigns", {"maxResults": 0}, "maxResults", "value greater than or equal to 1"),
        ("CreateDatasetGroup", {"name": "\ud800" + "x" * 70_000}, "name", r"'\?x{99}…'"),
        ("GetRecommendations", {"context": {"a\0": "b"}}, "context", "NUL"),
        (
            "PutEvents",
            {"trackingId": "t", "sessionId": "s", "eventList": [{"eventType": "e", "sentAt": 1e20}]},
            "eventList",
            r"eventList\[0\].sentAt' .* must be a time",
        ),
        ("CreateCampaign", {"name": "x", "solutionVersionArn": "no"}, "solutionVersionArn", "regular expression"),
        ("ListCampaigns", {"maxResults": 101}, "maxResults", "100"),
        ("GetRecommendations", {"promotions": [{"percentPromotedItems": 101}]}, "promotions", "100"),
    ],
)
def test_it_names_the_member_and_what_is_allowed(operation, params, field, says):
    with pytest.raises(InvalidInputException, match=says) as caught:
        validate(_input(operation), params)
    assert caught.value.field == field


def test_every_pattern_of_the_models_compiles():
    for model in OPERATION_MODELS.values():
        _compile(model.input_shape, set())


def _compile(shape, seen):
    if shape is None or shape.name in seen:
        return
    seen.add(shape.name)
    if pattern := shape.metadata.get("pattern"):
        shapes.python_pattern(pattern)
    members = list(shape.members.values()) if shape.type_name == "structure" else []
    members += [shape.member] if shape.type_name == "list" else []
    members += [shape.key, shape.value] if shape.type_name == "map" else []
    for member in members:
        _compile(member, seen)


def test_prune_keeps_what_is_declared():
    shape = OPERATION_MODELS["DescribeDatasetGroup"].output_shape
    assert prune(shape, {"datasetGroup": {"name": "x", "secret": 1, "domain": None}}) == {"datasetGroup": {"name": "x"}}


@pytest.mark.parametrize("body", [rb'{"a": "x\u0000y"}', rb'{"a": [{"b\u0000": 1}]}', rb'{"\u0000": 1}'])
def test_a_nul_is_refused_wherever_it_stands(body):
    with pytest.raises(SerializationException, match="NUL"):
        shapes.read_object(body)


def test_what_only_looks_like_a_nul_is_kept():
    assert shapes.read_object(rb'{"a": "x\\u0000y"}') == {"a": r"x\u0000y"}
