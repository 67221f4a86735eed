"""Verdicts on simulated pairs of versions: few wrong ones, every large effect found, and segments judged together."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.verdicts import said
from recipes.evaluation.significance import matrix


def test_a_version_that_is_no_better_is_seldom_called_so():
    pairs = said(0.0, 100)
    assert sum("better" in verdicts for verdicts in pairs) <= 5
    assert sum("worse" in verdicts for verdicts in pairs) <= 5


@pytest.mark.parametrize(("effect", "verdict"), [(0.8, "better"), (-0.8, "worse")])
def test_every_large_effect_is_found(effect, verdict):
    assert all(verdicts == {verdict} for verdicts in said(effect, 100))


def test_segments_without_any_difference_are_seldom_told_apart():
    rng, wrong = np.random.default_rng(5), 0
    for _ in range(40):
        users = rng.normal(size=200)
        differences = {f"{n}": np.where(rng.random(200) < 0.3, users, np.nan).astype(np.float32) for n in range(20)}
        wrong += any(cell.verdict != "no difference shown" for cell in matrix(differences).values())
    assert wrong <= 4


def test_the_segment_that_differs_is_named():
    rng = np.random.default_rng(6)
    values = rng.normal(size=400).astype(np.float32)
    segments = {
        f"{n}": np.where(np.arange(400) % 8 == n, values - (2.0 if n == 3 else 0.0), np.nan).astype(np.float32)
        for n in range(8)
    }
    found = matrix(segments | {"nobody": np.full(400, np.nan, np.float32)})
    assert [name for name, cell in found.items() if cell.verdict == "worse"] == ["3"]
    assert found["3"].low < -2.0 < found["3"].high
    assert "nobody" not in found
    assert all(cell.adjusted >= 0 and cell.low <= cell.difference <= cell.high for cell in found.values())
