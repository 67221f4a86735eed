"""The gated linear recurrence as a component: logits of the next item, by a network that reads the newest events in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recipes.components.contract import Component, Correction, Tensors, Values, padded
from recipes.data import Histories
from recipes.numerics.arrays import Floats, Indexes
from recipes.numerics.candidates import are_many
from recipes.numerics.quantization import Quantized
from recipes.recurrent.scorer import RecurrentScorer
from recipes.recurrent.state_cache import StateCache
from recipes.run import Run

QUANTIZED = ("words", "codes", "spread")
NEW_ITEM_BIAS = 0.25  # an item added since training is thought as popular as this quantile of the others


@dataclass(frozen=True)
class Recurrent(Component):
    """A trained network and its weight."""

    key: ClassVar[str] = "recurrent"

    network: RecurrentScorer
    weight: float = 1.0

    @property
    def constant(self) -> Floats | None:
        """(N,) the weighted biases."""
        return np.float32(self.weight) * self.network.bias

    @property
    def reads_item_metadata(self) -> bool:
        """True: metadata are part of the item embeddings."""
        return True

    def is_additive(self, item: int) -> bool:
        """False: what an event adds depends on those before it."""
        return False

    def add_scores(self, scores: Floats, histories: Histories) -> None:
        """Add the weighted products of the predicted states with all items' embeddings; a row without events has state 0."""
        scores += self.network.logits_without_bias(np.float32(self.weight) * self.network.hidden(histories))

    def add_to_row(self, scores: NDArray[np.float32], history: Histories) -> None:
        """The same for one history."""
        scores += self.network.table @ (self.network.hidden(history)[0] * np.float32(self.weight))

    @property
    def approximates(self) -> bool:
        """Whether the item table is quantised."""
        return self.network.quantized is not None

    def add_approximately(self, scores: NDArray[np.float32], history: Histories) -> Correction | None:
        """Add products with the quantised item table, if there is one."""
        quantized, table = self.network.quantized, self.network.table
        if quantized is None:
            return super().add_approximately(scores, history)
        state = self.network.hidden(history)[0] * np.float32(self.weight)
        quantized.add_products(scores, state)

        def lacking(items: Indexes) -> NDArray[np.float32]:
            exact = (table @ state)[items] if are_many(len(items), len(table)) else table.take(items, axis=0) @ state
            return np.asarray(exact - quantized.products(items, state))

        return lacking

    def tensors(self) -> Tensors:
        """The item table, the network's parameters, cached states of users, and the table's words and codes."""
        network, key = self.network, self.key
        stored: Tensors = {f"{key}.table": network.table, f"{key}.bias": network.bias}
        stored |= {f"{key}.weights.{name}": value for name, value in network.weights.items()}
        if network.cache is not None:
            stored |= {
                f"{key}.history_hashes": network.cache.hashes,
                f"{key}.user_states": network.cache.states,
            }
        if network.quantized is not None:
            stored |= {f"{key}.quantized.{name}": getattr(network.quantized, name) for name in QUANTIZED}
        return stored

    def values(self) -> Values:
        """The weight."""
        return {"weight": self.weight}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, NDArray[Any]], values: Values, num_items: int) -> Self:
        """The component again."""
        key, prefix = cls.key, f"{cls.key}.weights."
        weights = {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
        hashes = tensors.get(f"{key}.history_hashes")
        cached = None if hashes is None else StateCache(hashes, tensors[f"{key}.user_states"])
        is_quantized = f"{key}.quantized.codes" in tensors
        quantized = Quantized(*(tensors[f"{key}.quantized.{name}"] for name in QUANTIZED)) if is_quantized else None
        network = RecurrentScorer(tensors[f"{key}.table"], tensors[f"{key}.bias"], weights, cached, quantized)
        return cls(network, values["weight"])

    def enlarged(self, num_items: int, neighbours: sp.csr_matrix | None) -> Self:
        """Added items get the mean embedding of their `neighbours`, if any, and a low quantile of the biases."""
        size = len(self.network.bias)
        table, bias = padded(self.network.table, num_items), padded(self.network.bias, num_items)
        bias[size:] = np.quantile(self.network.bias, NEW_ITEM_BIAS)
        if neighbours is not None:
            table[size:] = (neighbours.T @ table)[size:]
        return replace(self, network=self.network.with_items(table, bias))

    def prepared(self, histories: Histories, run: Run) -> Self:
        """Quantise the item table of a large catalogue; read all users' histories and cache the states."""
        network = self.network.with_quantized_table(run)
        return replace(self, network=network.with_cached_states(histories, run))

    def forget_users(self, users: Indexes) -> Self:
        """Blank the users' cached states, and the hashes of their histories."""
        cached = self.network.cache
        if cached is None:
            return self
        return replace(self, network=replace(self.network, cache=cached.forget_users(users)))
