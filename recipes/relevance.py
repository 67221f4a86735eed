"""The relevance engine's fitted side: a blend of ridges, a network, metadata, popularity and repeat rates scores a catalogue.

Serving needs numpy and scipy only: torch is loaded by fitting, never by answering.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recipes.answering import Answering
from recipes.audience import Audience
from recipes.base import Contribution, Floats, Model, Recipe, State
from recipes.blending import Blend, Parts
from recipes.circumstances import Circumstances
from recipes.data import Histories
from recipes.recurrence_scorer import RecurrenceScorer
from recipes.repeats import seen_items
from recipes.sequence_ridge import Kernel, SequenceRidge
from recipes.transitions import Transitions

if TYPE_CHECKING:
    from recipes.selection import Plan

UNKNOWN = -30.0  # added to the logarithm of items that nothing is known about
Tensors: TypeAlias = dict[str, NDArray[Any]]


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


@dataclass(frozen=True)
class Likeness:
    """A ridge that speaks through neighbours in content."""

    ridge: SequenceRidge
    content: sp.csr_matrix

    def score(self, histories: Histories) -> Floats:
        """(B, N) weighted means of the ridge's scores."""
        scores: Floats = self.ridge.score(histories) @ self.content
        return scores


@dataclass
class Components:
    """The fitted parts of a model and how they are mixed.

    Attributes:
        ridges, transitions, audience, network: see their modules; `ridges` by the names the blend uses.
        content: (N, N) sparse neighbours in content, through which the ridge called `source` speaks, or None.
        circumstances: what a request's context says, or None.
        plan: what was chosen, for fitting the same on more events; it is not stored.
    """

    ridges: dict[str, SequenceRidge] = field(default_factory=dict)
    transitions: Transitions | None = None
    audience: Audience | None = None
    network: RecurrenceScorer | None = None
    content: sp.csr_matrix | None = None
    source: str = ""
    blend: Blend = field(default_factory=Blend)
    circumstances: Circumstances | None = None
    plan: Plan | None = None

    def linear(self, histories: Histories) -> dict[str, Floats]:
        """(B, N) scores of all parts that add up."""
        scores = {name: ridge.score(histories) for name, ridge in self.ridges.items()}
        for name, part in self.others().items():
            scores[name] = scores[self.source] @ part.content if isinstance(part, Likeness) else part.score(histories)
        return scores

    def enlarged(self, num_items: int, neighbours: sp.csr_matrix | None) -> Components:
        """The same over a catalogue to which items were added; the network learns of them through `neighbours`, if any."""
        ridges = {
            name: SequenceRidge.of(ridge.kernel, ridge.weights, ridge.members, num_items)
            for name, ridge in self.ridges.items()
        }
        transitions = self.transitions and replace(
            self.transitions, matrix=_resized(self.transitions.matrix, num_items)
        )
        content = None if self.content is None else _resized(self.content, num_items)
        audience = self.audience and replace(self.audience, weights=_padded(self.audience.weights.T, num_items).T)
        network = self.network
        if network is not None:
            size = len(network.bias)
            table, bias = _padded(network.table, num_items), _padded(network.bias[:, None], num_items)[:, 0]
            bias[size:] = np.quantile(network.bias, 0.25)
            if neighbours is not None:
                table[size:] = (neighbours.T @ table)[size:]
            network = replace(network, table=table, bias=bias)
        return replace(
            self, ridges=ridges, transitions=transitions, content=content, audience=audience, network=network
        )

    def others(self) -> dict[str, Transitions | Audience | Likeness]:
        """The parts that add up and are no ridges, by the names the blend uses."""
        found: dict[str, Transitions | Audience | Likeness] = {}
        if self.transitions is not None:
            found["transitions"] = self.transitions
        if self.audience is not None:
            found["audience"] = self.audience
        if self.content is not None:
            found["content"] = Likeness(self.ridges[self.source], self.content)
        return found


