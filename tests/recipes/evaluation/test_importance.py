"""Importance of hyperparameters: the one that decides is named, chance is called so."""

from __future__ import annotations

import numpy as np
import pytest

from recipes.evaluation.importance import MIN_TRIALS, importances


def trials(seed: int, count: int = 12):
    """`dial` decides with its best in the middle, `mode` a little, `noise` not at all."""
    rng = np.random.default_rng(seed)
    settings = [
        {"dial": f"{rng.random():.4f}", "noise": str(rng.integers(1, 9)), "mode": str(rng.choice(["a", "b"]))}
        for _ in range(count)
    ]
    values = [
        -4 * (float(one["dial"]) - 0.5) ** 2 + 0.1 * (one["mode"] == "a") + 0.03 * rng.normal() for one in settings
    ]
    return settings, values


@pytest.mark.parametrize("count", [8, 12, 40])
def test_it_names_what_decides(count):
    first = [importances(*trials(seed, count))[0].name for seed in range(20)]
    assert first.count("dial") >= 19


def test_chance_is_seldom_taken_for_importance():
    found = [{one.name: one for one in importances(*trials(seed, 20))}["noise"] for seed in range(100)]
    assert sum(one.p_value < 0.05 for one in found) <= 12


def test_a_line_is_explained_in_full():
    settings = [{"x": str(n), "fixed": "1"} for n in range(8)]
    first, second = importances(settings, [2.0 * n for n in range(8)])
    assert (first.name, first.share, first.p_value) == ("x", pytest.approx(1), pytest.approx(0))
    assert (second.share, second.p_value) == (0, 1)  # it never changed


def test_words_have_a_mean_each():
    settings = [{"mode": word} for word in "abcabcabc"]
    (mode,) = importances(settings, [1, 5, 2, 1.1, 5.1, 2.1, 0.9, 4.9, 1.9])
    assert mode.share > 0.99


def test_too_few_trials_say_nothing():
    settings, values = trials(1, MIN_TRIALS - 1)
    assert importances(settings, values) == []
    assert importances([{"x": str(n)} for n in range(9)], [3.0] * 9) == []
    assert importances([], []) == []
