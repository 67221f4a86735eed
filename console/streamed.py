"""How many events streamed in, by type: what many pages say, and what reading all of them would take seconds for.

Counts of older events are kept for a day in the cache that all processes share; what is newer is counted when asked. Below
`KEPT_FROM` events they are exact; above, an event that became a user's by signing in counts twice until the day is over.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress

import redis
from django.core.cache import cache
from django.db.models import Count, Max

from console.models import DatasetGroup, Event

KEPT_FROM = 20_000
KEPT_S = 86_400


def streamed_types(group: DatasetGroup, *, is_action: bool = False) -> Counter[str]:
    """The group's streamed events of items, or of actions, by type."""
    counts: Counter[str] = Counter()
    for (of_actions, event_type), count in _counts(group).items():
        if of_actions == is_action:
            counts[event_type] += count
    return counts


def streamed_events(group: DatasetGroup) -> int:
    """How many there are of all kinds."""
    return _counts(group).total()


def forget_counts(group_id: int) -> None:
    """Count anew from now on: older events were deleted, or are back."""
    with suppress(redis.RedisError):
        cache.delete(_key(group_id))


def _counts(group: DatasetGroup) -> Counter[tuple[bool, str]]:
    """By whether they are of actions, and type."""
    upto, counts = 0, Counter[tuple[bool, str]]()
    with suppress(redis.RedisError):
        upto, counts = cache.get(_key(group.pk)) or (upto, counts)
    newest = Event.objects.filter(dataset_group=group).aggregate(Max("pk"))["pk__max"] or 0
    if newest < upto:  # the database was restored
        upto, counts = 0, Counter()
    fresh = Event.objects.filter(dataset_group=group, pk__gt=upto, pk__lte=newest)
    rows = fresh.values_list("is_action", "event_type").annotate(Count("pk")).order_by()
    added = Counter({(is_action, event_type): count for is_action, event_type, count in rows})
    counts += added
    if added.total() >= KEPT_FROM:
        with suppress(redis.RedisError):
            cache.set(_key(group.pk), (newest, counts), KEPT_S)
    return counts


def _key(group_id: int) -> str:
    return f"streamed:{group_id}"
