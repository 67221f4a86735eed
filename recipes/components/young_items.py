"""Scores of items that have few events, by users' tastes and items' metadata, in the place of what events say of them.

What is learned from events takes over as they come: score = trust · (all other components) + (1 - trust) · own score. The
own score is on the others' scale: log of the mean chance of ordinary items that the user has not taken yet + level +
slope · lift (`recipes.cold_start`).
Lifts may count for the other items, too; their weight there is the meta-model's. It must stand after all it replaces.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from recipes.cold_start.appeal import Lift
from recipes.cold_start.calibration import Calibration
from recipes.cold_start.profiles import profile_of, profiles
from recipes.cold_start.relevance import ColdRelevance, learn_cold
from recipes.components.contract import Component, Tensors, Values
from recipes.components.fit_context import FitContext
from recipes.components.repeats import Added, Repeats
from recipes.data import Histories
from recipes.numerics.arrays import Floats, Indexes

ARRAYS = ("latent", "rows", "items", "level", "trust")
LIFTS = ("square", "linear", "constant")
MIN_SHARE = 1e-30
BEST = 10  # items of a user whose lead is kept in sight
BLOCK_SCORES = 2**16  # of the rows that are read together: 256 KiB, which stay in the processor's cache


@dataclass(frozen=True)
class YoungItems(Component):
    """Relevance of young items.

    Attributes:
        cold: what is known of them.
        scale: by which the scores of a row must be multiplied to be log-odds of the next event.
        slope: what a lift counts.
        repeats: what items of the history get for being there, the young ones too.
        weight: of the lifts in the scores of all items.
        lead: log of how far ahead of an ordinary item the best ones seemed when a full training learned the scale; None unknown.
    """

    key: ClassVar[str] = "young_items"

    cold: ColdRelevance
    scale: float
    slope: float
    repeats: Repeats
    weight: float = 0.0
    lead: float | None = None

    @classmethod
    def fit(
        cls,
        histories: Histories,
        context: FitContext,
        calibration: Calibration,
        repeats: Repeats,
        latent: Floats | None,
    ) -> Self | None:
        """What today's data tell; `latent` is the embedding of a full training, learned anew without. None where nothing does."""
        cold = learn_cold(context.data, histories, context.item_features, calibration, latent)
        return None if cold is None else cls(cold, calibration.scale, calibration.slope, repeats)

    @property
    def reads_item_metadata(self) -> bool:
        """Every item without events gets a score."""
        return True

    def replaces(self, item: int) -> bool:
        """Whether the item is young."""
        return bool(np.isin(item, self.cold.items))

    def kept_share(self, items: Indexes) -> NDArray[np.float32] | None:
        """(K,) of young items, as far as their events are trusted."""
        return self._kept_shares[items]

    def is_additive(self, item: int) -> bool:
        """Whether the item keeps its score and lifts do not count for it: a profile is cut where it lies far out."""
        return not self.weight and not self.replaces(item)

    def add_scores(self, scores: Floats, histories: Histories) -> None:
        """Add weighted lifts to rows with events, and put the own scores of young items in their place in all rows."""
        cold = self.cold
        own = self._with_lifts(scores, histories)
        if not len(cold.items):
            return
        added = self.repeats.added(histories, scores.shape[1])
        self._raise(own, self._ordinary(scores, added)[:, None])
        young = self._place[added.item] >= 0
        own[added.row[young], self._place[added.item[young]]] += added.value[young]
        scores[:, cold.items] = cold.trust * scores[:, cold.items] + (1 - cold.trust) * own

    def add_to_row(self, scores: Floats, history: Histories) -> None:
        """The same for one history, of which nothing is made for all items but their chances."""
        cold, items = self.cold, history.item_index
        profile = profile_of(items, cold.rows)
        if self.weight:
            lifts = cold.lift.of_profiles(profile)[0]
            own = lifts[cold.items]
            lifts *= np.float32(self.weight)
            scores += lifts
        else:
            own = self._own_lift.of_profiles(profile)[0]
        if not len(cold.items):
            return
        raised = scores * np.float32(self.scale)
        raised[cold.items] = raised[items] = -np.inf
        top = raised.max()
        if top == -np.inf:  # the history holds all items that are not young
            replace(self, weight=0.0).add_scores(scores[None, :], history)
            return
        number = np.count_nonzero(raised > -np.inf)
        raised -= top
        share = np.exp(raised, out=raised).sum() / np.float32(number)
        self._raise(own, top + np.log(max(share, MIN_SHARE)))
        if np.count_nonzero(self._place[items] >= 0):
            seen = np.zeros_like(scores)
            self.repeats.add_to_row(seen, history)
            own += seen[cold.items]
        scores[cold.items] = cold.trust * scores[cold.items] + (1 - cold.trust) * own

    def _with_lifts(self, scores: Floats, histories: Histories) -> Floats:
        """(B, Y) lifts of the young items; those of all items are added to the `scores` of rows with events."""
        people = profiles(histories, self.cold.rows)
        if not self.weight:
            return self._own_lift.of_profiles(people)
        own = np.empty((len(scores), len(self.cold.items)), np.float32)
        weight = np.where(np.diff(histories.offsets) > 0, np.float32(self.weight), np.float32(0))[:, None]
        for rows in _blocks(scores):
            lifts = self.cold.lift.of_profiles(people[rows])
            own[rows] = lifts.take(self.cold.items, axis=1)
            lifts *= weight[rows]
            scores[rows] += lifts
        return own

    def _raise(self, lifts: Floats, ordinary: Floats | np.float32) -> None:
        """Make scores on the others' scale of (…, Y) lifts, in place; `ordinary` items have that mean."""
        lifts *= np.float32(self.slope)
        lifts += self.cold.level
        lifts += ordinary
        lifts /= np.float32(self.scale)

    @cached_property
    def _place(self) -> Indexes:
        """(N,) where an item stands among the young ones, -1 for the others."""
        place = np.full(len(self.cold.rows), -1, np.int64)
        place[self.cold.items] = np.arange(len(self.cold.items))
        return place

    @cached_property
    def _kept_shares(self) -> NDArray[np.float32]:
        """(N,)."""
        shares = np.ones(len(self.cold.rows), np.float32)
        shares[self.cold.items] = self.cold.trust
        return shares

    def score(self, histories: Histories) -> Floats:
        """(B, N) lifts; what the meta-model weighs."""
        return self.lifts(histories)

    def lifts(self, histories: Histories) -> Floats:
        """(B, N) log of how much likelier users are to take each item than others are, as their tastes and its takers say."""
        return self.cold.lift.of_profiles(profiles(histories, self.cold.rows))

    @cached_property
    def _own_lift(self) -> Lift:
        """Of the young items."""
        return self.cold.lift.only(self.cold.items)

    def _ordinary(self, scores: Floats, added: Added) -> Floats:
        """(B,) log of the mean chance of the items that are not young, up to what all items of the row share.

        Those of the history are left out, as they were where level and slope were learned, unless there are no others.

        Args:
            scores: (B, N).
            added: what items of the history get for being there, which ordinary items do not get.
        """
        ordinary = np.empty(len(scores), np.float32)
        for rows in _blocks(scores):
            raised = scores[rows] * np.float32(self.scale)
            events = slice(*np.searchsorted(added.row, (rows.start, rows.stop)))
            row, item = added.row[events] - rows.start, added.item[events]
            raised[:, self.cold.items] = raised[row, item] = -np.inf
            top = raised.max(axis=1)
            if np.isneginf(top).any():
                without_others = np.isneginf(top)[row] & (self._place[item] < 0)
                row, item, value = row[without_others], item[without_others], added.value[events][without_others]
                raised[row, item] = (scores[rows][row, item] - value) * np.float32(self.scale)
                top = raised.max(axis=1)
                top[np.isneginf(top)] = 0
            number = np.maximum(np.count_nonzero(raised > -np.inf, axis=1), 1)
            raised -= top[:, None]
            share = np.exp(raised, out=raised).sum(axis=1) / number
            ordinary[rows] = top + np.log(np.maximum(share, MIN_SHARE))
        return ordinary

    def lead_in(self, scores: Floats, histories: Histories) -> float | None:
        """How far ahead of an ordinary item a user's best ones seem in (B, N) scores of the other components, in log-odds; no young ones."""
        raised = scores.astype(np.float64) * self.scale
        raised[:, self.cold.items] = -np.inf
        raised[histories.row, histories.item_index] = -np.inf
        raised = raised[np.isfinite(raised).sum(axis=1) > BEST]
        if not len(raised):
            return None
        raised -= raised.max(axis=1, keepdims=True)
        chance = np.exp(np.partition(raised, -BEST, axis=1))
        number = np.isfinite(raised).sum(axis=1)
        return float(np.log(chance[:, -BEST:].mean(axis=1) / (chance.sum(axis=1) / number)).mean())

    def following(self, lead: float | None, full: YoungItems | None) -> Self:
        """At the distance to the best of all others at which the `full` training saw the young items.

        What an update adds to the lead of the best is mostly an echo: what is shown is taken, and is thought better for it.
        """
        if full is None or full.lead is None or lead is None:
            return replace(self, lead=lead)
        level = self.cold.level + np.float32(max(0.0, lead - full.lead))
        return replace(self, cold=replace(self.cold, level=level), lead=full.lead)

    def tensors(self) -> Tensors:
        """What is known of young items, and of lifts."""
        arrays = {name: getattr(self.cold, name) for name in ARRAYS}
        arrays |= {name: getattr(self.cold.lift, name) for name in LIFTS}
        return {f"{self.key}.{name}": values for name, values in arrays.items()}

    def values(self) -> Values:
        """The weights; those of repeats are stored again, with whose arrays they are read."""
        return {
            "scale": self.scale,
            "slope": self.slope,
            "weight": self.weight,
            "repeats": self.repeats.values(),
            "lead": self.lead,
        }

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, NDArray[Any]], values: Values, num_items: int) -> Self:
        """The component again."""
        arrays, lifts = ({name: tensors[f"{cls.key}.{name}"] for name in names} for names in (ARRAYS, LIFTS))
        repeats = Repeats.from_tensors(tensors, values["repeats"], num_items)
        return cls(
            ColdRelevance(lift=Lift(**lifts), **arrays),
            values["scale"],
            values["slope"],
            repeats,
            values["weight"],
            values.get("lead"),
        )

    def weighted(self, weight: float) -> Self:
        """The same with another weight of lifts."""
        return replace(self, weight=weight)


def _blocks(scores: Floats) -> Iterator[slice]:
    """Rows of (B, N) `scores`, a few at a time."""
    step = max(1, BLOCK_SCORES // scores.shape[1])
    for start in range(0, len(scores), step):
        yield slice(start, start + step)
