"""A request's filter values, as the guide, the pages of SDKs and people write them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from recipes import filters
from recipes.columns import Kind, Numeric, encode_column
from recipes.filters import Catalogue, FilterError, Target
from tests.recipes.filtering import kept


@pytest.mark.parametrize(
    "text",
    [
        '"Comedy","Drama"', "Comedy,Drama", "Comedy, Drama", "'Comedy','Drama'", " 'Comedy' , 'Drama' ", '["Comedy","Drama"]',
        "['Comedy', 'Drama']", "[Comedy, Drama]", '("Comedy", "Drama")', r'\"Comedy\",\"Drama\"', "\u201cComedy\u201d, \u201cDrama\u201d",
        "Comedy,Drama,", "Comedy|Drama", "Comedy; Drama", "Comedy\nDrama", "`Comedy`, `Drama`", "Comedy\tDrama", '"Comedy, Drama"',
        "'Comedy, Drama'", '"Comedy|Drama"', '\'["Comedy", "Drama"]\'', '\'"Comedy","Drama"\'', "\u00abComedy\u00bb, \u00abDrama\u00bb",
        "&quot;Comedy&quot;,&quot;Drama&quot;", "%22Comedy%22,%22Drama%22",
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
        ("[unknown]", "[unknown]"), (r'"6\" screen"', '6" screen'), (r'"AC\DC"', r"AC\DC"), ("\u201eGröße\u201c", "Größe"), ("[5]", "5"), ("one; two", "one; two"), ("`x`", "x"), (r"Smith\, Kline", "Smith, Kline"),
        ("'Ben & Jerry''s'", "Ben & Jerry's"), (r"'Ben & Jerry\'s'", "Ben & Jerry's"), ("null", "null"), ("'[unknown]'", "[unknown]"),
    ],
)  # fmt: skip
def test_one_value_may_hold_what_lists_are_written_with(text, value):
    catalogue = Catalogue(Target.ITEM, 2, {"B": encode_column(pa.array([value, "other"]), Kind.LABEL)})
    for condition in ("Items.B IN ($B)", "Items.B = $B"):
        bound = filters.bind(filters.parse(f"INCLUDE ItemID WHERE {condition}"), {"B": text})
        assert filters.mask(bound, catalogue).tolist() == [True, False]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r'"Sci-Fi\/Fantasy"', "Sci-Fi/Fantasy"), (r'"Gr\u00f6\u00dfe"', "Größe"), (r'"\ud83d\ude00"', "\U0001f600"), (r"Gr\u00f6\u00dfe", "Größe"),
        (r'"Ben & Jerry\'s"', "Ben & Jerry's"), ('"Ben &amp; Jerry&#39;s"', "Ben & Jerry's"), ("R%26B", "R&B"), ('"R%26B"', "R&B"),
        ('"Gro\u0308ße"', "Größe"), ('"Größe"', "Gro\u0308ße"), (r'"C:\\new"', r"C:\new"), ('"%C3%89t%C3%A9"', "Été"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("condition", ["Items.B IN ($B)", "Items.B = $B"])
def test_a_value_that_was_escaped_once_more_or_has_other_accents_is_found(text, value, condition):
    for verb, expected in (("INCLUDE", [0]), ("EXCLUDE", [1])):
        catalogue = Catalogue(Target.ITEM, 2, {"B": encode_column(pa.array([value, "other"]), Kind.LABEL)})
        assert kept(f"{verb} ItemID WHERE {condition}", {"B": text}, catalogue) == expected
        exact = Catalogue(Target.ITEM, 2, {"B": encode_column(pa.array([text.strip('"'), value]), Kind.LABEL)})
        assert (
            kept(f"{verb} ItemID WHERE {condition}", {"B": text}, exact) == expected
        )  # as it stands, where a row holds that
    both = Catalogue(Target.ITEM, 3, {"B": encode_column(pa.array([value, "other", "third"]), Kind.LABEL)})
    assert kept(
        "EXCLUDE ItemID WHERE Items.B IN ($B)", {"B": f'{text},"other"' if '"' in text else f"{text},other"}, both
    ) == [2]


@pytest.mark.parametrize(
    "text",
    [
        "'Comedy",
        "'Comedy,'Drama'",
        "Comedy,'Drama'",
        '6" screen',
        '{"a": 1}',
        "[]",
        "[[1]]",
        ",",
        'Comedy"',
        "'Comedy\",\"Drama'",
        '"Comedy" "Drama"',
        '"Comedy";"Drama"',
    ],
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


CODES = ["00042", "42", "1e5", "100000", "0x10", "9148955329465708066", "9148955329465708067", "null", "NaN", "1,000"]


@pytest.mark.parametrize("condition", ["Items.CODE IN ($C)", "Items.CODE = $C"])
@pytest.mark.parametrize("code", CODES)
def test_codes_are_compared_as_text(condition, code):
    catalogue = Catalogue(Target.ITEM, len(CODES), {"CODE": encode_column(pa.array(CODES), Kind.LABEL)})
    bound = filters.bind(filters.parse(f"INCLUDE ItemID WHERE {condition}"), {"C": f'"{code}"'})
    assert [CODES[row] for row in filters.mask(bound, catalogue).nonzero()[0]] == [code]
    literal = filters.bind(filters.parse("INCLUDE ItemID WHERE " + condition.replace("$C", '"' + code + '"')))
    assert filters.mask(literal, catalogue).tolist() == filters.mask(bound, catalogue).tolist()


@pytest.mark.parametrize("text", ["9148955329465708066", '"9148955329465708066"', "[9148955329465708066]"])
@pytest.mark.parametrize("condition", ["Items.PRICE = $P", "Items.PRICE IN ($P)", "Items.PRICE != $P"])
def test_numbers_that_floats_do_not_hold_exactly_are_refused(condition, text):
    with pytest.raises(FilterError, match=r"numbers beyond 2\^53 are not exact"):
        kept(f"INCLUDE ItemID WHERE {condition}", {"P": text})
    assert kept("INCLUDE ItemID WHERE Items.PRICE < $P", {"P": text})


@pytest.mark.parametrize("text", ["1_000", "\u0665", "0x10", "NaN", "Infinity"])
def test_what_files_do_not_hold_as_numbers_is_none(text):
    with pytest.raises(FilterError, match="needs numbers"):
        kept("INCLUDE ItemID WHERE Items.PRICE = $P", {"P": text})


def test_a_list_in_one_pair_of_quotes_is_one_value_where_rows_hold_it_and_refused_where_one_is_wanted():
    brands = Catalogue(Target.ITEM, 3, {"B": encode_column(pa.array(["Smith, Kline", "Smith", "Kline"]), Kind.LABEL)})
    bound = filters.bind(filters.parse("INCLUDE ItemID WHERE Items.B IN ($B)"), {"B": '"Smith, Kline"'})
    assert filters.mask(bound, brands).tolist() == [True, False, False]
    other = filters.bind(filters.parse("EXCLUDE ItemID WHERE Items.B IN ($B)"), {"B": '"Kline, Smith"'})
    assert filters.mask(other, brands).tolist() == [True, False, False]
    for text in ('"Comedy, Drama"', "Comedy,Drama"):
        with pytest.raises(FilterError, match="needs one value, not 2"):
            kept("EXCLUDE ItemID WHERE Items.GENRE = $G", {"G": text})


@pytest.mark.parametrize("unit", [1, 10**3, 10**6, 10**9], ids=["s", "ms", "us", "ns"])
@pytest.mark.parametrize("written", ["literal", "value", "quoted value"])
def test_a_time_of_creation_is_compared_in_whatever_unit_it_is_given(unit, written):
    catalogue = Catalogue(Target.ITEM, 3, {"CREATION_TIMESTAMP": Numeric(np.array([1.6e9, 1.65e9, np.nan]))})
    limit = str(1_620_000_000 * unit)
    text = f"INCLUDE ItemID WHERE Items.CREATION_TIMESTAMP > {limit if written == 'literal' else '$T'}"
    assert kept(
        text, None if written == "literal" else {"T": f'"{limit}"' if "q" in written else limit}, catalogue
    ) == [1]
