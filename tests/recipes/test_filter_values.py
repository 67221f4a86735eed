"""A request's filter values, as the guide, the pages of SDKs and people write them."""

from __future__ import annotations

import pyarrow as pa
import pytest

from recipes import filters
from recipes.columns import Kind, encode_column
from recipes.filters import Catalogue, FilterError, Target
from tests.recipes.filtering import kept


@pytest.mark.parametrize(
    "text",
    [
        '"Comedy","Drama"', "Comedy,Drama", "Comedy, Drama", "'Comedy','Drama'", " 'Comedy' , 'Drama' ", '["Comedy","Drama"]',
        "['Comedy', 'Drama']", "[Comedy, Drama]", '("Comedy", "Drama")', r'\"Comedy\",\"Drama\"', "\u201cComedy\u201d, \u201cDrama\u201d",
        "Comedy,Drama,", "Comedy|Drama", "Comedy; Drama", "Comedy\nDrama", "`Comedy`, `Drama`",
    ],
)  # fmt: skip
@pytest.mark.parametrize("verb", ["INCLUDE", "EXCLUDE"])
def test_a_list_of_values_is_read_however_it_is_written(text, verb):
    expression = f"{verb} ItemID WHERE Items.GENRE IN ($G)"
    assert kept(expression, {"G": text}) == kept(expression, {"G": '"Comedy","Drama"'})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Ben & Jerry's", "Ben & Jerry's"), ('"Ben & Jerry\'s"', "Ben & Jerry's"), ("'Ben & Jerry's'", "Ben & Jerry's"),
        ("Smith, Kline", "Smith, Kline"), ('"Smith, Kline"', "Smith, Kline"), ("(500) Days (of Summer)", "(500) Days (of Summer)"),
        ("[unknown]", "[unknown]"), (r'"6\" screen"', '6" screen'), (r'"AC\DC"', r"AC\DC"), ("\u201eGröße\u201c", "Größe"), ("[5]", "5"), ("one; two", "one; two"), ("`x`", "x"),
    ],
)  # fmt: skip
def test_one_value_may_hold_what_lists_are_written_with(text, value):
    catalogue = Catalogue(Target.ITEM, 2, {"B": encode_column(pa.array([value, "other"]), Kind.LABEL)})
    for condition in ("Items.B IN ($B)", "Items.B = $B"):
        bound = filters.bind(filters.parse(f"INCLUDE ItemID WHERE {condition}"), {"B": text})
        assert filters.mask(bound, catalogue).tolist() == [True, False]


@pytest.mark.parametrize(
    "text", ["'Comedy", "'Comedy,'Drama'", "Comedy,'Drama'", '6" screen', '{"a": 1}', "[]", "[[1]]", ",", 'Comedy"']
)
def test_values_that_could_match_nothing_unnoticed_are_refused(text):
    with pytest.raises(FilterError, match="The parameter G"):
        filters.bind(filters.parse("EXCLUDE ItemID WHERE Items.GENRE IN ($G)"), {"G": text})


@pytest.mark.parametrize("condition", ["Items.PRICE = $P", "Items.PRICE IN ($P)", "Items.PRICE != $P"])
@pytest.mark.parametrize("verb", ["INCLUDE", "EXCLUDE"])
def test_a_numeric_field_needs_numbers(condition, verb):
    expression = f"{verb} ItemID WHERE {condition}"
    with pytest.raises(FilterError, match=r'The parameter P is "ten", ITEMS\.PRICE is numeric and needs numbers'):
        kept(expression, {"P": "ten"})
    assert kept(expression, {"P": "20"}) == kept(expression, {"P": '"20.0"'}) == kept(expression, {"P": "[20]"})


def test_a_numeric_field_of_the_user_needs_numbers():
    with pytest.raises(FilterError, match="needs numbers"):
        kept('EXCLUDE ItemID WHERE Items.GENRE IN ("Horror") IF CurrentUser.AGE = $A', {"A": "young"})
