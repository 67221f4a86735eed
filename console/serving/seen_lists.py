"""Lists that users saw and took nothing from: what was recommended and no event names.

A list that was asked for is no evidence that anybody saw it: programs ask ahead, and people try out campaigns. It counts as
seen if an event of its user, whichever it was with, reached the server within an hour after the list was given: then the user was there. A list of which the user took something without naming it does not
count either: where the event came from is not known.
Lists are looked for at each training and refresh among those that the recorder still knows, and kept with the group.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from django.utils import timezone

from console.ingest.snapshot import Tables
from console.models import Campaign, DatasetGroup, Recommender, SeenList
from console.serving import recorder
from console.serving.impressions import MOST_LATE, PLACES
from console.shapes import JSONDict

SEEN_WITHIN_S = 3600
MOST_LISTS = 20_000  # of a campaign or recommender that are looked at in one go
KEPT_DAYS = 90
MOST_KEPT = 50_000  # of a group, the newest
CLOCK_EVENTS = 20  # whose clocks tell the time of a list
NAMED = ("RECOMMENDATION_ID", "USER_ID", "TIMESTAMP")


class Arrival(NamedTuple):
    """An event as it came in: when, by how much its own time differs from that, whose it is, and with which item.

    The item is None where the event tells which list it came from.
    """

    received: float
    difference: float
    user_id: str
    item_id: str | None


@dataclass(frozen=True)
class Arrivals:
    """Events in the order they came in, those of each user too, by what the recorder calls the user."""

    everybody: list[Arrival]
    by_user: dict[str, list[Arrival]]

    @classmethod
    def since(cls, group: DatasetGroup, start: datetime) -> Arrivals:
        """Events with items that reached the group since `start`; those of anonymous sessions tell the time only."""
        rows = group.events.filter(created__gte=start, is_action=False).order_by("created")
        names = ("created", "timestamp", "user_id", "session_id", "is_anonymous", "item_id", "impression")
        everybody: list[Arrival] = []
        by_user: dict[str, list[Arrival]] = {}
        for created, timestamp, user, session, is_anonymous, item, impression in rows.values_list(*names).iterator():
            received = created.timestamp()
            arrival = Arrival(received, timestamp - received, user, None if impression else item)
            everybody.append(arrival)
            for name in set() if is_anonymous else {user, session}:
                by_user.setdefault(recorder.pseudonym(group.pk, name), []).append(arrival)
        return cls(everybody, by_user)

    def following(self, pseudonym: str, given: float) -> list[Arrival]:
        """The user's events within an hour after a list was given."""
        events = self.by_user.get(pseudonym, [])
        first, end = (bisect_left(events, at, key=lambda one: one.received) for at in (given, given + SEEN_WITHIN_S))
        return events[first:end]

    def event_time(self, given: float) -> int:
        """When a list was given by the clock of the events that came in next: replayed and delayed events have their own."""
        place = bisect_left(self.everybody, given, key=lambda event: event.received)
        around = self.everybody[place : place + CLOCK_EVENTS]
        return int(given + median(event.difference for event in around))


def collect(group: DatasetGroup) -> None:
    """Keep the lists that were seen since; drop those that are too old or too many."""
    answers = _unnamed(group)
    if answers:
        first = min(answer["time"] for answer in answers.values())
        arrivals = Arrivals.since(group, datetime.fromtimestamp(first, UTC))
        rows = (_row(group, name, answer, arrivals) for name, answer in answers.items())
        seen = [row for row in rows if row is not None]
        SeenList.objects.bulk_create(seen, batch_size=500, ignore_conflicts=True)
    group.seen_lists.filter(created__lt=timezone.now() - timedelta(days=KEPT_DAYS)).delete()
    surplus = group.seen_lists.order_by("-pk").values_list("pk", flat=True)[MOST_KEPT : MOST_KEPT + 1].first()
    if surplus is not None:
        group.seen_lists.filter(pk__lte=surplus).delete()


def _unnamed(group: DatasetGroup) -> dict[str, JSONDict]:
    """The group's recorded lists by name that users asked for, that no event names and that are not kept yet."""
    since = timezone.now() - timedelta(seconds=recorder.KEEP_S)
    named = group.events.filter(recommendation_id__isnull=False, created__gte=since)
    known = {
        *group.seen_lists.filter(created__gte=since).values_list("recommendation_id", flat=True),
        *named.values_list("recommendation_id", flat=True),
    }
    return {
        name: answer
        for arn in _sources(group)
        for name, answer in recorder.recent(arn, MOST_LISTS).items()
        if name not in known and answer.get("group") == group.pk and answer.get("items") and answer.get("user")
    }


