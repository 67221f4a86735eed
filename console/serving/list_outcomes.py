"""What users took from recommended lists: the events that name a list by its recommendationId."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from console.models import Event

ASKED_AT_ONCE = 500


class Taken(NamedTuple):
    """An item of a list that a user took."""

    recommendation_id: str
    item_id: str
    user_id: str


def taken_from(group_id: int, names: Sequence[str], event_types: Sequence[str] | None = None) -> list[Taken]:
    """All that events say was taken from the named lists; of certain event types where they are given."""
    found: list[Taken] = []
    for start in range(0, len(names), ASKED_AT_ONCE):
        rows = Event.objects.filter(
            dataset_group_id=group_id, recommendation_id__in=names[start : start + ASKED_AT_ONCE]
        )
        if event_types:
            rows = rows.filter(event_type__in=event_types)
        found += [Taken(str(name), *rest) for name, *rest in rows.values_list(*Taken._fields)]
    return found


def by_list(taken: Sequence[Taken]) -> Mapping[str, set[str]]:
    """The items that were taken from each list."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for one in taken:
        found[one.recommendation_id].add(one.item_id)
    return found
