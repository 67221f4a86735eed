"""Product quantisation: approximate products that are near, sums of words, and codes of rows that come later."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recipes.numerics.quantization import PARTS, Quantized
from recipes.run import Run, StopRequested


@pytest.fixture(scope="module")
def rows():
    """In groups, as items are."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((40, 18), np.float32)
    return centres[rng.integers(40, size=5000)] + 0.3 * rng.standard_normal((5000, 18), np.float32)


@pytest.fixture(scope="module")
def quantized(rows):
    return Quantized.of(rows, Run())


def products(quantized: Quantized, vector: np.ndarray) -> np.ndarray:
    total = np.ones(len(quantized.codes), np.float32)
    quantized.add_products(total, vector)
    return total - 1


def test_it_works(rows, quantized):
    vector = np.random.default_rng(1).standard_normal(rows.shape[1]).astype(np.float32)
    exact, near = rows @ vector, products(quantized, vector)
    assert np.corrcoef(exact, near)[0, 1] > 0.97


@pytest.mark.parametrize("seed", range(1, 5))
def test_the_sum_of_exponentials_is_nearly_right(rows, quantized, seed):
    vector = 0.5 * np.random.default_rng(seed).standard_normal(rows.shape[1]).astype(np.float32)
    exact = np.exp(rows @ vector).sum()
    plain = np.exp(products(replace(quantized, spread=0 * quantized.spread), vector)).sum()
    assert plain < 0.96 * exact
    assert np.exp(products(quantized, vector)).sum() == pytest.approx(exact, rel=0.03)


def test_products_are_those_with_the_sums_of_words(rows, quantized):
    vector = np.arange(rows.shape[1], dtype=np.float32)
    sums, quantized = quantized.words[quantized.codes].sum(axis=1), replace(quantized, spread=0 * quantized.spread)
    some = np.array([4, 0, 4999])
    assert quantized.codes.shape == (5000, PARTS)
    assert products(quantized, vector) == pytest.approx(sums @ vector, abs=1e-3)
    assert quantized.products(some, vector) == pytest.approx(sums[some] @ vector, abs=1e-3)


def test_rows_that_come_later_get_the_nearest_words(rows, quantized):
    larger = quantized.extended(np.concatenate([rows, rows[:7]]))
    assert np.array_equal(larger.codes[:5000], quantized.codes)
    assert np.array_equal(larger.codes[5000:], quantized.codes[:7])
    assert larger.words is quantized.words


def test_the_same_seed_gives_the_same_words(rows, quantized):
    again, other = Quantized.of(rows, Run()), Quantized.of(rows, Run(seed=5))
    assert np.array_equal(again.words, quantized.words)
    assert np.array_equal(again.codes, quantized.codes)
    assert not np.array_equal(other.words, quantized.words)


def test_few_rows_are_words_themselves():
    rows = np.arange(12, dtype=np.float32).reshape(3, 4)
    few = Quantized.of(rows, Run())
    assert products(few, np.ones(4, np.float32)) == pytest.approx(rows.sum(axis=1))


def test_it_can_be_stopped(rows):
    def stop(_) -> None:
        raise StopRequested

    with pytest.raises(StopRequested):
        Quantized.of(rows, Run(on_progress=stop))