def _row(group: DatasetGroup, name: str, answer: JSONDict, arrivals: Arrivals) -> SeenList | None:
    following = arrivals.following(answer["user"], answer["time"])
    items = answer["items"][:PLACES]
    if not following or any(event.item_id in items for event in following):
        return None
    time, user = arrivals.event_time(answer["time"]), following[0].user_id
    return SeenList(dataset_group=group, recommendation_id=name, user_id=user, timestamp=time, items=items)


def _sources(group: DatasetGroup) -> Sequence[str]:
    campaigns = Campaign.objects.filter(solution_version__solution__dataset_group=group).select_related("account")
    recommenders = Recommender.objects.filter(dataset_group=group).select_related("account")
    return [row.arn for row in (*campaigns, *recommenders)]


def joined(group: DatasetGroup, tables: Tables) -> Tables:
    """The tables with the lists that imported rows name, and with those that were seen and no event names."""
    rows = group.seen_lists.order_by("pk").values_list("recommendation_id", "user_id", "timestamp", "items")
    lists = {name: (user, time, "|".join(items)) for name, user, time, items in rows}
    known = {name: items for name, (_, _, items) in lists.items()}
    interactions, named = _with_lists(group, tables.interactions, known)
    since = timezone.now() - timedelta(days=KEPT_DAYS, seconds=recorder.KEEP_S)
    events = group.events.filter(recommendation_id__isnull=False, created__gte=since)
    if lists:
        named |= {str(name) for name in events.values_list("recommendation_id", flat=True)}
    rest = [row for name, row in lists.items() if name not in named]
    users, times, items = zip(*rest, strict=True) if rest else ((), (), ())
    types = {"USER_ID": pa.string(), "TIMESTAMP": pa.int64(), "IMPRESSION": pa.string()}
    columns = [pa.array(values, kind) for values, kind in zip((users, times, items), types.values(), strict=True)]
    return replace(tables, interactions=interactions, seen=pa.table(columns, names=list(types)))


def _with_lists(group: DatasetGroup, table: pa.Table, known: Mapping[str, str]) -> tuple[pa.Table, set[str]]:
    """The interactions with the lists that rows without an impression name; also all names in them."""
    if "RECOMMENDATION_ID" not in table.column_names:
        return table, set()
    names = table["RECOMMENDATION_ID"]
    has_column = "IMPRESSION" in table.column_names
    before = table["IMPRESSION"] if has_column else pa.chunked_array([pa.nulls(table.num_rows, pa.string())])
    is_missing = np.asarray(pc.and_(pc.is_valid(names), pc.equal(pc.fill_null(before, ""), "")), bool)
    rows = pa.array(np.flatnonzero(is_missing))
    lists = dict(known)
    if len(rows):
        lists |= _recalled(group, table.take(rows), known)
    found = pa.array([lists.get(name) for name in names.take(rows).to_pylist()], pa.string())
    column = pc.replace_with_mask(before, pa.array(is_missing), found)
    place = table.column_names.index("IMPRESSION") if has_column else table.num_columns
    without = table.remove_column(place) if has_column else table
    return without.add_column(place, "IMPRESSION", column), set(pc.unique(pc.drop_null(names)).to_pylist())


def _recalled(group: DatasetGroup, rows: pa.Table, known: Mapping[str, str]) -> dict[str, str]:
    """Lists by name that imported rows name and the recorder knows; they are kept from now on."""
    wanted = {
        name: (user, time)
        for name, user, time in zip(*(rows[column].to_pylist() for column in NAMED), strict=True)
        if name not in known
    }
    answers = recorder.recall_many(list(wanted)[-MOST_LATE:])
    lists = {
        name: [str(item) for item in answer["items"][:PLACES]]
        for name, answer in answers.items()
        if answer.get("group") == group.pk and answer.get("items")
    }
    kept = [
        SeenList(
            dataset_group=group,
            recommendation_id=name,
            user_id=str(wanted[name][0]),
            timestamp=wanted[name][1],
            items=items,
        )
        for name, items in lists.items()
    ]
    SeenList.objects.bulk_create(kept, batch_size=500, ignore_conflicts=True)
    return {name: "|".join(items) for name, items in lists.items()}
