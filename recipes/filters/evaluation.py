"""Bound filters as masks over a catalogue: vectorised, and what does not depend on the user kept from request to request.

AWS does not say how AND and OR bind or what an INCLUDE whose IF is false does; the choices stand at the code.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import reduce
from operator import and_, or_
from threading import Lock

import numpy as np
from cachetools import LRUCache

from recipes.columns import Columns, Numeric
from recipes.filters.expression import (
    EVENT_DATASETS,
    Bound,
    Condition,
    Expression,
    FilterError,
    Verb,
    is_inexact,
    number,
)
from recipes.filters.predicates import Mask, at_item, holds
from recipes.filters.readings import may_be_read_otherwise, reread
from recipes.filters.rows import Catalogue, Events, UserContext
from recipes.filters.unmatched import unmatched

CACHE_BYTES = 64 * 2**20
BOUND_BYTES = 4096  # of a filter with its values, which a mask is kept under
NOTES = 1024  # filters with their values


class CompiledFilters:
    """Masks over one catalogue, with those parts kept that depend on no user; old ones make room for new ones.

    Safe to share between threads. A catalogue that changes gets a new object.
    """

    def __init__(self, catalogue: Catalogue, capacity_bytes: int = CACHE_BYTES) -> None:
        """Begin with nothing kept; at most `capacity_bytes` of masks will be."""
        self.catalogue = catalogue
        self._masks: LRUCache[object, Mask] = LRUCache(max(1, capacity_bytes // (catalogue.size + BOUND_BYTES)))
        self._notes: LRUCache[Bound, tuple[str, ...]] = LRUCache(NOTES)
        self._lock = Lock()

    def mask(self, bound: Bound, user: UserContext | None = None, current_item: int | None = None) -> Mask:
        """The rows that may be returned; see `recipes.filters.mask`. The array is shared and read-only."""
        if bound.target is not self.catalogue.target:
            raise FilterError(f"The filter is for {bound.target}, this needs one for {self.catalogue.target}.")
        self._check_given(bound, user)
        bound = self._reread(bound, user)
        if not bound.needs_user and not bound.needs_current_item:
            return self._kept(bound, lambda: self._combine(bound, None, None))
        if bound.needs_user and user is None:
            raise FilterError("The filter asks what the user did or is: the request needs a userId.")
        if bound.needs_current_item and current_item is None:
            raise FilterError("The filter compares with CurrentItem: the request needs an itemId.")
        return self._combine(bound, user, current_item)

    def unmatched(self, bound: Bound, users: Columns, event_types: Sequence[str]) -> tuple[str, ...]:
        """Sentences on the values that nothing holds; see `recipes.filters.unmatched`."""
        with self._lock:
            kept = self._notes.get(bound)
        if kept is None:
            by_name = {name.upper(): column for name, column in users.items()}
            read = reread(bound, self.catalogue, by_name, event_types)
            kept = tuple(map(str, unmatched(read, self.catalogue, users, event_types)))
            with self._lock:
                self._notes[bound] = kept
        return kept

    def _check_given(self, bound: Bound, user: UserContext | None) -> None:
        """Refuse a value that is no number where the field holds numbers: it would match nothing, unnoticed."""
        for given in bound.given:
            if given.field.dataset in EVENT_DATASETS:
                continue
            of_user = given.field.dataset == "CURRENTUSER"
            columns = self.catalogue.by_name if not of_user else {} if user is None else user.by_name
            if not isinstance(columns.get(given.field.name), Numeric):
                continue
            if wrong := [value for value in given.values if number(value) is None]:
                raise FilterError(
                    f'The parameter {given.parameter} is "{wrong[0]}", {given.field} is numeric and needs numbers.'
                )
            if not given.is_ordered and (wrong := [value for value in given.values if is_inexact(value)]):
                raise FilterError(
                    f'The parameter {given.parameter} is "{wrong[0]}", {given.field} is numeric, which numbers beyond 2^53 are '
                    "not exact in; a column of codes must be a string."
                )

    def _reread(self, bound: Bound, user: UserContext | None) -> Bound:
        """The filter with the values that nothing holds as they are read otherwise, where something holds that."""
        if not any(may_be_read_otherwise(value) for given in bound.given for value in given.values):
            return bound
        users = {} if user is None else user.by_name
        events = self.catalogue.events if user is None else user.events
        return reread(bound, self.catalogue, users, events.event_types)

    def _combine(self, bound: Bound, user: UserContext | None, current_item: int | None) -> Mask:
        """(union of the includes, everything without any) minus (union of the excludes)."""
        found: dict[Verb, Mask | None] = {Verb.INCLUDE: None, Verb.EXCLUDE: None}
        for expression in bound.expressions:
            if user is not None and not all(holds(each, user.value(each.field.name)) for each in expression.when):
                continue  # also for INCLUDE: an expression whose IF is false has no effect (AWS does not say)
            matches = self._matches(self._at_item(expression, current_item), user)
            so_far = found[expression.verb]
            found[expression.verb] = matches if so_far is None else so_far | matches
        included, excluded = found[Verb.INCLUDE], found[Verb.EXCLUDE]
        if included is None:
            return np.ones(self.catalogue.size, bool) if excluded is None else ~excluded
        return included if excluded is None else included & ~excluded

    def _matches(self, expression: Expression, user: UserContext | None) -> Mask:
        if expression.dataset in EVENT_DATASETS and user is not None:
            return self._alternatives(expression, user.events)
        key = (expression.alternatives, "rows")
        return self._kept(key, lambda: self._alternatives(expression, self.catalogue.events))

    def _alternatives(self, expression: Expression, events: Events) -> Mask:
        """AND binds more tightly than OR (AWS does not say)."""
        return reduce(or_, (self._all_of(conjunction, events) for conjunction in expression.alternatives))

    def _all_of(self, conjunction: Sequence[Condition], events: Events) -> Mask:
        return reduce(and_, (self.catalogue.satisfying(condition, events) for condition in conjunction))

    def _at_item(self, expression: Expression, item: int | None) -> Expression:
        """The expression with the current item's values in place of CurrentItem."""
        if item is None or not expression.needs_current_item:
            return expression
        resolved = tuple(
            tuple(at_item(condition, lambda name: self.catalogue.value(name, item)) for condition in conjunction)
            for conjunction in expression.alternatives
        )
        return replace(expression, alternatives=resolved)

    def _kept(self, key: object, compute: Callable[[], Mask]) -> Mask:
        with self._lock:
            kept = self._masks.get(key)
        if kept is not None:
            return kept
        fresh = compute()
        fresh.setflags(write=False)
        with self._lock:
            self._masks[key] = fresh
        return fresh


def mask(bound: Bound, catalogue: Catalogue, user: UserContext | None = None, current_item: int | None = None) -> Mask:
    """The rows of a catalogue that may be returned, computed once; serving keeps a `CompiledFilters`.

    Args:
        bound: a filter with its values.
        catalogue: the rows, of the filter's target.
        user: whose request it is.
        current_item: row of the request's item; -1 for one that the catalogue does not have.

    Returns:
        (N,) true for the rows that may be returned.

    Raises:
        FilterError: the filter is for another target, or needs a user or an item that is not given.
    """
    return CompiledFilters(catalogue).mask(bound, user, current_item)
