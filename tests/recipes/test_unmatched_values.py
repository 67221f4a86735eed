"""Values of a filter that no row holds are told, with those near them; what the filter lets through stays as it is."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pytest

from recipes import filters
from recipes.columns import Kind, encode_column
from recipes.data import Ids
from recipes.filters import Catalogue, CompiledFilters, Target
from tests.recipes.filtering import ITEMS

USERS = {"TIER": encode_column(pa.array(["gold", "silver"]), Kind.CATEGORICAL)}
EVENT_TYPES = ("watch", "Purchase")


def told(expression, values=None, catalogue=ITEMS):
    bound = filters.bind(filters.parse(expression), values)
    return list(CompiledFilters(catalogue).unmatched(bound, USERS, EVENT_TYPES))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('"comedy"', 'No row holds "comedy" in ITEMS.GENRE; near it is "Comedy".'),
        ('" Comedy "', 'No row holds " Comedy " in ITEMS.GENRE; near it is "Comedy".'),
        ('"Comdy"', 'No row holds "Comdy" in ITEMS.GENRE; near it is "Comedy".'),
        (
            '"comedy|drama"',
            'No row holds "comedy|drama" in ITEMS.GENRE: it is read as one value; several are written "Comedy","Drama".',
        ),
        ('"Western"', 'No row holds "Western" in ITEMS.GENRE.'),
        ("comedy", 'No row holds "comedy" in ITEMS.GENRE; near it is "Comedy".'),
    ],
)
@pytest.mark.parametrize(
    "expression", ["INCLUDE ItemID WHERE Items.GENRE IN ($G)", "EXCLUDE ItemID WHERE Items.GENRE = $G"]
)
def test_a_value_that_nothing_holds_is_told(expression, text, sentence):
    assert told(expression, {"G": text}) == [sentence]


@pytest.mark.parametrize(
    "text", ['"Comedy","Drama"', "Comedy,Drama", "Comedy", '["Horror"]', '"Comedy, Drama"', "[Comedy, Drama]", "(Comedy)", "Comedy,"]
)  # fmt: skip
def test_values_that_rows_hold_are_not_told(text):
    assert told("INCLUDE ItemID WHERE Items.GENRE IN ($G)", {"G": text}) == []


def test_only_what_is_wrong_of_a_list_is_told():
    expression = "INCLUDE ItemID WHERE Items.GENRE IN ($G)"
    assert told(expression, {"G": "Comedy,drama"}) == told(expression, {"G": '"Comedy","drama"'}) == [
        'No row holds "drama" in ITEMS.GENRE; near it is "Drama".'
    ]  # fmt: skip


def test_text_without_quotes_may_be_one_value_with_a_comma():
    brands = Catalogue(Target.ITEM, 2, {"BRAND": encode_column(pa.array(["Smith, Kline", "Other"]), Kind.LABEL)})
    expression = "INCLUDE ItemID WHERE Items.BRAND IN ($B)"
    assert told(expression, {"B": "Smith, Kline"}, brands) == []
    assert told(expression, {"B": "smith, kline"}, brands)


def test_values_in_the_expression_itself_are_told_and_numbers_are_none():
    assert told('INCLUDE ItemID WHERE Items.GENRE IN ("drama") AND Items.YEAR IN ("3000")') == [
        'No row holds "drama" in ITEMS.GENRE; near it is "Drama".'
    ]


def test_what_may_be_new_is_told_only_where_something_known_is_near():
    assert told('EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("purchase", "*", "rent")') == []
    for text in ("Watch,purchase", '"watch, Purchase"'):
        assert told("EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ($E)", {"E": text}) == []
    [sentence] = told('EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("purchased")')
    assert 'near it is "Purchase"' in sentence
    expression = 'EXCLUDE ItemID WHERE Items.GENRE IN ("Drama") IF CurrentUser.TIER = "%s"'
    assert told(expression % "gold") == told(expression % "platinum") == []
    assert "gold" in told(expression % "Gold")[0]


def test_many_values_are_not_searched_for_misspellings():
    for size, near in ((30_000, ""), (900, '; near it is "brand 7"')):
        names = encode_column(pa.array([f"brand {n}" for n in range(size)]), Kind.LABEL)
        catalogue = Catalogue(Target.ITEM, size, {"BRAND": names})
        expression = 'INCLUDE ItemID WHERE Items.BRAND IN ("Brand 7", "bramd 7")'
        assert told(expression, catalogue=catalogue) == [
            f'No row holds "Brand 7" in ITEMS.BRAND{near}.', 'No row holds "bramd 7" in ITEMS.BRAND.'
        ]  # fmt: skip


def test_a_column_that_the_version_does_not_have_is_told():
    """Such as one that the schema got later: an EXCLUDE would let everything through in silence."""
    assert told("EXCLUDE ItemID WHERE Items.SEASON IN ($S)", {"S": "summer"}) == [
        "ITEMS.SEASON was not in the data that the version was trained on, so that no row matches it; train anew."
    ]
    assert not told("EXCLUDE ItemID WHERE Items.PRICE > 5 IF CurrentUser.NEW = 3", {})


def test_an_id_that_the_version_does_not_know_is_told():
    ids = replace(ITEMS, ids=Ids(["i1", "i2", "i3", "i4"]))
    assert told("EXCLUDE ItemID WHERE Items.ITEM_ID IN ($I)", {"I": "i1,new-one"}, ids) == [
        'No row holds "new-one" in ITEMS.ITEM_ID.'
    ]
