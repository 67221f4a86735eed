"""Scoring one history, which is what a request asks for: what `Answering` says of it, with as few calls as there are parts.

At some thousand items the calls between the loops cost as much as the loops, so everything that is the same for all histories
is worked out once: what an event of each age counts, where a ridge's items stand in the catalogue, what a seen item gets.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from recipes.components.repeats import COUNTS, LAGS, count_buckets, lag_buckets
from recipes.components.sequence_ridge import RidgeGroup
from recipes.data import Histories
from recipes.numerics.arrays import Floats, Indexes
from recipes.numerics.weighted_rows import Sparse, add_product, add_rows, add_sparse_rows

if TYPE_CHECKING:
    from recipes.stacking.model import Components

OLDEST, MOST = 2 ** (LAGS - 1), 2 ** (COUNTS - 1)  # ages and counts from which on all are alike


class Alone:
    """Scores single histories with `components` mixed by their blend."""

    def __init__(self, components: Components, constant: NDArray[np.float32], of_seen: Floats) -> None:
        """Keep what `Answering` made: what all scores hold, and what seen items get by buckets of age and count."""
        self.components = components
        self.constant = constant
        self.weights = components.blend.weights
        self.of_seen = of_seen

    def score(self, history: Histories) -> Floats:
        """(1, N) scores of a history that is not empty."""
        first, end = history.offsets.tolist()
        items = history.item_index[first:end]
        total = self._of_events(items)
        total += self.constant
        audience, weight = self.components.audience, np.float32(self.weights.get("audience", 0.0))
        if audience is not None and weight:
            total += (audience.of_user(int(history.user_index[0])) * weight) @ audience.weights
        network, weight = self.components.network, np.float32(self.weights.get("network", 0.0))
        if network is not None and weight:
            total += network.table @ (network.hidden(history)[0] * weight)
        if self.components.blend.repeat:
            total[items] += self._of_seen(items)
        elif self.components.blend.seen:
            total[items] += np.float32(self.components.blend.seen)
        return total[None, :]

    @cached_property
    def _groups(self) -> list[tuple[RidgeGroup, list[NDArray[np.float32]]]]:
        """Groups of ridges, and what an event counts in each ridge by its age, the newest last."""
        weight = np.float32(self.weights.get("history", 0.0))
        groups = RidgeGroup.all_of(self.components.ridges)
        return [(group, [ridge.powers * weight for ridge in group.ridges]) for group in groups]

    def _of_group(self, group: RidgeGroup, powers: list[NDArray[np.float32]], items: Indexes) -> Floats:
        """(1, N) what the ridges of a group say."""
        found = np.zeros((1, len(group.members)), np.float32)
        places = group.position[items[-max(map(len, powers)) :]]
        known = places >= 0 if len(group.members) < len(group.position) and places.min() < 0 else None
        if known is not None:
            places = np.where(known, places, 0)
        for ridge, values in zip(group.ridges, powers, strict=True):
            size = min(len(values), len(places))
            counted = values[len(values) - size :]
            if known is not None:
                counted = counted * known[len(known) - size :]
            add_rows(found, np.array([0, size]), places[len(places) - size :], counted, ridge.weights)
        return group.spread(found)

    @cached_property
    def _transitions(self) -> list[tuple[NDArray[np.float32], Sparse]]:
        """Values of an event by age, the newest last, and the matrix."""
        weight = np.float32(self.weights.get("history", 0.0))
        return [(part.powers * weight, Sparse.of(part.matrix)) for part in self.components.transitions]

    @cached_property
    def _content(self) -> Sparse:
        """(N, N) row i: the items that speak for i."""
        return Sparse.of(self.components.content.T.tocsr())  # type: ignore[union-attr]

    def _of_events(self, items: Indexes) -> NDArray[np.float32]:
        """(N,) what the events say, directly and through likeness in content."""
        weight = self.weights.get("history", 0.0)
        parts = [self._of_group(*group, items)[0] for group in self._groups] if weight else []
        total = parts[0] if parts else np.zeros(len(self.constant), np.float32)
        for part in parts[1:]:
            total += part
        if not weight:
            return total
        for values, matrix in self._transitions:
            size = min(len(values), len(items))
            add_sparse_rows(total, items[len(items) - size :], values[len(values) - size :], matrix)
        through = self.weights.get("content", 0.0)
        if through and self.components.content is not None:
            add_product(total, self._content, total * np.float32(through / weight))
        return total

    @cached_property
    def _seen(self) -> NDArray[np.float32]:
        """(OLDEST, MOST) what an item gets by the age of its newest event and the number of its events, less one."""
        lags, counts = lag_buckets(np.arange(OLDEST)), count_buckets(np.arange(1, MOST + 1))
        return np.ascontiguousarray(self.of_seen[lags[:, None], counts[None, :]], np.float32)

    def _of_seen(self, items: Indexes) -> NDArray[np.float32]:
        """(E,) what the item of each event gets; the same wherever it occurs, so that it may be assigned again and again."""
        size = len(items)
        last = np.empty(len(self.constant), np.int64)
        last[items] = np.arange(size)  # where an item occurs again, the later one stays
        age = np.minimum(size - 1 - last[items], OLDEST - 1)
        times = np.zeros(len(self.constant), np.int64)
        np.add.at(times, items, 1)
        counts = np.minimum(times[items], MOST) - 1
        return np.asarray(self._seen[age, counts])
