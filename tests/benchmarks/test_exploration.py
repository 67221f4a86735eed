"""The figures of the simulated markets: ratios to the base seed by seed, and a plot that draws every policy."""

from __future__ import annotations

import re

import numpy as np
import pytest

from benchmarks import table
from benchmarks.exploration import HEAD, compared, merged, plot, row, rows_of
from recipes.simulation import MarketOutcome


def outcome(rate: float) -> MarketOutcome:
    rounds = np.full(9, rate)
    return MarketOutcome(rounds, rounds, np.zeros(9), 0.5)


def test_gains_are_ratios_within_a_seed():
    told = compared([outcome(0.2), outcome(0.3)], [outcome(0.1), outcome(0.3)])
    assert told["last_two"] == pytest.approx(0.5)
    assert told["found"] == pytest.approx(0.5)
    low, high = told["last_two_interval"]
    assert low <= told["last_two"] <= high


def test_a_plot_has_a_line_and_a_name_for_each_policy():
    drawn = plot("fast", {"base": [outcome(0.1), outcome(0.2)], "other": [outcome(0.3), outcome(0.4)]})
    assert {"base", "other"} <= set(re.findall(r">([^<]+)</text>", drawn))
    assert len(re.findall(r'fill="none" stroke="#\w+" stroke-width="2"', drawn)) == 2
    assert drawn.count("<svg") == drawn.count("</svg>") == 1


def test_rows_of_other_worlds_and_policies_stay_on_the_page():
    told = compared([outcome(0.2)], [outcome(0.1)])
    before = [row(world, "random", range(3), told) for world in ("noisy", "fast")]
    page = f"# Results\n\nWords.\n\n{table.markdown(HEAD, before)}\n"
    again = row("noisy", "random", range(7, 9), told)
    assert merged(rows_of(page), [again, row("noisy", "oracle", range(2), told)]) == [
        before[1],
        again,
        row("noisy", "oracle", range(2), told),
    ]
