"""Titles of lists of items, from the items' own words."""

from __future__ import annotations

import pyarrow as pa
import pytest

from recipes.columns import Kind, encode_column
from recipes.content.themes import NAMELESS, Themes

TITLES = [
    "RED HOT WATER BOTTLE", "CREAM HOT WATER BOTTLE", "HOT WATER BOTTLE WITH OWL", "HAND WARMER OWL", "HAND WARMER FOX",
    "METAL SIGN KITCHEN", "METAL SIGN GARDEN", "CHRISTMAS PAPER CHAIN", "CHRISTMAS BUNTING", "BUNTING SPOTTY",
]  # fmt: skip
KINDS = ["Winter|Home"] * 5 + ["Home"] * 2 + ["Party"] * 3


def themes(texts=None):
    columns = {
        "NAME": encode_column(pa.array(TITLES), Kind.LABEL),
        "KIND": encode_column(pa.array(KINDS), Kind.CATEGORICAL),
        "PRICE": encode_column(pa.array([1.0] * 10)),
    }
    if texts:
        columns["TEXT"] = encode_column(pa.array(texts), Kind.TEXT)
    return Themes.of(columns, len(TITLES), "name")


def test_it_names_what_is_shared_here_and_rare_elsewhere():
    found = themes().name([0, 1, 2, 3])
    assert found.text == "Winter and Home: Hot Water Bottle, Owl"
    assert len(found.relevance) == 4
    assert all(0 < score <= 1.0001 for score in found.relevance)
    assert found.relevance[0] > found.relevance[3]


def test_lists_have_titles_of_their_own():
    named = themes()
    assert [named.name(items).text for items in ([5, 6], [7, 8, 9])] == [
        "Home: Metal Sign",
        "Party: Christmas, Bunting",
    ]


def test_equal_lists_get_equal_titles():
    assert themes().name([3, 4, 7]) == themes().name([3, 4, 7])


def test_texts_count_without_markup_and_stop_words():
    texts = ["<p>It keeps you warm and cosy</p>"] * 2 + ["Cosy in the cold"] + ["Something"] * 7
    found = themes(texts).name([0, 1, 2])
    assert "Cosy" in found.text
    assert "It" not in found.text.split()


def test_it_does_with_what_is_there():
    named = themes()
    assert named.name([]).text == NAMELESS
    assert named.name([-1, -1]).relevance == [0.0, 0.0]
    assert named.name([9]).text == "Party: Bunting"
    mixed = named.name([0, -1])
    assert mixed.relevance[1] == 0.0 < mixed.relevance[0]


def test_it_rejects_an_unknown_column():
    with pytest.raises(ValueError, match="no column TITLE; there are NAME, KIND, PRICE"):
        Themes.of(
            {
                "NAME": encode_column(pa.array(["a"])),
                "KIND": encode_column(pa.array(["b"])),
                "PRICE": encode_column(pa.array([1.0])),
            },
            1,
            "TITLE",
        )
