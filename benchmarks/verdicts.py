"""What the comparison says of simulated pairs of versions: wrong verdicts where there is no difference, effects that are found.

python -m benchmarks.verdicts [--pairs 1000] [--write]

Two versions are evaluated on the same 150 users, whose values go together; the second is better by an effect in standard
deviations of a user's value. Verdicts are Holm-corrected over the metrics of a pair.
"""

from __future__ import annotations

import argparse

import numpy as np

from benchmarks.datasets import ROOT
from recipes.evaluation.evaluate import Evaluation
from recipes.evaluation.significance import compare

METRICS = ("mean_reciprocal_rank_at_25", "precision_at_10", "normalized_discounted_cumulative_gain_at_10")
EFFECTS = (0.0, 0.1, 0.2, 0.4, 0.8)
USERS = 150
RESULTS = ROOT / "benchmarks" / "results" / "verdicts.md"


def a_pair(rng: np.random.Generator, effect: float) -> tuple[Evaluation, Evaluation]:
    """Two versions on the same users; the second is better by `effect` standard deviations."""
    skill = rng.normal(size=(USERS, 1))
    first, second = (skill + rng.normal(size=(USERS, len(METRICS))) for _ in range(2))
    return _evaluation(first), _evaluation(second + effect)


def said(effect: float, pairs: int, seed: int = 3) -> list[set[str]]:
    """For each pair the verdicts on all metrics."""
    rng = np.random.default_rng(seed)
    return [{one.verdict for one in compare(*a_pair(rng, effect))} for _ in range(pairs)]


def _evaluation(values: np.ndarray) -> Evaluation:
    told = {name: values[:, place].astype(np.float32) for place, name in enumerate(METRICS)}
    return Evaluation("same", "amazon", len(values), told, {name: float(v.mean()) for name, v in told.items()}, {})


def main() -> None:
    """Print the table, and write it if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=1000)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    lines = [
        f"# Verdicts on {asked.pairs:,} simulated pairs of versions", "",
        "Shares of pairs, of which a metric or more is called so, and of which all metrics are called better.", "",
        "| effect, standard deviations | better | worse | better by all three metrics |", "|--:|--:|--:|--:|",
    ]  # fmt: skip
    for effect in EFFECTS:
        pairs = said(effect, asked.pairs)
        shares = [sum(word in verdicts for verdicts in pairs) / len(pairs) for word in ("better", "worse")]
        whole = sum(verdicts == {"better"} for verdicts in pairs) / len(pairs)
        lines.append(f"| {effect:g} | {shares[0]:.1%} | {shares[1]:.1%} | {whole:.1%} |")
    text = "\n".join([*lines, ""])
    print(text)
    if asked.write:
        RESULTS.write_text(text)


if __name__ == "__main__":
    main()
