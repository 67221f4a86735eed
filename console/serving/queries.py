"""The queries of a request, as SQL: building them through the ORM takes longer than the rest of the request."""

# ruff: noqa: S608  only names of our own, of tables and of a state, are put into the texts
from __future__ import annotations

import json
from collections.abc import Collection
from functools import cache
from typing import Any, NamedTuple

from django.db import connection

from console.models import Campaign, Event, Experiment, Filter, Solution, SolutionVersion

TABLES = {
    model.__name__: model._meta.db_table for model in (Campaign, Event, Experiment, Filter, Solution, SolutionVersion)
}
CAMPAIGN = """
    SELECT c.status, c.config, v.artefact, v.recipe, s.dataset_group_id, e.id
    FROM {Campaign} c JOIN {SolutionVersion} v ON v.id = c.solution_version_id JOIN {Solution} s ON s.id = v.solution_id
        LEFT JOIN {Experiment} e ON e.campaign_id = c.id AND e.status = '{running}'
    WHERE c.account_id = %s AND c.name = %s
""".format(**TABLES, running=Experiment.State.RUNNING.value)
EXPERIMENT = """
    SELECT e.name, e.salt, e.traffic_share, v.artefact, v.recipe, e.kind
    FROM {Experiment} e JOIN {SolutionVersion} v ON v.id = e.treatment_id WHERE e.id = %s
""".format(**TABLES)
FILTER = "SELECT expression, status, dataset_group_id FROM {Filter} WHERE account_id = %s AND name = %s".format(
    **TABLES
)
LIVE = """
    SELECT user_id, item_id, event_type, timestamp FROM {Event}
    WHERE dataset_group_id = %s AND user_id IN ({{users}}) AND (id > %s OR is_anonymous) AND is_action = %s
    ORDER BY timestamp DESC, id DESC
""".format(**TABLES)


class CampaignRow(NamedTuple):
    """What a request needs to know of a campaign."""

    status: str
    config: dict[str, Any]
    artefact: str
    recipe: str
    group_id: int
    experiment: int | None


class ExperimentRow(NamedTuple):
    """What a request needs to know of a running experiment and its treatment."""

    name: str
    salt: str
    share: int
    artefact: str
    recipe: str
    kind: str


class FilterRow(NamedTuple):
    """What a request needs to know of a filter."""

    expression: str
    status: str
    group_id: int


def campaign(account_id: int, name: str) -> CampaignRow | None:
    """The campaign of that name."""
    row = _first(CAMPAIGN, account_id, name)
    if row is None:
        return None
    status, config, *rest = row
    return CampaignRow(status, json.loads(config) if isinstance(config, str) else config, *rest)


def experiment(pk: int) -> ExperimentRow | None:
    """The experiment of that number, while it runs; asked for only where a campaign has one."""
    row = _first(EXPERIMENT, pk)
    return ExperimentRow(*row) if row else None


def filter_named(account_id: int, name: str) -> FilterRow | None:
    """The filter of that name."""
    row = _first(FILTER, account_id, name)
    return FilterRow(*row) if row else None


def live_events(
    group_id: int, user_ids: Collection[str], after: int, limit: int, *, actions: bool
) -> dict[str, list[tuple[str, str, int]]]:
    """Users' newest streamed events (item, type, timestamp) with a row number above `after`, oldest first, `limit` each at most.

    What an anonymous session did counts whatever its number: no training has seen it.
    """
    found: dict[str, list[tuple[str, str, int]]] = {user: [] for user in user_ids}
    with connection.cursor() as cursor:
        cursor.execute(_live(len(found), limit), (group_id, *found, after, actions))
        for user, *event in cursor:
            if len(found[user]) < limit:
                found[user].append((event[0], event[1], event[2]))
    return {user: events[::-1] for user, events in found.items()}


@cache
def _live(users: int, limit: int) -> str:
    """The query for so many users; the limit of a single one is the query's."""
    text = LIVE.format(users=", ".join(["%s"] * users))
    return f"{text} LIMIT {limit}" if users == 1 else text


def _first(sql: str, *params: Any) -> tuple[Any, ...] | None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        row: tuple[Any, ...] | None = cursor.fetchone()
        return row
