"""Closed-form sequence models: ridge regression from a decayed bag of a user's newest events to what came next.

Row t of the design is x_t = Σ_k decay^k onehot(item of event t-1-k), k < window; its target y_t = Σ_j future_decay^j
onehot(item of event t+j), j < future. The weights are B = (XᵀX + λI + δ diag XᵀX)⁻¹ XᵀY. Neither X nor Y is ever built:
both moments are sums over pairs of events of one user, weighted by a function of their distance, so that accumulating
them costs one addition for each pair inside the window. Whole-profile weights without a diagonal are Steck 2019 (EASE).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.linalg import lapack

from recipes.base import RecipeError
from recipes.data import Histories
from recipes.numerics.arrays import Floats, Indexes
from recipes.numerics.weighted_rows import add_rows
from recipes.run import Run

LEAST = 2.0**-24  # weight of an event that still shows beside the newest one in float32

FEW = 8  # times as many items in the catalogue from which on writing the known ones is faster than looking up all


@dataclass(frozen=True)
class Kernel:
    """How events at a distance count.

    Attributes:
        window: how many of the newest events are looked at.
        decay: weight of an event relative to the one after it.
        future: how many of the coming events are predicted.
        future_decay: weight of a coming event relative to the one before it.
        profile: treat a history as a set: every pair of a user's items counts once (the other members do not matter,
            but for `window` and `decay`, which weigh the history when scoring).
    """

    window: int = 32
    decay: float = 0.8
    future: int = 1
    future_decay: float = 0.8
    profile: bool = False

    def gram_weights(self) -> NDArray[np.float32]:
        """(window, window + 1): [distance d, rows m] → Σ_{k<m} decay^k decay^(k+d), the share of a pair in XᵀX."""
        powers = self.decay ** np.arange(self.window, dtype=np.float64)
        sums = np.concatenate([[0.0], np.cumsum(powers**2)])
        return np.asarray(powers[:, None] * sums[None, :], np.float32)

    def cross_weights(self) -> NDArray[np.float32]:
        """(window + future,): distance d → Σ_{k+j=d-1} decay^k future_decay^j, the share of a pair in XᵀY."""
        past = self.decay ** np.arange(self.window, dtype=np.float64)
        coming = self.future_decay ** np.arange(self.future, dtype=np.float64)
        return np.asarray(np.concatenate([[0.0], np.convolve(past, coming)]), np.float32)


@dataclass
class Moments:
    """`gram` (N, N), which with its transpose makes XᵀX, and `cross` (N, N), which is (XᵀY)ᵀ: [target, input]."""

    gram: Floats
    cross: Floats

    @classmethod
    def zeros(cls, num_items: int) -> Moments:
        """Nothing seen yet."""
        return cls(np.zeros((num_items, num_items), np.float32), np.zeros((num_items, num_items), np.float32))

    def add(
        self,
        kernel: Kernel,
        items: Indexes,
        offsets: Indexes,
        run: Run,
        sign: float = 1.0,
        worth: NDArray[np.float32] | None = None,
    ) -> None:
        """Add (or with sign -1 take away) the sequences `items[offsets[u]:offsets[u + 1]]`; -1 marks an item left out.

        With `worth`, (E,) of each event, the target is what the coming events are worth; profiles don't look at it.
        """
        if kernel.profile:
            self._add_profiles(items, offsets, sign)
            return
        num_items = len(self.gram)
        sizes = np.diff(offsets)
        position = np.arange(len(items)) - np.repeat(offsets[:-1], sizes)
        rows_after = np.minimum(np.repeat(offsets[1:], sizes) - 1 - np.arange(len(items)), kernel.window)
        gram_weights, cross_weights = sign * kernel.gram_weights(), sign * kernel.cross_weights()
        diagonal = np.bincount(
            items[items >= 0], gram_weights[0, rows_after[items >= 0]].astype(np.float64), minlength=num_items
        )
        self.gram.reshape(-1)[:: num_items + 1] += 0.5 * diagonal.astype(np.float32)
        reach = min(len(cross_weights), int(sizes.max(initial=0)))
        for distance in range(1, reach):
            run.report("fitting ridge", distance / reach)
            later = np.flatnonzero(position >= distance)
            known = (items[later] >= 0) & (items[later - distance] >= 0)
            later = later[known]
            flat = items[later] * num_items + items[later - distance]
            cross = cross_weights[distance] if worth is None else cross_weights[distance] * worth[later]
            np.add.at(self.cross.reshape(-1), flat, cross)
            if distance < kernel.window:
                rows = np.minimum(rows_after[later], kernel.window - distance)
                np.add.at(self.gram.reshape(-1), flat, gram_weights[distance, rows])

    def _add_profiles(self, items: Indexes, offsets: Indexes, sign: float) -> None:
        users = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
        known = items >= 0
        shape = (len(offsets) - 1, len(self.gram))
        profiles = sp.csr_matrix((np.ones(int(known.sum()), np.float32), (users[known], items[known])), shape=shape)
        profiles.data[:] = 1.0
        profiles.sum_duplicates()
        profiles.data[:] = 1.0
        step = max(1, 50_000_000 // max(1, len(self.gram)))
        for start in range(0, shape[0], step):
            block = profiles[start : start + step]
            if block.nnz > 0.02 * block.shape[0] * block.shape[1]:
                dense = block.toarray()
                self.gram += 0.5 * sign * (dense.T @ dense)
            else:
                self.gram += 0.5 * sign * (block.T @ block).toarray()


def solve(moments: Moments, kernel: Kernel, ridge: float, dropout: float) -> Floats:
    """The item × item weights B, row = item of the history, column = item scored.

    Args:
        moments: what was accumulated with this kernel; left as it is.
        kernel: the kernel they were accumulated with.
        ridge: λ, added to the diagonal.
        dropout: δ, share of the diagonal that is added to it (as if inputs were dropped at random; Steck 2020).

    Raises:
        RecipeError: the data give no solvable system, e.g. NaN.
    """
    system = moments.gram + moments.gram.T
    diagonal = system.reshape(-1)[:: len(system) + 1]
    diagonal += ridge + dropout * diagonal
    factor, failed = lapack.spotrf(system.T, lower=1, overwrite_a=True, clean=False)
    if failed:
        raise RecipeError(
            "The interactions give no solvable regression; are there at least two items with two events each?"
        )
    if not kernel.profile:
        return np.ascontiguousarray(lapack.spotrs(factor, moments.cross.T, lower=1)[0])
    inverse = lapack.spotri(factor, lower=1, overwrite_c=True)[0]
    inverse = np.tril(inverse) + np.tril(inverse, -1).T
    weights = inverse / -np.diag(inverse)[None, :]
    weights.reshape(-1)[:: len(weights) + 1] = 0.0
    return np.ascontiguousarray(weights, np.float32)


def powers_of(kernel: Kernel) -> NDArray[np.float32]:
    """(window,) or fewer: what events count, the newest last; those that a sum of float32 cannot tell are left out."""
    powers = np.power(np.float32(kernel.decay), np.arange(kernel.window, dtype=np.float32))
    return np.ascontiguousarray(powers[powers > LEAST][::-1])


def history_weights(histories: Histories, kernel: Kernel) -> tuple[Indexes, NDArray[np.float32], Indexes]:
    """Which events count when scoring, and how much: (positions, weights, offsets (B + 1,)) of a ragged matrix."""
    sizes = np.diff(histories.offsets)
    age = np.repeat(histories.offsets[1:], sizes) - 1 - np.arange(histories.offsets[0], histories.offsets[-1])
    kept = np.minimum(sizes, kernel.window)
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(kept)])
    positions = np.flatnonzero(age < kernel.window)
    return positions, np.power(np.float32(kernel.decay), age[positions].astype(np.float32)), offsets


@dataclass(frozen=True)
class SequenceRidge:
    """A fitted ridge: its kernel and weights, row-major so that one user reads a few rows.

    Attributes:
        kernel: how a history is weighed.
        weights: (K, K), row = item of the history, column = item scored.
        members: (K,) the catalogue's indexes of the K items it knows.
        position: (N,) where an item of the catalogue stands in `members`, -1 elsewhere.
    """

    kernel: Kernel
    weights: Floats
    members: Indexes
    position: Indexes

    @classmethod
    def of(cls, kernel: Kernel, weights: Floats, members: Indexes, num_items: int) -> SequenceRidge:
        """The ridge over `members` of a catalogue of `num_items`."""
        position = np.full(num_items, -1, np.int64)
        position[members] = np.arange(len(members))
        return cls(kernel, weights, members, position)

    def score(self, histories: Histories, weight: float = 1.0) -> Floats:
        """(B, N): `weight` times the sum of the rows of each history's newest events; 0 for items it does not know."""
        found = np.zeros((len(histories), len(self.members)), np.float32)
        self.add_to(found, histories, weight)
        if len(self.members) == len(self.position):
            return found
        scores = np.zeros((len(histories), len(self.position)), np.float32)
        scores[:, self.members] = found
        return scores

    def add_to(self, scores: Floats, histories: Histories, weight: float) -> None:
        """Add that to `scores` (B, K) of the items it knows, in their order."""
        places, values, offsets = history_weights(histories, replace(self.kernel, window=len(self.powers)))
        values *= np.float32(weight)
        items = self.position[histories.item_index[places]]
        if len(self.members) < len(self.position):
            unknown = items < 0
            values[unknown] = items[unknown] = 0
        add_rows(scores, offsets, items, values, self.weights)

    @cached_property
    def powers(self) -> NDArray[np.float32]:
        """What an event counts, the newest last; those that are below what a sum of float32 can tell are left out."""
        return powers_of(self.kernel)

    def contributions(self, history: Histories, item: int) -> NDArray[np.float32]:
        """(E,) how much each event of one history adds to the score of `item`; sums to it exactly."""
        shares = np.zeros(len(history.item_index), np.float32)
        positions, values, _ = history_weights(history, self.kernel)
        items = self.position[history.item_index[positions]]
        if self.position[item] >= 0:
            shares[positions] = np.where(items >= 0, values * self.weights[items, self.position[item]], 0.0)
        return shares


