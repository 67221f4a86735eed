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

from recipes.base import Contribution, Model, Recipe, State
from recipes.components.context import Circumstances
from recipes.components.popularity import Priors
from recipes.components.repeats import seen_items
from recipes.components.sequence_ridge import Kernel, SequenceRidge
from recipes.components.sparse_ridge import Transitions
from recipes.components.user_ridge import Audience
from recipes.data import Histories
from recipes.numerics.arrays import Floats
from recipes.recurrent.scorer import RecurrenceScorer
from recipes.recurrent.state_cache import Remembered
from recipes.run import Run
from recipes.stacking.batch_scoring import Answering
from recipes.stacking.meta_model import Blend, Parts

if TYPE_CHECKING:
    from recipes.stacking.selection import Plan

Tensors: TypeAlias = dict[str, NDArray[Any]]


@dataclass
class Components:
    """The fitted parts of a model and how they are mixed.

    Attributes:
        ridges, transitions: item-to-item weights, dense and sparse, one of each way to read a history; they are added up.
        audience, network: see their modules.
        content: (N, N) sparse neighbours in content, through which that sum speaks too, or None.
        blend: weights of that sum ("history"), of "content", "audience", "network", "popularity" and "trend".
        circumstances: what a request's context says, or None.
        plan: what was chosen, for fitting the same on more events; it is not stored.
    """

    ridges: list[SequenceRidge] = field(default_factory=list)
    transitions: list[Transitions] = field(default_factory=list)
    audience: Audience | None = None
    network: RecurrenceScorer | None = None
    content: sp.csr_matrix | None = None
    blend: Blend = field(default_factory=Blend)
    circumstances: Circumstances | None = None
    plan: Plan | None = None

    def history(self, histories: Histories) -> Floats | None:
        """(B, N) what the events themselves say; None where no component reads them."""
        scores = [part.score(histories) for part in self.reading]
        return np.sum(scores, axis=0, dtype=np.float32) if scores else None

    @property
    def reading(self) -> list[SequenceRidge | Transitions]:
        """The parts that read events."""
        return [*self.ridges, *self.transitions]

    def loudness(self, num_items: int) -> Floats:
        """(N,) what the parts that read events hold for each item, in absolute numbers; 0 for items they never score."""
        total = np.zeros(num_items, np.float32)
        for ridge in self.ridges:
            total[ridge.members] += np.abs(ridge.weights).sum(axis=0)
        for part in self.transitions:
            total += np.bincount(part.matrix.indices, np.abs(part.matrix.data), minlength=num_items).astype(np.float32)
        return total

    def enlarged(self, num_items: int, neighbours: sp.csr_matrix | None) -> Components:
        """The same over a catalogue to which items were added; the network learns of them through `neighbours`, if any."""
        ridges = [SequenceRidge.of(ridge.kernel, ridge.weights, ridge.members, num_items) for ridge in self.ridges]
        transitions = [replace(part, matrix=_resized(part.matrix, num_items)) for part in self.transitions]
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


