"""The fitted stack: the score of an item is the sum of what its components add.

    score(u, i) = Σ_c w_c · f_c(u, i), over the components c of `recipes.components`, each of which holds its weight w_c.

Users without events get the sum of the components' `cold_scores` instead. Serving needs numpy and scipy only: torch is loaded
by fitting, never by scoring.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Self, TypeVar

import numpy as np

from recipes.base import Contribution, Model, Recipe, State
from recipes.components.contract import Component, Tensors, Values
from recipes.components.registry import COMPONENTS
from recipes.data import Histories
from recipes.numerics.arrays import Floats, Indexes
from recipes.numerics.candidates import Candidates, are_many
from recipes.run import Run
from recipes.stacking import format_2
from recipes.stacking.plan import Plan

BLOCK_SCORES = 2**22  # of a block of rows; 16 MiB: long histories read the matrices together
MIN_ROWS = 16  # of a block, however large the catalogue: a matrix product reads it once for all of them
Kind = TypeVar("Kind", bound=Component)


class StackedModel(Model):
    """Components over one catalogue."""

    def __init__(
        self, recipe: Recipe, num_items: int, components: Sequence[Component], plan: Plan | None = None
    ) -> None:
        """Keep the components in the order in which they add to the scores, and what they were chosen by."""
        super().__init__(recipe, num_items)
        self.components = tuple(components)
        self.plan = plan

    def score(self, histories: Histories) -> Floats:
        """(B, N) log-probability-like scores."""
        if len(histories) == 1 and histories.offsets[0] < histories.offsets[1]:
            row = self._constant.copy()
            for component in self.components:
                component.add_to_row(row, histories)
            return row[None, :]
        rows = max(MIN_ROWS, BLOCK_SCORES // max(1, self.num_items))
        if len(histories) <= rows:
            return self._block(histories)
        scores = np.empty((len(histories), self.num_items), np.float32)
        for start in range(0, len(histories), rows):
            scores[start : start + rows] = self._block(histories.rows(start, start + rows))
        return scores

    @property
    def approximates(self) -> bool:
        """Whether a component does."""
        return any(component.approximates for component in self.components)

    def list_scores(self, history: Histories, candidates: Candidates) -> Floats:
        """(1, N) scores, of which those of the candidates are exact: they are chosen by the approximate sum of all components."""
        is_empty = history.offsets[0] == history.offsets[1]
        if is_empty or not self.approximates or are_many(candidates.num_wanted, self.num_items):
            return self.score(history)
        row = self._constant.copy()
        corrections = [component.add_approximately(row, history) for component in self.components]
        chosen = candidates.choose(row)
        lacking = np.zeros(len(chosen), np.float32)
        for component, correction in zip(self.components, corrections, strict=True):
            share = component.kept_share(chosen)
            lacking *= 1 if share is None else share
            lacking += 0 if correction is None else correction(chosen)
        row[chosen] += lacking
        return row[None, :]

    def _block(self, histories: Histories) -> Floats:
        scores = np.tile(self._constant, (len(histories), 1))
        empty = np.flatnonzero(np.diff(histories.offsets) == 0)
        if len(empty):
            scores[empty] = self._cold(histories.user_index[empty])
        for component in self.components:
            component.add_scores(scores, histories)
        return scores

    def _cold(self, users: Indexes) -> Floats:
        """(B, N) scores of users without events."""
        scores = np.zeros((len(users), self.num_items), np.float32)
        for component in self.components:
            added = component.cold_scores(users)
            if added is not None:
                scores += added
        return scores

    @cached_property
    def _constant(self) -> Floats:
        """(N,) what the scores of every history with events hold."""
        constants = [component.constant for component in self.components]
        total = np.zeros(self.num_items, np.float32)
        for constant in constants:
            total += 0 if constant is None else constant
        return total

    def prepare(self, histories: Histories, run: Run) -> None:
        """Have every component compute ahead what it can."""
        self.components = tuple(component.prepared(histories, run) for component in self.components)

    def component(self, kind: type[Kind]) -> Kind | None:
        """The component of this class, or None."""
        return next((component for component in self.components if isinstance(component, kind)), None)

    def explain(self, history: Histories, item: int) -> list[Contribution]:
        """Each event's own share where all components add up over events; by leaving events out otherwise."""
        is_additive = all(component.is_additive(item) for component in self.components)
        if not len(history.item_index) or not is_additive:
            return super().explain(history, item)
        shares = np.zeros(len(history.item_index), np.float32)
        for component in self.components:
            shares += component.contributions(history, item)
        rest = float(self.score(history)[0, item]) - float(shares.sum())
        weights = [Contribution(position, float(share)) for position, share in enumerate(shares)]
        return sorted([*weights, Contribution(-1, rest, "popularity")], key=lambda contribution: -contribution.weight)

    def forget_users(self, users: Indexes) -> Self:
        """Have every component forget them."""
        return type(self)(self.recipe, self.num_items, [c.forget_users(users) for c in self.components], self.plan)

    def state(self) -> State:
        """Every component's arrays and values, by its key."""
        tensors: Tensors = {}
        for component in self.components:
            tensors |= component.tensors()
        values: Values = {component.key: component.values() for component in self.components}
        plan = {} if self.plan is None else {"plan": self.plan.values()}
        return State(tensors, {"components": values} | plan)

    @classmethod
    def from_state(cls, recipe: Recipe, num_items: int, state: State) -> Self:
        """The model again, also of a state as it was stored before there were components."""
        if format_2.is_older(state):
            state = format_2.upgraded(state)
        components = [
            COMPONENTS[key].from_tensors(state.tensors, values, num_items)
            for key, values in state.values["components"].items()
        ]
        return cls(recipe, num_items, components, Plan.of(state.values["plan"]) if "plan" in state.values else None)
