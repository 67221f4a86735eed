"""What filters choose from and look at: the rows of a catalogue, what was done to them, and the user of a request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from recipes.columns import Categorical, Column, Columns, Numeric, Text
from recipes.data import Histories, Ids, TrainingData
from recipes.filters.expression import EVENT_DATASETS, Condition, Membership, Target
from recipes.filters.predicates import Mask, Value, holds_positive, matching_numbers, positive_of, value_at
from recipes.numerics.arrays import EventIndexes

ID_COLUMNS = {Target.ITEM: "ITEM_ID", Target.ACTION: "ACTION_ID", Target.USER: "USER_ID"}
NEWEST = {Target.ITEM: 100, Target.ACTION: 300}  # events of one user and event type that filters see, as AWS's defaults


@dataclass(frozen=True)
class Events:
    """What was done to which rows of a catalogue, oldest first.

    Attributes:
        row: (E,) the row acted on: the item's or action's index for one user's events; the user's for masks over users.
        event_type: (E,) codes into `event_types`, -1 unknown.
        event_types: their names.
    """

    row: EventIndexes
    event_type: NDArray[np.int16 | np.int32]
    event_types: tuple[str, ...]

    @classmethod
    def of(cls, events: Iterable[tuple[int, str]]) -> Self:
        """From pairs of row and event type, oldest first."""
        rows, types = [], []
        names: dict[str, int] = {}
        for row, name in events:
            rows.append(row)
            types.append(names.setdefault(name, len(names)))
        return cls(np.array(rows, np.int64), np.array(types, np.int32), tuple(names))

    def and_then(self, later: Events) -> Events:
        """These events, then the `later` ones, whose types may have other names and order."""
        codes = later.event_type.astype(np.int32)
        codes = np.where(codes < 0, -1, codes + len(self.event_types))
        return Events(
            np.concatenate([self.row, later.row]),
            np.concatenate([self.event_type, codes]),
            self.event_types + later.event_types,
        )

    def satisfying(self, condition: Condition, size: int, newest: int | None) -> Mask:
        """(size,) which rows have an event of the types the condition wants, among the `newest` of each type."""
        positive, negative = positive_of(condition)
        wanted = positive.values if isinstance(positive, Membership) else (positive.operand,)
        spelled = {_spelling(str(value), condition) for value in wanted}
        codes: dict[str, list[int]] = {"*": [-1]} if "*" in spelled else {}
        for code, name in enumerate(self.event_types):
            if "*" in spelled or _spelling(name, condition) in spelled:
                codes.setdefault(_spelling(name, condition), []).append(code)
        found = np.zeros(size, bool)
        for same_type in codes.values():
            rows = self.row[_among(self.event_type, same_type)]
            rows = rows if newest is None else rows[-newest:]
            found[rows[rows >= 0]] = True
        return ~found if negative else found


@dataclass(frozen=True)
class UserContext:
    """The user of a request.

    Attributes:
        columns: user columns, of which row `row` is this user's; -1 if nothing is known.
        row: see there.
        events: the user's events on the rows of the catalogue, oldest first.
        user_id: the user's id; None for nobody in particular.
    """

    columns: Columns = field(default_factory=dict)
    row: int = -1
    events: Events = field(default_factory=lambda: Events.of(()))
    user_id: str | None = None

    @classmethod
    def of(
        cls, attributes: Mapping[str, str | float | None], events: Events | None = None, user_id: str | None = None
    ) -> Self:
        """A user given by plain values; several categories are parted by `|`."""
        columns: Columns = {}
        for name, value in attributes.items():
            if isinstance(value, str):
                values = tuple(dict.fromkeys(value.split("|")))
                codes = np.arange(len(values), dtype=np.int32)
                columns[name] = Categorical(np.array([0, len(values)], np.int64), codes, values)
            elif value is not None:
                columns[name] = Numeric(np.array([float(value)]))
        return cls(columns, 0, events or Events.of(()), user_id)

    def value(self, name: str) -> Value:
        """What the user's column called `name`, in upper case, holds."""
        if name == ID_COLUMNS[Target.USER]:
            return None if self.user_id is None else frozenset([self.user_id])
        return value_at(self.by_name.get(name), self.row)

    @cached_property
    def by_name(self) -> dict[str, Column]:
        """The columns by their name in upper case."""
        return {name.upper(): column for name, column in self.columns.items()}

    @classmethod
    def of_history(cls, data: TrainingData, history: Histories, live: Events | None = None) -> Self:
        """The user of a one-row batch of histories of `data`, with events that came later."""
        events = Events(history.item_index, history.event_type, data.interactions.event_types)
        row = int(history.user_index[0])
        user_id = data.user_ids[row] if row >= 0 else None
        return cls(data.users, row, events.and_then(live) if live else events, user_id)


