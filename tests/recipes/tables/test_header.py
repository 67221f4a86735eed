"""The names of columns: each is there once, and stands for its own column."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipes.tables.dialect import CsvFormat
from recipes.tables.header import header_of, repeated
from recipes.tables.text import Block

NAMES = st.lists(st.sampled_from(["price", "price (2)", "price (3)", "id", "id (2)", ""]), min_size=2, max_size=7)


def names_of(*names):
    rows = ",".join(f"{place}x" for place in range(len(names)))
    header, _ = header_of(Block(f"{','.join(names)}\n{rows}\n".encode(), 1), CsvFormat(","))
    return header


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("id", "price", "price"), ["id", "price", "price (2)"]),
        (("a", "a", "a"), ["a", "a (2)", "a (3)"]),
        (("a", "a", "a (2)"), ["a", "a (3)", "a (2)"]),
        (("a", "A"), ["a", "A"]),
        (("", "a", ""), ["", "a", ""]),
    ],
)
def test_a_name_that_is_there_already_gets_a_number(names, expected):
    assert names_of(*names) == expected


@given(NAMES)
def test_no_name_is_there_twice(names):
    header = [name for name in names_of(*names) if name]

    assert len(set(header)) == len(header)
    assert [name for name in header if name in names] == list(dict.fromkeys(filter(None, header))) or repeated(header)


def test_names_that_were_repeated_are_told():
    assert repeated(names_of("id", "price", "price", "price")) == {"price": ["price (2)", "price (3)"]}
    assert repeated(["id", "size (2)"]) == {}