@dataclass(frozen=True)
class RidgeGroup:
    """Ridges that know the same items: what they say is added up before it is spread over the catalogue.

    Attributes:
        ridges: one or more.
        members: (K,) the catalogue's indexes of the items they know, rising.
        position: (N,) where an item of the catalogue stands in `members`, -1 elsewhere.
    """

    ridges: tuple[SequenceRidge, ...]
    members: Indexes
    position: Indexes

    @classmethod
    def all_of(cls, ridges: Sequence[SequenceRidge]) -> list[Self]:
        """The groups of some ridges over one catalogue."""
        groups: dict[bytes, list[SequenceRidge]] = {}
        for ridge in ridges:
            groups.setdefault(ridge.members.tobytes(), []).append(ridge)
        return [cls(tuple(alike), alike[0].members, alike[0].position) for alike in groups.values()]

    @cached_property
    def _unknown(self) -> Indexes:
        return np.flatnonzero(self.position < 0)

    @cached_property
    def _places(self) -> Indexes:
        return np.maximum(self.position, 0)

    def spread(self, found: Floats) -> Floats:
        """(B, N) of (B, K): 0 for items that are not known."""
        if found.shape[1] == len(self.position):
            return found
        if FEW * found.shape[1] < len(self.position):
            total = np.zeros((len(found), len(self.position)), np.float32)
            total[:, self.members] = found
        else:
            total = found.take(self._places, axis=1, mode="clip")
            total[:, self._unknown] = 0
        return total
