"""What exploration brings in simulated markets: clicks of every policy against HRNN-Metadata, one JSON line a result and a table.

python -m benchmarks.exploration [--worlds fast,none] [--policies …] [--seeds 10] [--first-seed 1000] [--write]

`--write` puts the rows and a plot of each world into benchmarks/results/; those of other worlds and policies stay.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks import table
from recipes.simulation import WORLDS, MarketOutcome, simulate
from recipes.simulation_policies import POLICIES

BASE = "hrnn-metadata"
DRAWS = 2000  # of the bootstrap over seeds
RESULTS = Path(__file__).parent / "results"
GAINS = {"all": "all rounds", "last_two": "last two", "first_two": "first two", "old_items": "old items"}
HEAD = ["world", "policy", "seeds", *GAINS.values(), "good new found"]
TEXT = (
    "# Exploration in simulated markets\n\nClicks a place over HRNN-Metadata's in the same market, means over seeds and 95 % intervals of "
    "bootstrapped means; see [Exploration in simulated markets](../README.md#exploration-in-simulated-markets).\n\n"
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
    rows = []
    for world in asked.worlds.split(","):
        outcomes = {BASE: [simulate(WORLDS[world], POLICIES[BASE], seed) for seed in seeds]}
        for policy in asked.policies.split(","):
            outcomes[policy] = [simulate(WORLDS[world], POLICIES[policy], seed) for seed in seeds]
            told = compared(outcomes[policy], outcomes[BASE])
            print(json.dumps({"world": world, "policy": policy, "seeds": [seeds[0], seeds[-1]]} | told), flush=True)
            rows.append(row(world, policy, seeds, told))
        if asked.write:
            (RESULTS / f"exploration-{world}.svg").write_text(plot(world, outcomes))
    print(table.markdown(HEAD, rows))
    if asked.write:
        page = RESULTS / "exploration.md"
        page.write_text(TEXT + table.markdown(HEAD, merged(rows_of(page.read_text()), rows)) + "\n")


def rows_of(page: str) -> list[list[str]]:
    """The rows of the table of a page of results, without its head."""
    lines = [line for line in page.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def merged(before: Sequence[list[str]], rows: Sequence[list[str]]) -> list[list[str]]:
    """The rows, and those before of other worlds or policies; in the order of both."""
    places = {name: place for place, name in enumerate([*WORLDS, *POLICIES])}
    found = {(line[0], line[1]): line for line in [*before, *rows]}
    return [found[key] for key in sorted(found, key=lambda key: [places.get(name, len(places)) for name in key])]


def compared(outcomes: Sequence[MarketOutcome], base: Sequence[MarketOutcome]) -> dict[str, object]:
    """Click-through over the base's, seed by seed: means over seeds, and intervals of bootstrapped means."""
    pairs = list(zip(outcomes, base, strict=True))
    gains = {
        "all": [own.rate.mean() / other.rate.mean() - 1 for own, other in pairs],
        "last_two": [own.rate[-2:].mean() / other.rate[-2:].mean() - 1 for own, other in pairs],
        "first_two": [own.rate[:2].mean() / other.rate[:2].mean() - 1 for own, other in pairs],
        "old_items": [np.nanmean(own.old_rate) / np.nanmean(other.old_rate) - 1 for own, other in pairs],
    }
    told: dict[str, object] = {}
    for name, values in gains.items():
        told[name] = float(np.mean(values))
        draws = np.random.default_rng(0).choice(values, (DRAWS, len(values))).mean(axis=1)
        told[f"{name}_interval"] = np.quantile(draws, [0.025, 0.975]).tolist()
    return told | {"found": float(np.mean([own.found for own in outcomes]))}


def row(world: str, policy: str, seeds: Sequence[int], told: Mapping[str, object]) -> list[str]:
    """A line of the table."""
    intervals = [np.asarray(told[f"{name}_interval"]) for name in GAINS]
    gains = [
        f"{told[name]:+.0%} ({low:+.0%} to {high:+.0%})" for name, (low, high) in zip(GAINS, intervals, strict=True)
    ]
    return [
        world,
        policy,
        f"{seeds[0]} to {seeds[-1]}",
        *gains,
        "" if np.isnan(told["found"]) else f"{told['found']:.0%}",
    ]


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