class RelevanceModel(Model):
    """A blend of components over one catalogue."""

    def __init__(self, recipe: Recipe, num_items: int, components: Components, priors: Priors, rates: Floats) -> None:
        """Keep the fitted parts; `rates` as `recipes.components.repeats` makes them."""
        super().__init__(recipe, num_items)
        self.components = components
        self.priors = priors
        self.rates = rates

    def score(self, histories: Histories) -> Floats:
        """(B, N) log-probability-like scores; empty histories get what is popular of late, or with people like them."""
        if not len(histories):
            return np.zeros((0, self.num_items), np.float32)
        scores = self._answering.score(histories)
        empty: NDArray[np.int64] | tuple[()] = ()
        if len(histories) > 1 or histories.offsets[0] == histories.offsets[1]:
            empty = np.flatnonzero(np.diff(histories.offsets) == 0)
        if len(empty):
            scores[empty] = self._fallback(histories.user_index[empty])
        if histories.context and self.components.circumstances is not None:
            lift = self.components.circumstances.lift(histories.context)
            scores += 0 if lift is None else lift
        return scores

    def prepare(self, histories: Histories, run: Run) -> None:
        """Have the network read everybody's history now."""
        network = self.components.network
        if network is not None:
            self.components.network = network.remembering(histories, run)

    @cached_property
    def _answering(self) -> Answering:
        return Answering(self.components, self.priors, self.rates)

    def parts(self, histories: Histories) -> Parts:
        """The components' scores, each by itself."""
        shape, known = (len(histories), self.num_items), self.components
        scores = {
            "popularity": np.broadcast_to(self.priors.popularity, shape),
            "trend": np.broadcast_to(self.priors.trend, shape),
        }
        history = known.history(histories)
        if history is not None:
            scores["history"] = history
            if known.content is not None:
                scores["content"] = np.asarray(history @ known.content, np.float32)
        if known.audience is not None:
            scores["audience"] = known.audience.score(histories)
        if known.network is not None:
            scores["network"] = known.network.score(histories)
        seen = seen_items(histories, self.num_items)
        return Parts(scores, seen, self.rates[seen.lag, seen.count])

    def explain(self, history: Histories, item: int) -> list[Contribution]:
        """Exact where sums speak: each event's own share of the score; by leaving events out where a network does."""
        if not len(history.item_index) or self.components.network is not None:
            return super().explain(history, item)
        shares = self._shares(history, item)
        if item in history.item_index:
            newest = int(np.flatnonzero(history.item_index == item)[-1])
            seen = seen_items(history, self.num_items)
            rate = self.rates[seen.lag, seen.count][seen.item == item]
            shares[newest] += self.components.blend.of_seen(rate)[0]
        rest = float(self.score(history)[0, item]) - float(shares.sum())
        weights = [Contribution(position, float(share)) for position, share in enumerate(shares)]
        return sorted([*weights, Contribution(-1, rest, "popularity")], key=lambda contribution: -contribution.weight)

    def _shares(self, history: Histories, item: int) -> Floats:
        """(E,) what each event adds to the score of `item`, directly and through the items it is like."""
        parts, weights = self.components, self.components.blend.weights
        shares = np.zeros(len(history.item_index), np.float32)
        for part in parts.reading:
            shares += np.float32(weights.get("history", 0.0)) * part.contributions(history, item)
            if parts.content is not None:
                column = parts.content[:, [item]].tocoo()
                for neighbour, weight in zip(column.row, column.data, strict=True):
                    through = np.float32(weights.get("content", 0.0) * weight)
                    shares += through * part.contributions(history, int(neighbour))
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
        for number, ridge in enumerate(parts.ridges):
            tensors |= {f"ridge.{number}.weights": ridge.weights, f"ridge.{number}.members": ridge.members}
        for number, transitions in enumerate(parts.transitions):
            tensors |= _sparse_tensors(f"transitions.{number}", transitions.matrix)
        if parts.content is not None:
            tensors |= _sparse_tensors("content", parts.content)
        if parts.audience is not None:
            tensors |= {f"audience.{name}": value for name, value in vars(parts.audience).items()}
        tensors |= parts.circumstances.tensors() if parts.circumstances else {}
        if parts.network is not None:
            tensors |= {"network/table": parts.network.table, "network/bias": parts.network.bias}
            tensors |= {f"network.{name}": value for name, value in parts.network.weights.items()}
            tensors |= _remembered_tensors(parts.network.remembered)
        values: dict[str, Any] = {
            "blend": asdict(parts.blend),
            "ridges": [asdict(ridge.kernel) for ridge in parts.ridges],
            "transitions": [asdict(transitions.kernel) for transitions in parts.transitions],
        }
        return State(tensors, values | ({"context": parts.circumstances.values()} if parts.circumstances else {}))

    @classmethod
    def from_state(cls, recipe: Recipe, num_items: int, state: State) -> Self:
        """The model again."""
        tensors, values = state.tensors, state.values
        weights = {
            name.removeprefix("network."): value for name, value in tensors.items() if name.startswith("network.")
        }
        audience = (
            Audience(tensors["audience.features"], tensors["audience.weights"])
            if "audience.weights" in tensors
            else None
        )
        components = Components(
            [
                SequenceRidge.of(
                    Kernel(**kernel), tensors[f"ridge.{number}.weights"], tensors[f"ridge.{number}.members"], num_items
                )
                for number, kernel in enumerate(values["ridges"])
            ],
            [
                Transitions(Kernel(**kernel), _sparse(f"transitions.{number}", tensors, num_items))
                for number, kernel in enumerate(values["transitions"])
            ],
            audience,
            _network(tensors, weights) if weights else None,
            _sparse("content", tensors, num_items) if "content.data" in tensors else None,
            Blend(**values["blend"]),
            Circumstances.of(values["context"], tensors) if "context" in values else None,
        )
        priors = Priors(**{entry.name: tensors[f"priors.{entry.name}"] for entry in fields(Priors)})
        return cls(recipe, num_items, components, priors, tensors["rates"])


def _remembered_tensors(remembered: Remembered | None) -> Tensors:
    return {f"remembered.{name}": value for name, value in vars(remembered).items()} if remembered else {}


def _network(tensors: Tensors, weights: Tensors) -> RecurrenceScorer:
    """The network; older artefacts remember nobody."""
    known = "remembered.prints" in tensors
    remembered = Remembered(tensors["remembered.prints"], tensors["remembered.states"]) if known else None
    return RecurrenceScorer(tensors["network/table"], tensors["network/bias"], weights, remembered)


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
