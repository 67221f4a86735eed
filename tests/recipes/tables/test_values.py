"""A value that is streamed becomes, or is refused as, what the same cell of a file would."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recipes.tables import cells
from recipes.tables.field import Field
from recipes.tables.values import value_of

TEXTS = st.one_of(
    st.integers().map(str),
    st.floats().map(str),
    st.booleans().map(str),
    st.sampled_from(
        ["", " 7 ", "1,299.00", "N/A", "9148955329465708066", "1e3", "0x1f", "1_0", "é", "much", "-0", "٣"]
    ),
)


@settings(max_examples=200, deadline=None)
@given(TEXTS, st.sampled_from(["long", "double", "boolean"]))
def test_text_is_converted_as_a_cell_is(text, kind):
    field = Field("A", kind, nullable=True)
    values, rules = cells.check(field, pa.array([text], pa.string()), "", ".", cells.MAX_TIME)

    if rules[0]:
        with pytest.raises(ValueError, match=r"^is |^does |^lies |^holds |^has "):
            value_of(field, text)
    else:
        assert value_of(field, text) == values[0].as_py()


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(st.integers(), st.floats(), st.booleans(), st.text(max_size=5)),
    st.sampled_from(["long", "double", "boolean"]),
)
def test_whatever_is_taken_fits_the_column(value, kind):
    field = Field("A", kind, nullable=True)
    try:
        found = value_of(field, value)
    except ValueError:
        return
    assert pa.array([found], field.arrow)[0].as_py() == found


@pytest.mark.parametrize(
    ("kind", "value", "found"),
    [
        ("long", 7.0, 7),
        ("long", -(2**63), -(2**63)),
        ("double", 2**60, float(2**60)),
        ("string", 1.0, "1.0"),
        ("string", True, "true"),
        ("string", "00042", "00042"),
        ("boolean", "yes", True),
        ("boolean", 0, False),
        ("double", "N/A", None),
    ],
)
def test_scalars(kind, value, found):
    assert value_of(Field("A", kind, nullable=True), value) == found


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (Field("A", "long"), 2**63),
        (Field("A", "long"), 1.5),
        (Field("A", "long"), float("inf")),
        (Field("A", "long"), True),
        (Field("A", "double"), float("nan")),
        (Field("A", "double"), 10**400),
        (Field("A", "string", categorical=True), "c" * 1001),
        (Field("A", "string"), ["a"]),
        (Field("CREATION_TIMESTAMP", "long"), 1_700_000_000_000),
    ],
)
def test_what_no_column_of_the_kind_can_hold_is_refused(field, value):
    with pytest.raises(ValueError, match=r"^is |^does |^lies |^has "):
        value_of(field, value)
