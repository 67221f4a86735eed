"""What a training may look at: which events and columns a configuration leaves in, and whether that is enough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from console import limits
from console.errors import JobError
from console.shapes import JSONDict
from recipes.columns import Columns
from recipes.data import Interactions, TrainingData

TABLES = {"INTERACTIONS": "interactions", "ITEMS": "items", "USERS": "users", "ACTIONS": "items"}
ALWAYS = {"CREATION_TIMESTAMP"}  # exploration and trends need it whatever is configured


@dataclass(frozen=True)
class EventRule:
    """One event type that is learned from; events below `threshold` are left out, `weight` tells what the others are worth."""

    type: str
    threshold: float | None = None
    weight: float | None = None

    @property
    def worth(self) -> float:
        """The weight, 1 where none is given."""
        return 1.0 if self.weight is None else self.weight


@dataclass(frozen=True)
class Choice:
    """Events and columns as a solution's configuration names them.

    Attributes:
        rules: the event types that are learned from; all where there are none.
        threshold: lowest event value of any event.
        included, excluded: column names by dataset type.
    """

    rules: tuple[EventRule, ...] = ()
    threshold: float | None = None
    included: Mapping[str, list[str]] | None = None
    excluded: Mapping[str, list[str]] | None = None

    @classmethod
    def of(cls, config: JSONDict, event_type: str | None) -> Choice:
        """Read a solutionConfig and the older eventType beside it."""
        entries = config.get("eventsConfig", {}).get("eventParametersList", [])
        rules = [EventRule(e["eventType"], e.get("eventValueThreshold"), e.get("weight")) for e in entries]
        if event_type:
            rules = [EventRule(event_type)]
        threshold = config.get("eventValueThreshold")
        columns = config.get("trainingDataConfig", {})
        return cls(
            tuple(rules),
            float(threshold) if threshold is not None else None,
            _upper(columns.get("includedDatasetColumns")),
            _upper(columns.get("excludedDatasetColumns")),
        )

    def following(self, rules: tuple[EventRule, ...]) -> Choice:
        """The same columns with other event types."""
        return replace(self, rules=rules)

    @property
    def weights(self) -> dict[str, float] | None:
        """The weight of each event type, where any is given; 1 for those that go without."""
        if all(rule.weight is None for rule in self.rules):
            return None
        return {rule.type: rule.worth for rule in self.rules}

    @property
    def types(self) -> list[str] | None:
        """The event types that are learned from; None for all."""
        return [rule.type for rule in self.rules] or None

    def events(self, events: Interactions) -> NDArray[np.bool_]:
        """(E,) the events that are learned from."""
        kept = np.ones(len(events), bool)
        if self.threshold is not None:
            kept &= events.event_value >= self.threshold
        if self.rules:
            kept &= np.logical_or.reduce([_following(rule, events) for rule in self.rules])
        return kept

    def weighed(self, data: TrainingData) -> TrainingData:
        """The data with what each event is worth, 1 on average; as they are where no weights tell events apart.

        An event that several rules let in is worth the most that any of them says.
        """
        events = data.interactions
        if self.weights is None or not len(events):
            return data
        worth = np.zeros(len(events), np.float32)
        for rule in self.rules:
            np.maximum(worth, np.float32(rule.worth), out=worth, where=_following(rule, events))
        mean = float(worth.mean())
        if np.ptp(worth) == 0 or mean == 0:
            return data
        return replace(data, interactions=replace(events, weight=worth / np.float32(mean)))

    def columns(self, data: TrainingData) -> TrainingData:
        """The data with only the columns that are learned from."""
        interactions = replace(data.interactions, columns=self._left("INTERACTIONS", data.interactions.columns))
        return replace(
            data,
            interactions=interactions,
            items=self._left("ITEMS", data.items),
            users=self._left("USERS", data.users),
        )

    def _left(self, kind: str, columns: Columns) -> Columns:
        if self.included is not None and kind in self.included:
            wanted = set(self.included[kind]) | ALWAYS
            return {name: column for name, column in columns.items() if name in wanted}
        dropped = set((self.excluded or {}).get(kind, ()))
        return {name: column for name, column in columns.items() if name not in dropped}


def check_enough(data: TrainingData, choice: Choice) -> None:
    """Hold the data to what a training needs and can take.

    Raises:
        JobError: too few interactions, too few users with two of them, or too many event types and columns; in AWS's
            words, with the figures.
    """
    least, users = limits.quota("MIN_INTERACTIONS"), limits.quota("MIN_USERS")
    count = len(data.interactions)
    if count < least:
        raise JobError(
            f"Dataset has fewer than {least} interactions after filtering by event type: {', '.join(choice.types)}. It has {count}."
            if choice.types
            else f"Dataset has fewer than {least} interactions. It has {count}."
        )
    kinds = np.unique(data.interactions.event_type[data.interactions.event_type >= 0]).size
    columns = len(data.interactions.columns)
    most = limits.quota("EVENT_TYPES_AND_COLUMNS")
    if kinds + columns > most:
        raise JobError(
            f"Create failed. Dataset has more than {most} event types and metadata columns of interactions together: "
            f"{kinds} and {columns}. Choose event types with eventsConfig, exclude columns, or raise "
            "QUOTA_EVENT_TYPES_AND_COLUMNS."
        )
    returning = int(np.count_nonzero(np.diff(data.offsets) >= 2))
    if returning < users:
        raise JobError(
            f"Create failed. Dataset has fewer than {users} users with at least 2 interactions each. It has {returning}."
        )


def _following(rule: EventRule, events: Interactions) -> NDArray[np.bool_]:
    spelled = rule.type.casefold()
    codes = [code for code, name in enumerate(events.event_types) if name.casefold() == spelled]
    matches = np.isin(events.event_type, codes)
    return matches if rule.threshold is None else matches & (events.event_value >= rule.threshold)


def _upper(columns: Mapping[str, list[str]] | None) -> dict[str, list[str]] | None:
    return None if columns is None else {kind.upper(): names for kind, names in columns.items()}
