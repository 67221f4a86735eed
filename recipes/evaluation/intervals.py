"""How sure a mean over queries is: percentile intervals by the bootstrap, the same draws for every metric.

Source: Efron & Tibshirani 1993, "An Introduction to the Bootstrap", chapter 13 (the percentile interval).
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1000
RESAMPLE_CELLS = 4_000_000  # of bootstrap weights held at a time
Values: TypeAlias = dict[str, NDArray[np.float32]]  # per-query values (Q,) by metric
Interval: TypeAlias = tuple[float, float]


def bootstrap(values: Values, resamples: int = RESAMPLES, seed: int = 0) -> dict[str, Interval]:
    """95 % percentile intervals of the means, by resampling queries; the same draws for all metrics.

    Args:
        values: (Q,) per-query values by metric; NaN is left out.
        resamples: how many draws of Q queries.
        seed: of the draws.
    """
    if not values:
        return {}
    table = np.stack(list(values.values()), axis=1).astype(np.float64)  # (Q, M)
    known = ~np.isnan(table)
    table, size, rng = np.where(known, table, 0), len(table), np.random.default_rng(seed)
    means = []
    for start in range(0, resamples, step := max(1, RESAMPLE_CELLS // max(1, size))):
        count = min(step, resamples - start)
        drawn = rng.integers(0, size, (count, size)) + size * np.arange(count)[:, None]
        weights = np.bincount(drawn.ravel(), minlength=count * size).reshape(count, size).astype(np.float64)
        means.append((weights @ table) / np.maximum(weights @ known, 1))
    low, high = np.quantile(np.concatenate(means), [0.025, 0.975], axis=0)
    return {name: (float(low[place]), float(high[place])) for place, name in enumerate(values)}
