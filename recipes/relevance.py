"""The relevance engine's fitted side: a blend of ridges, a network, popularity and repeat rates that scores a catalogue.

Serving needs numpy only: torch is loaded by fitting, never by answering.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from recipes.base import Contribution, Floats, Model, Recipe, State
from recipes.blending import Blend, Parts
from recipes.data import Histories
from recipes.recurrence_scorer import RecurrenceScorer
from recipes.repeats import seen_items
from recipes.sequence_ridge import Kernel, SequenceRidge

UNKNOWN = -30.0  # added to the logarithm of items that nothing is known about


@dataclass(frozen=True)
class Priors:
    """What is known of items without a history, each (N,) float32.

    Attributes:
        popularity: log share of the events.
        trend: log of the share among the recent events over the share among all.
        fallback: what an empty history gets.
        unknown: `UNKNOWN` where no component can judge an item, else 0.
    """

    popularity: Floats
    trend: Floats
    fallback: Floats
    unknown: Floats


class RelevanceModel(Model):
    """A blend of components over one catalogue."""

    def __init__(
        self,
        recipe: Recipe,
        num_items: int,
        ridges: dict[str, SequenceRidge],
        network: RecurrenceScorer | None,
        priors: Priors,
        rates: Floats,
        blend: Blend,
    ) -> None:
        """Keep the fitted parts; `ridges` by the names the blend uses, `rates` as `recipes.repeats` makes them."""
        super().__init__(recipe, num_items)
        self.ridges = ridges
        self.network = network
        self.priors = priors
        self.rates = rates
        self.blend = blend

    def score(self, histories: Histories) -> Floats:
        """(B, N) log-probability-like scores; empty histories get what is popular of late."""
        if not len(histories):
            return np.zeros((0, self.num_items), np.float32)
        scores = self.blend.mix(self.parts(histories))
        scores += self.priors.unknown
        scores[np.diff(histories.offsets) == 0] = self.priors.fallback
        return scores

    def parts(self, histories: Histories) -> Parts:
        """The components' scores, those the blend does not use left out."""
        linear = {name: ridge.score(histories) for name, ridge in self.ridges.items() if self.blend.linear.get(name)}
        shape = (len(histories), self.num_items)
        constant = {"popularity": self.priors.popularity, "trend": self.priors.trend}
        logarithmic = {
            name: np.broadcast_to(row, shape) for name, row in constant.items() if self.blend.logarithmic.get(name)
        }
        if self.network is not None:
            logarithmic["network"] = self.network.score(histories)
        if not linear and not logarithmic:
            logarithmic = {"popularity": np.broadcast_to(self.priors.popularity, shape)}
        seen = seen_items(histories, self.num_items)
        return Parts(linear, logarithmic, seen, self.rates[seen.lag, seen.count])

    def explain(self, history: Histories, item: int) -> list[Contribution]:
        """Exact where only ridges speak: each event's share of the score above the same without a history."""
        if not len(history.item_index) or not self.ridges or self.network is not None:
            return super().explain(history, item)
        shares = np.zeros(len(history.item_index), np.float32)
        for name, ridge in self.ridges.items():
            shares += np.float32(self.blend.linear.get(name, 0.0)) * ridge.contributions(history, item)
        total = float(self.score(history)[0, item])
        bare = float(self.blend.mix(_without_history(self.parts(history)))[0, item])
        explained = float(shares.sum())
        scale = (total - bare) / explained if abs(explained) > 1e-12 else 0.0
        if scale < 0:  # the blend turned the sum's sign; leaving events out is then the better account
            return super().explain(history, item)
        weights = [Contribution(position, float(share) * scale) for position, share in enumerate(shares)]
        weights.append(Contribution(-1, bare, "popularity"))
        return sorted(weights, key=lambda contribution: -contribution.weight)

    def state(self) -> State:
        """Weights, priors and the blend."""
        tensors: dict[str, NDArray[Any]] = {f"priors.{name}": value for name, value in vars(self.priors).items()}
        tensors["rates"] = self.rates
        for name, ridge in self.ridges.items():
            tensors |= {f"ridge.{name}.weights": ridge.weights, f"ridge.{name}.members": ridge.members}
        if self.network is not None:
            tensors |= {"network/table": self.network.table, "network/bias": self.network.bias}
            tensors |= {f"network.{name}": value for name, value in self.network.weights.items()}
        kernels = {name: asdict(ridge.kernel) for name, ridge in self.ridges.items()}
        return State(tensors, {"blend": asdict(self.blend), "kernels": kernels})

    @classmethod
    def from_state(cls, recipe: Recipe, num_items: int, state: State) -> Self:
        """The model again."""
        tensors = state.tensors
        ridges = {
            name: SequenceRidge.of(
                Kernel(**kernel), tensors[f"ridge.{name}.weights"], tensors[f"ridge.{name}.members"], num_items
            )
            for name, kernel in state.values["kernels"].items()
        }
        priors = Priors(**{name: tensors[f"priors.{name}"] for name in Priors.__annotations__})
        weights = {
            name.removeprefix("network."): value for name, value in tensors.items() if name.startswith("network.")
        }
        network = RecurrenceScorer(tensors["network/table"], tensors["network/bias"], weights) if weights else None
        return cls(recipe, num_items, ridges, network, priors, tensors["rates"], Blend(**state.values["blend"]))


def _without_history(parts: Parts) -> Parts:
    """The same with nothing learned from events, repeats included."""
    silent = {name: np.zeros_like(scores) for name, scores in parts.linear.items()}
    nothing = replace(parts.seen, **{name: getattr(parts.seen, name)[:0] for name in ("row", "item", "lag", "count")})
    return Parts(silent, parts.logarithmic, nothing, parts.rates[:0])