class RelevanceModel(Model):
    """A blend of components over one catalogue."""

    def __init__(self, recipe: Recipe, num_items: int, components: Components, priors: Priors, rates: Floats) -> None:
        """Keep the fitted parts; `rates` as `recipes.repeats` makes them."""
        super().__init__(recipe, num_items)
        self.components = components
        self.priors = priors
        self.rates = rates

    def score(self, histories: Histories) -> Floats:
        """(B, N) log-probability-like scores; empty histories get what is popular of late, or with people like them."""
        if not len(histories):
            return np.zeros((0, self.num_items), np.float32)
        scores = self._answering.score(histories)
        empty = np.flatnonzero(np.diff(histories.offsets) == 0)
        if len(empty):
            scores[empty] = self._fallback(histories.user_index[empty])
        if histories.context and self.components.circumstances is not None:
            lift = self.components.circumstances.lift(histories.context)
            scores += 0 if lift is None else lift
        return scores

    @cached_property
    def _answering(self) -> Answering:
        return Answering(self.components, self.priors, self.rates)

    def parts(self, histories: Histories) -> Parts:
        """The components' scores."""
        shape = (len(histories), self.num_items)
        linear = self.components.linear(histories)
        weights = self.components.blend.logarithmic
        constant = {"popularity": self.priors.popularity, "trend": self.priors.trend}
        logarithmic = {name: np.broadcast_to(row, shape) for name, row in constant.items() if weights.get(name)}
        if self.components.network is not None:
            logarithmic["network"] = self.components.network.score(histories)
        if not linear and not logarithmic:
            logarithmic["popularity"] = np.broadcast_to(self.priors.popularity, shape)
        seen = seen_items(histories, self.num_items)
        return Parts(linear, logarithmic, seen, self.rates[seen.lag, seen.count])

    def explain(self, history: Histories, item: int) -> list[Contribution]:
        """Exact where only sums speak: each event's share of the score above the same without a history."""
        if not len(history.item_index) or not self.components.ridges or self.components.network is not None:
            return super().explain(history, item)
        shares = self._shares(history, item)
        parts = self.parts(history)
        total = float(self.components.blend.mix(parts)[0, item])
        bare = float(self.components.blend.mix(_without_history(parts))[0, item])
        explained = float(shares.sum())
        scale = (total - bare) / explained if abs(explained) > 1e-12 else 0.0
        if scale <= 0:  # repeats outweigh the sum; leaving events out is then the better account
            return super().explain(history, item)
        weights = [Contribution(position, float(share) * scale) for position, share in enumerate(shares)]
        weights.append(Contribution(-1, bare, "popularity"))
        return sorted(weights, key=lambda contribution: -contribution.weight)

    def _shares(self, history: Histories, item: int) -> Floats:
        """(E,) what each event adds to the linear sum for `item`."""
        parts, weights = self.components, self.components.blend.linear
        shares = np.zeros(len(history.item_index), np.float32)
        for name, ridge in parts.ridges.items():
            shares += np.float32(weights.get(name, 0.0)) * ridge.contributions(history, item)
        if parts.transitions is not None:
            shares += np.float32(weights.get("transitions", 0.0)) * parts.transitions.contributions(history, item)
        if parts.content is not None:
            column = parts.content[:, [item]].tocoo()
            for neighbour, weight in zip(column.row, column.data, strict=True):
                known = parts.ridges[parts.source].contributions(history, int(neighbour))
                shares += np.float32(weights.get("content", 0.0) * weight) * known
        return shares

    def _fallback(self, users: NDArray[np.int64]) -> Floats:
        fallback = np.repeat(self.priors.fallback[None, :], len(users), axis=0)
        if self.components.audience is not None:
            none = np.zeros(0, np.int64)
            asked = Histories(np.zeros(len(users) + 1, np.int64), none, none, none.astype(np.int16), users)
            shares = np.maximum(self.components.audience.score(asked), 1e-9)
            fallback[users >= 0] += 0.5 * (np.log(shares) - self.priors.popularity)[users >= 0]
        return fallback

    def state(self) -> State:
        """Weights, priors and the blend."""
        parts = self.components
        tensors: Tensors = {f"priors.{name}": value for name, value in vars(self.priors).items()} | {
            "rates": self.rates
        }
        for name, ridge in parts.ridges.items():
            tensors |= {f"ridge.{name}.weights": ridge.weights, f"ridge.{name}.members": ridge.members}
        if parts.transitions is not None:
            tensors |= _sparse_tensors("transitions", parts.transitions.matrix)
        if parts.content is not None:
            tensors |= _sparse_tensors("content", parts.content)
        if parts.audience is not None:
            tensors |= {f"audience.{name}": value for name, value in vars(parts.audience).items()}
        tensors |= parts.circumstances.tensors() if parts.circumstances else {}
        if parts.network is not None:
            tensors |= {"network/table": parts.network.table, "network/bias": parts.network.bias}
            tensors |= {f"network.{name}": value for name, value in parts.network.weights.items()}
        kernels = {name: asdict(ridge.kernel) for name, ridge in parts.ridges.items()}
        values: dict[str, Any] = {"blend": asdict(parts.blend), "kernels": kernels, "source": parts.source}
        values |= {"transitions": asdict(parts.transitions.kernel)} if parts.transitions else {}
        return State(tensors, values | ({"context": parts.circumstances.values()} if parts.circumstances else {}))

    @classmethod
    def from_state(cls, recipe: Recipe, num_items: int, state: State) -> Self:
        """The model again."""
        tensors, values = state.tensors, state.values
        weights = {
            name.removeprefix("network."): value for name, value in tensors.items() if name.startswith("network.")
        }
        components = Components(
            {
                name: SequenceRidge.of(
                    Kernel(**kernel), tensors[f"ridge.{name}.weights"], tensors[f"ridge.{name}.members"], num_items
                )
                for name, kernel in values["kernels"].items()
            },
            Transitions(Kernel(**values["transitions"]), _sparse("transitions", tensors, num_items))
            if "transitions" in values
            else None,
            Audience(tensors["audience.features"], tensors["audience.weights"])
            if "audience.weights" in tensors
            else None,
            RecurrenceScorer(tensors["network/table"], tensors["network/bias"], weights) if weights else None,
            _sparse("content", tensors, num_items) if "content.data" in tensors else None,
            values["source"],
            Blend(**values["blend"]),
            Circumstances.of(values["context"], tensors) if "context" in values else None,
        )
        priors = Priors(**{entry.name: tensors[f"priors.{entry.name}"] for entry in fields(Priors)})
        return cls(recipe, num_items, components, priors, tensors["rates"])


