"""What exploration brings in a simulated market: clicks of every policy against HRNN-Metadata, one JSON line a result and a table.

python -m benchmarks.exploration [--worlds fast,none] [--policies …] [--seeds 10]
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence

import numpy as np

from recipes.simulation import WORLDS, Outcome, simulate
from recipes.simulation_policies import POLICIES

BASE = "hrnn-metadata"
DRAWS = 2000  # of the bootstrap over seeds


def main() -> None:
    """Simulate what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", default=",".join(WORLDS))
    parser.add_argument("--policies", default=",".join(name for name in POLICIES if name != BASE))
    parser.add_argument("--seeds", type=int, default=10)
    asked = parser.parse_args()
    rows = []
    for world in asked.worlds.split(","):
        base = [simulate(WORLDS[world], POLICIES[BASE], seed) for seed in range(asked.seeds)]
        for policy in asked.policies.split(","):
            outcomes = [simulate(WORLDS[world], POLICIES[policy], seed) for seed in range(asked.seeds)]
            rows.append({"world": world, "policy": policy, "seeds": asked.seeds} | compared(outcomes, base))
            print(json.dumps(rows[-1]), flush=True)
    print(
        "| world | policy | all rounds | last two (95 %) | first two | old items | good new found |\n|---|---|---|---|---|---|---|"
    )
    for row in rows:
        low, high = row["last_two_interval"]
        print(
            f"| {row['world']} | {row['policy']} | {row['all']:+.0%} | {row['last_two']:+.0%} ({low:+.0%} to {high:+.0%}) "
            f"| {row['first_two']:+.0%} | {row['old_items']:+.0%} | {row['found']:.0%} |"
        )


def compared(outcomes: Sequence[Outcome], base: Sequence[Outcome]) -> dict[str, object]:
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


if __name__ == "__main__":
    main()
