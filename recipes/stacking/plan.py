"""What was chosen for a data set: enough to fit the same stack on more events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from recipes.cold_start.calibration import Calibration
from recipes.components.window_kernel import WindowKernel
from recipes.numerics.arrays import Indexes
from recipes.recurrent.scorer import RecurrentScorer
from recipes.recurrent.shape import Shape
from recipes.stacking.base_models import BaseModel
from recipes.stacking.meta_model import MetaModel


@dataclass(frozen=True)
class TrainedNetwork:
    """A trained network as it scores, and as it can be trained on; `sizes` (U,) tells how many events of each user it has read."""

    scorer: RecurrentScorer
    shape: Shape
    snapshot: object
    sizes: Indexes


@dataclass(frozen=True)
class Plan:
    """The chosen base models and their weights.

    Attributes:
        base_models: those that read events, by name.
        weights: of each of them in the sum that the meta-model calls "history".
        meta: weights of that sum and of everything else.
        network: trained without the held-out events, or None; it is not stored.
        seconds: that trying took, which is longer than fitting the chosen ones.
        max_events: how many there was time to learn from, None if all.
        calibration: on which scale new items are; None where they are treated alike.
    """

    base_models: Mapping[str, BaseModel] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)
    meta: MetaModel = field(default_factory=MetaModel)
    network: TrainedNetwork | None = None
    seconds: float = 0.0
    max_events: int | None = None
    calibration: Calibration | None = None

    def values(self) -> dict[str, Any]:
        """What is stored."""
        calibration = None if self.calibration is None else asdict(self.calibration)
        models = {name: asdict(model) for name, model in self.base_models.items()}
        stored = {"base_models": models, "weights": dict(self.weights), "meta": asdict(self.meta)}
        return stored | {"seconds": self.seconds, "max_events": self.max_events, "calibration": calibration}

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """From what was stored."""
        models = {
            name: BaseModel(**model | {"kernel": WindowKernel(**model["kernel"])})
            for name, model in values["base_models"].items()
        }
        calibration = Calibration.of(values["calibration"]) if values["calibration"] else None
        meta = MetaModel(**values["meta"])
        return cls(models, values["weights"], meta, None, values["seconds"], values["max_events"], calibration)
