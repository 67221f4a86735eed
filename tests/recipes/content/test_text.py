"""Texts as vectors: likeness follows the words, and nothing is downloaded."""

from __future__ import annotations

import numpy as np

from recipes.content.text import text_vectors, tf_idf, words

TEXTS = [
    "A red bag for lunch",
    "A blue bag for lunches",
    "Zinc heart candle holder",
    "Candle holders of zinc",
    "",
    "<br>",
]


def test_it_works():
    vectors = text_vectors(TEXTS, 8)
    likeness = vectors @ vectors.T
    assert likeness[0, 1] > 0.5 > likeness[0, 2]
    assert likeness[2, 3] > 0.5
    assert np.allclose(np.linalg.norm(vectors, axis=1), [1, 1, 1, 1, 0, 0], atol=1e-5)


def test_unspaced_scripts_are_read_by_character():
    assert words("東京の夜") == ["東", "京", "の", "夜"]
    vectors = text_vectors(["東京の夜", "東京の朝", "北海道 冬"], 4)
    likeness = vectors @ vectors.T
    assert likeness[0, 1] > likeness[0, 2]


def test_markup_and_endings_do_not_matter():
    assert words("<b>Walking</b> dogs") == words("walk dog")


def test_a_markup_bomb_takes_no_time():
    assert words("<" * 20_000 + "word") == ["word"]


def test_no_words_make_no_features():
    assert tf_idf(["", ""]).shape[0] == 2
    assert not text_vectors(["", ""], 4).any()