def _sparse_tensors(name: str, matrix: sp.csr_matrix) -> Tensors:
    return {
        f"{name}.data": matrix.data,
        f"{name}.indices": matrix.indices.astype(np.int32),
        f"{name}.indptr": matrix.indptr.astype(np.int64),
    }


def _sparse(name: str, tensors: Tensors, num_items: int) -> sp.csr_matrix:
    parts = tuple(tensors[f"{name}.{part}"] for part in ("data", "indices", "indptr"))
    return sp.csr_matrix(parts, shape=(num_items, num_items))


def _resized(matrix: sp.csr_matrix, size: int) -> sp.csr_matrix:
    offsets = np.pad(matrix.indptr, (0, size - matrix.shape[0]), mode="edge")
    return sp.csr_matrix((matrix.data, matrix.indices, offsets), shape=(size, size))


def _padded(rows: Floats, size: int) -> Floats:
    return np.pad(rows, ((0, size - len(rows)), (0, 0)))


def _without_history(parts: Parts) -> Parts:
    """The same with nothing learned from events, repeats included."""
    silent = {name: np.zeros_like(scores) for name, scores in parts.linear.items()}
    nothing = replace(parts.seen, **{name: getattr(parts.seen, name)[:0] for name in ("row", "item", "lag", "count")})
    return Parts(silent, parts.logarithmic, nothing, parts.rates[:0])
