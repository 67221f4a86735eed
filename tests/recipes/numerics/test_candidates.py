"""Candidatess: the best of the allowed items, all of them where they are few, and what is always wanted."""

from __future__ import annotations

import numpy as np
import pytest

from recipes.numerics.candidates import FEW, LONGEST, SIZE, Candidates, are_many

ITEMS = 20 * SIZE


@pytest.fixture(scope="module")
def scores():
    return np.random.default_rng(0).standard_normal(ITEMS).astype(np.float32)


def shares(share: float) -> np.ndarray:
    return np.random.default_rng(1).random(ITEMS) < share


def test_it_works(scores):
    chosen = Candidates().choose(scores)
    best = np.sort(np.argsort(-scores)[: len(chosen)])
    assert len(chosen) == pytest.approx(SIZE, rel=0.1)
    assert np.array_equal(chosen, best)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.999])
def test_as_many_are_chosen_of_those_that_a_filter_passes(scores, share):
    allowed = shares(share)
    chosen = Candidates(allowed).choose(scores)
    assert allowed[chosen].all()
    assert len(chosen) == pytest.approx(SIZE, rel=0.1)
    assert scores[chosen].min() >= np.delete(scores, chosen)[np.delete(allowed, chosen)].max()


@pytest.mark.parametrize("share", [0, 0.01, 0.1])
def test_all_are_chosen_where_few_are_allowed(scores, share):
    allowed = shares(share)
    assert allowed.sum() <= FEW
    assert np.array_equal(Candidates(allowed).choose(scores), np.flatnonzero(allowed))


def test_a_filter_whose_items_the_sample_misses_loses_none(scores):
    allowed = np.arange(ITEMS) % 4 == 1
    assert allowed.sum() > FEW
    assert np.array_equal(Candidates(allowed).choose(scores), np.flatnonzero(allowed))


def test_what_is_always_wanted_is_chosen_wherever_it_stands(scores):
    allowed, worst = shares(0.01), np.argsort(scores)[:5]
    before = allowed.copy()
    assert set(worst) <= set(Candidates(None, worst).choose(scores))
    assert set(worst) <= set(Candidates(allowed, worst).choose(scores))
    assert np.array_equal(allowed, before)


def test_of_what_is_wanted_as_far_as_it_may_be_drawn_the_hopeless_is_not_chosen(scores):
    order, allowed = np.argsort(-scores), shares(0.5)
    wanted = order[SIZE * 2 :: 1000]
    lacking = scores[order[LONGEST - 1]] - scores[wanted]
    above = (lacking + np.where(np.arange(len(wanted)) % 2, 0.01, -0.01)).astype(np.float32)
    assert np.isin(wanted, Candidates(None, wanted, above).choose(scores)).tolist() == [
        place % 2 == 1 for place in range(len(wanted))
    ]
    assert allowed[Candidates(allowed, wanted, above + 9).choose(scores)].all()


def test_equal_scores_are_all_chosen():
    assert len(Candidates().choose(np.zeros(ITEMS, np.float32))) == ITEMS


def test_candidates_are_too_many_where_they_save_nothing():
    assert are_many(ITEMS, ITEMS)
    assert not are_many(SIZE, ITEMS)
