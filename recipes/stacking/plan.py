"""What was chosen for a data set: enough to fit the same stack on more events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from recipes.recurrent.scorer import RecurrentScorer
from recipes.recurrent.shape import Shape
from recipes.stacking.base_models import BaseModel
from recipes.stacking.meta_model import MetaModel


@dataclass(frozen=True)
class TrainedNetwork:
    """A trained network as it scores, and as it can be trained on."""

    scorer: RecurrentScorer
    shape: Shape
    snapshot: object


@dataclass(frozen=True)
class Plan:
    """The chosen base models and their weights.

    Attributes:
        base_models: those that read events, by name.
        weights: of each of them in the sum that the meta-model calls "history".
        meta: weights of that sum and of everything else.
        network: trained without the held-out events, or None.
        seconds: that trying took, which is longer than fitting the chosen ones.
        max_events: how many there was time to learn from, None if all.
    """

    base_models: Mapping[str, BaseModel] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)
    meta: MetaModel = field(default_factory=MetaModel)
    network: TrainedNetwork | None = None
    seconds: float = 0.0
    max_events: int | None = None
