"""What exploration brings in simulated markets: clicks of every policy against HRNN-Metadata, one JSON line a result and a table.

python -m benchmarks.exploration [--worlds fast,none] [--policies …] [--seeds 10] [--first-seed 1000] [--write]

`--write` puts the table and a plot of each world into benchmarks/results/.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recipes.simulation import WORLDS, MarketOutcome, simulate
from recipes.simulation_policies import POLICIES

BASE = "hrnn-metadata"
DRAWS = 2000  # of the bootstrap over seeds
RESULTS = Path(__file__).parent / "results"
HEAD = (
    "| world | policy | seeds | all rounds | last two (95 %) | first two | old items | good new found |\n"
    "|---|---|--:|--:|--:|--:|--:|--:|"
)
WIDTH, HEIGHT, LEFT, TOP = 640, 300, 60, 30
COLOURS = ("#1a5fb4", "#c64600", "#26a269", "#813d9c", "#865e3c", "#5e5c64", "#a51d2d", "#0e8a8a")


def main() -> None:
    """Simulate what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", default=",".join(WORLDS))
    parser.add_argument("--policies", default=",".join(name for name in POLICIES if name != BASE))
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=1000)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    seeds = range(asked.first_seed, asked.first_seed + asked.seeds)
    table = [HEAD]
    for world in asked.worlds.split(","):
        outcomes = {BASE: [simulate(WORLDS[world], POLICIES[BASE], seed) for seed in seeds]}
        for policy in asked.policies.split(","):
            outcomes[policy] = [simulate(WORLDS[world], POLICIES[policy], seed) for seed in seeds]
            told = compared(outcomes[policy], outcomes[BASE])
            print(json.dumps({"world": world, "policy": policy, "seeds": asked.seeds} | told), flush=True)
            table.append(_row(world, policy, asked.seeds, told))
        if asked.write:
            (RESULTS / f"exploration-{world}.svg").write_text(plot(world, outcomes))
    print("\n".join(table))
    if asked.write:
        (RESULTS / "exploration.md").write_text("\n".join(["# Exploration in simulated markets", "", *table, ""]))


def compared(outcomes: Sequence[MarketOutcome], base: Sequence[MarketOutcome]) -> dict[str, object]:
    """Click-through over the base's, seed by seed; means over seeds, and a bootstrap interval of the last two rounds."""
    pairs = list(zip(outcomes, base, strict=True))
    last = np.array([own.rate[-2:].mean() / other.rate[-2:].mean() - 1 for own, other in pairs])
    draws = np.random.default_rng(0).choice(last, (DRAWS, len(last))).mean(axis=1)
    old = [np.nanmean(own.old_rate) / np.nanmean(other.old_rate) - 1 for own, other in pairs]
    return {
        "all": float(np.mean([own.rate.mean() / other.rate.mean() - 1 for own, other in pairs])),
        "last_two": float(last.mean()),
        "last_two_interval": np.quantile(draws, [0.025, 0.975]).tolist(),
        "first_two": float(np.mean([own.rate[:2].mean() / other.rate[:2].mean() - 1 for own, other in pairs])),
        "old_items": float(np.mean(old)),
        "found": float(np.mean([own.found for own in outcomes])),
    }


def _row(world: str, policy: str, seeds: int, told: Mapping[str, object]) -> str:
    low, high = np.asarray(told["last_two_interval"])
    return (
        f"| {world} | {policy} | {seeds} | {told['all']:+.0%} | {told['last_two']:+.0%} ({low:+.0%} to {high:+.0%}) "
        f"| {told['first_two']:+.0%} | {told['old_items']:+.0%} | {told['found']:.0%} |"
    )


def plot(world: str, outcomes: Mapping[str, Sequence[MarketOutcome]]) -> str:
    """Clicks a place by round of each policy as SVG: the mean over seeds, and bars of two standard errors."""
    rates = {name: np.array([outcome.rate for outcome in found]) for name, found in outcomes.items()}
    highest = 1.1 * max(float(values.mean(axis=0).max()) for values in rates.values())
    rounds = len(next(iter(rates.values()))[0])
    box = f'viewBox="0 0 {WIDTH + 230} {HEIGHT + TOP + 50}" font-family="sans-serif" font-size="12"'
    title = f"Clicks a place by round, world “{world}”"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {box}>',
        f'<text x="{LEFT}" y="18" font-size="14">{title}</text>',
    ]
    for level in np.linspace(0, highest, 5).tolist():
        y = _y(level, highest)
        parts.append(f'<path d="M{LEFT} {y}H{WIDTH}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{level:.0%}</text>')
    for place in range(rounds):
        parts.append(f'<text x="{_x(place, rounds)}" y="{HEIGHT + TOP + 18}" text-anchor="middle">{place + 1}</text>')
    for number, (name, values) in enumerate(rates.items()):
        parts += _line(name, values, number, highest)
    return "\n".join([*parts, "</svg>", ""])


def _line(name: str, values: NDArray[np.float64], number: int, highest: float) -> list[str]:
    colour, mean = COLOURS[number % len(COLOURS)], values.mean(axis=0)
    error = 2 * values.std(axis=0) / max(1.0, len(values) - 1) ** 0.5
    points = [
        (_x(place, len(mean)), rate, spread) for place, (rate, spread) in enumerate(zip(mean, error, strict=True))
    ]
    path = "L".join(f"{x} {_y(rate, highest)}" for x, rate, _ in points)
    bars = [
        f'<path d="M{x} {_y(rate - spread, highest)}V{_y(rate + spread, highest)}" stroke="{colour}" stroke-opacity="0.5"/>'
        for x, rate, spread in points
    ]
    legend = f'<text x="{WIDTH + 20}" y="{TOP + 20 + 20 * number}" fill="{colour}">{name}</text>'
    return [f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>', *bars, legend]


def _x(place: int, rounds: int) -> float:
    return round(LEFT + 10 + (WIDTH - LEFT - 20) * place / max(1, rounds - 1), 1)


def _y(value: float, highest: float) -> float:
    return round(TOP + HEIGHT * (1 - max(0.0, value) / highest), 1)


if __name__ == "__main__":
    main()
