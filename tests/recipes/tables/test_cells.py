"""What cells mean is the same on the fast path of a clean block and on the slow path of a block with a fault."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recipes.tables.amounts import is_plain_number, plain_numbers
from recipes.tables.describe import describe
from recipes.tables.dialect import CsvFormat
from recipes.tables.field import Field
from recipes.tables.quotes import quoting_of
from recipes.tables.rows import BlockReader, ColumnPlan
from recipes.tables.text import Block

NAME = Field("NAME", "string", nullable=True)


def read(cells, field, *, slow=False, decimal=".", **plan):
    """The values of one column; a row of another width sends the block down the slow path."""
    data = "".join(f"x\t{cell}\n" for cell in cells).encode() + (b"odd\tx\ty\n" if slow else b"")
    plans = [ColumnPlan(NAME, 0), ColumnPlan(field, 1, **plan)]
    layout = CsvFormat("\t", decimal=decimal)
    reader = BlockReader([NAME, field], plans, layout, 2)
    found = reader.convert(Block(data, 1, quoting_of(data, layout.marks, whole=True)))
    assert len(found.bad) == slow
    return found.table[field.name].to_pylist()


@pytest.mark.parametrize("slow", [False, True], ids=["fast", "slow"])
@pytest.mark.parametrize(
    ("unit", "cells", "seconds"),
    [
        ("", ["1700000000", "-5"], [1_700_000_000, -5]),
        ("s", ["1700000000.9"], [1_700_000_000]),
        ("ms", ["1700000000999", "-1500"], [1_700_000_000, -2]),
        ("us", ["1700000000999999"], [1_700_000_000]),
        ("ns", ["1700000000999999999"], [1_700_000_000]),
        ("excel", ["25569", "25570.5", "1"], [0, 129_600, -2_209_075_200 + 86_400 - 86_400]),
        ("iso", ["1970-01-02", "1970-01-01T00:00:05Z", "1969-12-31 23:59:59.5"], [86_400, 5, -1]),
        ("%d.%m.%Y %H:%M", ["02.01.1970 00:01", "02.01.1970", "02.01.1970 00:00:30"], [86_460, 86_400, 86_430]),
        ("%d.%m.%Y", ["02.01.1970", "02.01.1970 00:01"], [86_400, 86_460]),
        ("%Y-%m-%d|%d.%m.%Y", ["1970-01-02", "03.01.1970"], [86_400, 172_800]),
        ("iso|ms", ["1970-01-02", "5000"], [86_400, 5]),
        ("%d/%m/%Y", ["31/02/2024", "29/02/2024"], [None, 1_709_164_800]),
        ("%m/%d/%y", ["01/02/70"], [86_400]),
    ],
)  # fmt: skip
def test_times(unit, cells, seconds, slow):
    field = Field("CREATION_TIMESTAMP", "long", nullable=True)
    assert read(cells, field, unit=unit, slow=slow) == seconds


@pytest.mark.parametrize("slow", [False, True], ids=["fast", "slow"])
@pytest.mark.parametrize(
    ("cells", "decimal", "numbers"),
    [
        (["1.5", "-2", "1e3", ".5", "5."], ".", [1.5, -2, 1000, 0.5, 5]),
        (["1,5", "1.234,56", "29,85 €", "€ 3,10"], ",", [1.5, 1234.56, 29.85, 3.1]),
        (["$1,299.00", "1,299", "(12.50)", "12.50-", "45%", "CHF 1'200"], ".", [1299, 1299, -12.5, -12.5, 45, 1200]),
        (["", "NaN", "N/A", r"\N", "much", "1,2,3"], ".", [None] * 6),
    ],
)
def test_numbers_as_people_write_them(cells, decimal, numbers, slow):
    field = Field("PRICE", "float", nullable=True)
    assert read(cells, field, decimal=decimal, slow=slow) == numbers
    assert read(cells, field, slow=slow, decimal=".") if decimal == "." else True


@pytest.mark.parametrize("slow", [False, True], ids=["fast", "slow"])
def test_a_column_may_have_a_decimal_point_of_its_own(slow):
    data = read(["1,5", "2"], Field("PRICE", "float", nullable=True), slow=slow)
    assert data == [None, 2]
    plans = [ColumnPlan(Field("PRICE", "float", nullable=True), 1, decimal=",")]
    reader = BlockReader([plan.field for plan in plans], plans, CsvFormat("\t"), 2)
    found = reader.convert(Block(b"x\t1,5\nx\t2\n" + b"odd\tx\ty\n" * slow, 1, "none"))
    assert found.table["PRICE"].to_pylist() == [1.5, 2]


@pytest.mark.parametrize("slow", [False, True], ids=["fast", "slow"])
@pytest.mark.parametrize(
    ("separator", "cell", "kept"),
    [
        (",", "Sport, Yoga ,Mats", "Sport|Yoga|Mats"),
        (";", "a;b", "a|b"),
        (" ", "Animation Comedy", "Animation|Comedy"),
        (">", "Home > Garden", "Home|Garden"),
        ("json", '["a", "b|c", 3]', "a|b/c|3"),
        ("json", "['a', 'b']", "a|b"),
        ("json", '[{"id": 1, "name": "War"}]', "War"),
        ("json", "no array", "no array"),
        ("", "a,b", "a,b"),
    ],
)
def test_lists_are_kept_with_bars(separator, cell, kept, slow):
    field = Field("GENRES", "string", nullable=True, categorical=True)
    assert read([cell], field, separator=separator, slow=slow) == [kept]


@pytest.mark.parametrize("slow", [False, True], ids=["fast", "slow"])
def test_codes_stay_text_and_the_mark_of_databases_is_nothing(slow):
    cells = ["00042", "9148955329465708066", "1e5", "+49 30", "1.0", r"\N", "None"]
    assert read(cells, Field("CODE", "string", nullable=True), slow=slow) == [*cells[:5], None, "None"]


ODD = st.sampled_from(
    ["5", " 5", "1e3", "1.5", "-1", "1_000", "+7", "٣", "0x1f", "inf", "1e400", "9223372036854775808", "9223372036854775807",
     "9148955329465708066", "true", "Yes", "2024-02-30", "1969-01-01", "1700000000", "1700000000000", "", "null", "é"]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    st.lists(ODD, min_size=1, max_size=5),
    st.sampled_from([("A", "long", ""), ("A", "double", ""), ("A", "boolean", ""), ("CREATION_TIMESTAMP", "long", ""),
                     ("CREATION_TIMESTAMP", "long", "iso"), ("CREATION_TIMESTAMP", "long", "%Y-%m-%d")]),
)  # fmt: skip
def test_both_paths_agree(cells, column):
    name, kind, unit = column
    field = Field(name, kind, nullable=True)
    assert read(cells, field, unit=unit) == read(cells, field, unit=unit, slow=True)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12 kr", 12), ("US$ 1,234.50", 1234.5), ("R$ 12,50", 12.5), ("(3.25)", -3.25), ("\u22123.5", -3.5), ("₹1,23,100.00", 123_100), ("12 %", 12),
        ("1\u202f234,5 €", 1234.5), ("1'234.50 CHF", 1234.5), ("EUR5", 5), ("1.5 zł", 1.5), ("¥1000", 1000), ("7-", -7), ("+4", 4),
    ],
)  # fmt: skip
def test_what_a_preview_takes_for_a_number_is_read_as_one(text, number):
    guess = describe("price", pa.array([text] * 20))
    assert guess.type in {"long", "float"}
    [read] = plain_numbers(pa.array([text]), guess.decimal or ".").to_pylist()
    assert float(read) == number


@pytest.mark.parametrize("text", ["kr5", "INR123", "A5", "5 kg", "1-2", "$", "1.2.3", "€ vier"])
def test_codes_and_measures_are_no_numbers(text):
    assert describe("price", pa.array([text] * 20)).type == "string"
    assert not is_plain_number(plain_numbers(pa.array([text]), ".")[0].as_py())