@dataclass(frozen=True)
class Catalogue:
    """The rows a filter chooses from.

    Attributes:
        target: what a row is.
        size: N, how many rows there are.
        columns: their metadata, by name in any case.
        events: for users: everybody's events; else empty, as a request brings its user's.
        ids: the rows' ids; None where filters never ask for them.
    """

    target: Target
    size: int
    columns: Columns
    events: Events = field(default_factory=lambda: Events.of(()))
    ids: Ids | None = None

    @classmethod
    def of_items(cls, data: TrainingData) -> Self:
        """The items of a snapshot."""
        return cls(Target.ITEM, data.num_items, data.items, ids=data.item_ids)

    @classmethod
    def of_actions(cls, data: TrainingData) -> Self:
        """The actions of a snapshot in which they stand as items."""
        return cls(Target.ACTION, data.num_items, data.items, ids=data.item_ids)

    @classmethod
    def of_users(cls, data: TrainingData) -> Self:
        """The users of a snapshot, with what they did."""
        seen = data.interactions
        events = Events(seen.user_index, seen.event_type, seen.event_types)
        return cls(Target.USER, data.num_users, data.users, events, data.user_ids)

    @cached_property
    def by_name(self) -> dict[str, Column]:
        """The columns by their name in upper case."""
        return {name.upper(): column for name, column in self.columns.items()}

    @cached_property
    def _indexes(self) -> dict[str, _RowsByCategory]:
        return {}

    def satisfying(self, condition: Condition, events: Events) -> Mask:
        """(N,) which rows satisfy a condition on their metadata, or on `events`."""
        if condition.field.dataset in EVENT_DATASETS:
            return events.satisfying(condition, self.size, NEWEST.get(self.target))
        positive, negative = positive_of(condition)
        matches = self._matching(positive)
        return ~matches if negative else matches

    def has_ids(self, name: str) -> bool:
        """Whether the column called `name`, in upper case, is that of the rows' ids."""
        return self.ids is not None and name == ID_COLUMNS[self.target]

    def has(self, name: str) -> bool:
        """Whether the rows have a column called `name`, in upper case."""
        return name in self.by_name or self.has_ids(name)

    def has_words(self, name: str) -> bool:
        """Whether the column called `name`, in upper case, holds categories or ids."""
        return isinstance(self.by_name.get(name), Categorical) or self.has_ids(name)

    def words(self, name: str) -> Mapping[str, int]:
        """The categories, or the ids, of the column called `name`, in upper case; none where it has no categories."""
        if self.ids is not None and self.has_ids(name):
            return self.ids.positions
        column = self.by_name.get(name)
        return self._categories(name, column).codes if isinstance(column, Categorical) else {}

    def value(self, name: str, row: int) -> Value:
        """What a row holds in the column called `name`, in upper case."""
        if self.ids is not None and self.has_ids(name):
            return frozenset([self.ids[row]]) if row >= 0 else None
        return value_at(self.by_name.get(name), row)

    def _matching(self, condition: Condition) -> Mask:
        """(N,) `holds_positive` for each row."""
        name = condition.field.name
        if self.ids is not None and self.has_ids(name):
            found = np.zeros(self.size, bool)
            found[_codes(self.ids.positions, condition)] = True
            return found
        column = self.by_name.get(name)
        match column:
            case None:
                return np.zeros(self.size, bool)
            case Numeric():
                return matching_numbers(condition, column.values)
            case Categorical():
                return self._categories(name, column).holding(condition, self.size)
            case Text():
                return np.fromiter((holds_positive(condition, value_at(column, i)) for i in range(self.size)), bool)

    def _categories(self, name: str, column: Categorical) -> _RowsByCategory:
        index = self._indexes.get(name)
        if index is None:
            index = self._indexes[name] = _RowsByCategory.of(column)
        return index


@dataclass(frozen=True)
class _RowsByCategory:
    """Rows by category: those of code c are `rows[starts[c]:starts[c + 1]]`."""

    codes: dict[str, int]
    starts: NDArray[np.int64]
    rows: NDArray[np.int64]

    @classmethod
    def of(cls, column: Categorical) -> Self:
        """Sort the rows by category."""
        row = np.repeat(np.arange(len(column.offsets) - 1), np.diff(column.offsets))
        counts = np.bincount(column.codes, minlength=len(column.categories))
        starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
        order = np.argsort(column.codes, kind="stable")
        return cls({name: code for code, name in enumerate(column.categories)}, starts, row[order])

    def holding(self, condition: Condition, size: int) -> Mask:
        """(size,) which rows hold a category that satisfies a positive condition."""
        found = np.zeros(size, bool)
        for code in _codes(self.codes, condition):
            found[self.rows[self.starts[code] : self.starts[code + 1]]] = True
        return found


def _codes(words: Mapping[str, int], condition: Condition) -> list[int]:
    """The codes of the words that satisfy a positive condition."""
    if isinstance(condition, Membership):
        return [words[value] for value in condition.values if isinstance(value, str) and value in words]
    if condition.operator == "=" and isinstance(condition.operand, str):
        return [words[condition.operand]] if condition.operand in words else []
    return [code for word, code in words.items() if holds_positive(condition, frozenset([word]))]


def _among(codes: NDArray[np.int16 | np.int32], wanted: list[int]) -> Mask:
    """(E,) which codes are among the wanted ones, mostly a single one; `np.isin` takes longer than all comparisons together."""
    found: Mask = codes == wanted[0]
    for code in wanted[1:]:
        found |= codes == code
    return found


def _spelling(event_type: str, condition: Condition) -> str:
    """Event types are compared without case; TAKEN, NOT_TAKEN and Not Taken also without space and underscore."""
    spelled = event_type.casefold()
    if condition.field.dataset == "ACTION_INTERACTIONS":
        return spelled.replace(" ", "").replace("_", "")
    return spelled
