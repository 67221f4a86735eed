"""Implicit impressions: the list that an event's recommendationId names, kept with the event for as long as the event is.

Recorded answers are forgotten after three days (`recorder.KEEP_S`); events last, and with them what their users saw.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from django.utils import timezone

from console.models import DatasetGroup, Event
from console.models.base import JSONDict
from console.serving.recorder import ASKED_AT_ONCE, KEEP_S, recall_many

PLACES = 100  # of a list that are kept: further down hardly anybody looks
MOST_LATE = 20_000  # events of a training whose lists are asked for once more, newest first


def join(group_id: int, events: Sequence[Event]) -> list[Event]:
    """Give events that name a recommendation and tell no impression the list that was recommended; returns those that got one.

    What another group was recommended tells nothing, and neither does a recommendation that is unknown or a broker that is
    away.
    """
    without = [event for event in events if event.recommendation_id and not event.impression]
    names = dict.fromkeys(str(event.recommendation_id) for event in without)
    answers = recall_many(list(names))
    for event in without:
        event.impression = _list(answers.get(str(event.recommendation_id)), group_id, is_action=event.is_action)
    return [event for event in without if event.impression]


def join_late(group: DatasetGroup) -> None:
    """Join what could not be joined as it came: the answer was not written yet, or the broker was away."""
    since = timezone.now() - timedelta(seconds=KEEP_S)
    rows = group.events.filter(recommendation_id__isnull=False, impression=[], created__gte=since)
    for batch in _batches(list(rows.order_by("-pk").values_list("pk", flat=True)[:MOST_LATE])):
        joined = join(group.pk, list(Event.objects.filter(pk__in=batch)))
        Event.objects.bulk_update(joined, ["impression"])


def _list(answer: JSONDict | None, group_id: int, *, is_action: bool) -> list[str]:
    if answer is None or answer.get("group") != group_id:
        return []
    return [str(name) for name in answer.get("actions" if is_action else "items", [])[:PLACES]]


def _batches(keys: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(keys), ASKED_AT_ONCE):
        yield keys[start : start + ASKED_AT_ONCE]
