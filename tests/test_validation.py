"""The service model holds what AWS's limits are; we hold requests to them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.errors import InvalidInputException
from console.shapes import OPERATION_MODELS
from console.validation import is_right, validate, violations


def _input(operation):
    return OPERATION_MODELS[operation].input_shape


def test_it_works():
    validate(_input("CreateDatasetGroup"), {"name": "films", "domain": "ECOMMERCE"})


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


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["x" * 300, "a\0b", "\ud800", "ALL"]),
)


@st.composite
def about(draw, shape, depth=0):
    """A value that often is as a shape wants it, and often nearly so."""
    if depth > 4 or draw(st.integers(0, 9)) == 0:
        return draw(SCALARS)
    match shape.type_name:
        case "structure":
            names = [name for name in shape.members if name in shape.required_members or draw(st.booleans())]
            odd = {"surplus": 1} if draw(st.integers(0, 15)) == 0 else {}
            return {name: draw(about(shape.members[name], depth + 1)) for name in names} | odd
        case "list":
            return [draw(about(shape.member, depth + 1)) for _ in range(draw(st.integers(0, 3)))]
        case "map":
            return {
                draw(st.text(max_size=3)): draw(about(shape.value, depth + 1)) for _ in range(draw(st.integers(0, 2)))
            }
        case "string":
            return draw(
                st.sampled_from(
                    [*shape.enum, "a", "name-1", "arn:aws:personalize:us-east-1:000000000000:x/y", "é ", ""]
                )
            )
        case "timestamp":
            return draw(
                st.sampled_from(
                    [0, 1_700_000_000, 1e9, -1, 1e12, 1e300, float("nan"), "2026-01-31T23:59:59Z", "soon", True]
                )
            )
        case _:
            return draw(st.sampled_from([0, 1, 25, 1.5, -1, True, False, 2**40, 10**400]))


INPUTS = [model.input_shape for model in OPERATION_MODELS.values() if model.input_shape]


@given(st.sampled_from(INPUTS).flatmap(lambda shape: st.tuples(st.just(shape), about(shape))))
def test_the_quick_check_finds_wrong_what_the_walk_finds_words_for(case):
    shape, value = case
    assert is_right(shape)(value) == (not list(violations(shape, value, "")))
