"""optimizationObjective: relevance gives way a little to items whose attribute, such as a price or a margin, is high."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from recipes.base import Model, Recipe, State
from recipes.columns import Numeric
from recipes.data import Histories, TrainingData
from recipes.numerics.arrays import Floats, Indexes

SHOWN = 25
STRENGTHS = {"LOW": 0.2, "MEDIUM": 0.5, "HIGH": 1.0}  # of the way from mean relevance to the last shown rank


class Lifted(Model):
    """A model whose scores are lifted by what the items are worth; evaluated as it is served, stored without the lift."""

    def __init__(self, inner: Model, lift: NDArray[np.float32]) -> None:
        """Wrap `inner`; `lift` is (N,), what each item gains as a share of the spread of a row's scores."""
        super().__init__(inner.recipe, inner.num_items)
        self.inner, self.lift = inner, lift

    def score(self, histories: Histories) -> Floats:
        """(B, N) the inner scores plus each item's lift."""
        return lifted(self.inner.score(histories), self.lift)

    def probabilities(self, scores: Floats, items: Indexes | None = None) -> Floats:
        """As the inner model tells them."""
        return self.inner.probabilities(scores, items)

    def forget_users(self, users: Indexes) -> Self:
        """The same around the inner model without the users."""
        return type(self)(self.inner.forget_users(users), self.lift)

    def state(self) -> State:
        """That of the inner model."""
        return self.inner.state()

    @classmethod
    def from_state(cls, recipe: Recipe, num_items: int, state: State) -> Self:  # noqa: ARG003  the contract says it
        """There is no way back: the lift is made of the configuration when a model is loaded."""
        raise TypeError("A lifted model is not stored.")


def with_objective(model: Model, data: TrainingData, objective: dict[str, Any] | None) -> Model:
    """The model as it is served under a wire optimizationObjective; itself where nothing is to be favoured.

    Args:
        model: the fitted model.
        data: what it knows of the items.
        objective: the configuration; None without one.
    """
    lift = lift_of(data, objective)
    return model if lift is None else Lifted(model, lift)


def lift_of(data: TrainingData, objective: dict[str, Any] | None) -> NDArray[np.float32] | None:
    """(N,) the lift that a wire optimizationObjective asks for; None where there is none, or its column is not there.

    An item's worth is its rank among all values, so that one huge price does not drown the rest; unknown ones are average.
    """
    strength = STRENGTHS.get((objective or {}).get("objectiveSensitivity", "OFF"), 0.0)
    column = data.items.get((objective or {}).get("itemAttribute", ""))
    if not strength or not isinstance(column, Numeric):
        return None
    values, known = column.values, ~np.isnan(column.values)
    worth = np.full(len(values), 0.5)
    ordered = np.sort(values[known])
    if len(ordered) > 1:
        places = np.searchsorted(ordered, values[known], "left") + np.searchsorted(ordered, values[known], "right") - 1
        worth[known] = places / 2 / (len(ordered) - 1)
    return (strength * (worth - 0.5)).astype(np.float32)


def lifted(scores: Floats, lift: NDArray[np.float32]) -> Floats:
    """(B, N) scores plus the lift, measured by how far the last shown rank is above the mean of each row.

    Where so few items are known that the last shown one is no better than most, by the scores' standard deviation.
    """
    place = min(SHOWN, scores.shape[1]) - 1
    last = -np.partition(-scores, place, axis=1)[:, place]
    finite = np.isfinite(scores)
    count = np.maximum(finite.sum(axis=1), 1)
    mean = np.where(finite, scores, 0).sum(axis=1) / count
    deviation = np.sqrt(np.where(finite, np.square(scores - mean[:, None]), 0).sum(axis=1) / count)
    spread = np.where(np.isfinite(last), np.maximum(last - mean, deviation), deviation)
    return np.asarray(scores + spread[:, None] * lift, np.float32)
