"""What the users of a running experiment did after they were first given a list, counted in one pass of SQL.

Only counts leave this module: users by arm, by the period in which they came in and that of their first outcome. They are all
that the statistics need, and what is kept of an experiment that has ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from console.models import Event, Experiment, ExperimentUser
from recipes.evaluation.adjustment import Sums

TABLES = {model.__name__: model._meta.db_table for model in (Event, ExperimentUser)}
HOUR, DAY = 3600, 86_400
LONG_S = 3 * DAY  # from here on it is shown by the day
COUNTED = """
    SELECT is_treatment, came / {period} AS period, first / {period}, COUNT(*), SUM(events), SUM(events * events) FROM (
        SELECT is_treatment, came, MIN(at) AS first, COUNT(at) AS events FROM (
            SELECT u.id, u.is_treatment, u.time AS came, e.timestamp AS at FROM {ExperimentUser} u
                LEFT JOIN {Event} e ON e.user_id = u.user_id AND {counts} WHERE u.experiment_id = %s
            UNION ALL
            SELECT u.id, u.is_treatment, u.time AS came, e.timestamp AS at FROM {ExperimentUser} u
                JOIN {Event} e ON e.session_id = u.user_id AND e.user_id <> u.user_id AND {counts} WHERE u.experiment_id = %s
        ) pairs GROUP BY id, is_treatment, came
    ) outcomes GROUP BY is_treatment, period, first / {period} ORDER BY period
"""
# The second half: who is asked for by the session stays that session's after signing in, when the events become the user's.
ACTIVITY = """
    SELECT is_treatment, COUNT(*), SUM(y), SUM(x), SUM(y * y), SUM(x * x), SUM(x * y) FROM (
        SELECT u.id, u.is_treatment, SUM(CASE WHEN e.timestamp >= u.time THEN 1 ELSE 0 END) AS y,
            SUM(CASE WHEN e.timestamp < u.time THEN 1 ELSE 0 END) AS x FROM {ExperimentUser} u
            LEFT JOIN {Event} e ON e.user_id = u.user_id AND e.dataset_group_id = %s AND e.timestamp >= u.time - %s
                AND e.timestamp <= %s AND e.is_action = %s{wanted} WHERE u.experiment_id = %s
        GROUP BY u.id, u.is_treatment
    ) outcomes GROUP BY is_treatment
"""
BEFORE_DAYS = 28  # of activity before a user's first list
COUNTS = "e.dataset_group_id = %s AND e.timestamp >= u.time AND e.timestamp <= %s AND e.is_action = %s{wanted}"


@dataclass(frozen=True)
class Cell:
    """Users who are alike in arm and periods.

    Attributes:
        is_treatment: their arm.
        period: when they came in, as epoch seconds.
        first: when they first did what counts, as epoch seconds; None for those who have not.
        users: how many.
        events: how often they did it, together.
        squares: sum of the squares of each one's count.
    """

    is_treatment: bool
    period: int
    first: int | None
    users: int
    events: int
    squares: int

    def kept(self) -> list[int | None]:
        """As JSON."""
        return [int(self.is_treatment), self.period, self.first, self.users, self.events, self.squares]


def revived(counts: Sequence[Sequence[Any]]) -> list[Cell]:
    """The cells of an experiment that has ended."""
    return [Cell(bool(is_treatment), *rest) for is_treatment, *rest in counts]


def period_of(seconds: float) -> int:
    """How long a period is, for an experiment of this length."""
    return DAY if seconds > LONG_S else HOUR


def count(experiment: Experiment, *, until: int, actions: bool, types: Sequence[str] | None = None) -> list[Cell]:
    """What came of the experiment's users so far.

    Args:
        experiment: a running one.
        until: epoch seconds; what happened later is left out.
        actions: whether outcomes are interactions with actions instead of items.
        types: of the events that count; the experiment's by default.
    """
    period = period_of(until - experiment.created.timestamp())
    types = experiment.event_types if types is None else types
    counts = COUNTS.format(wanted=_wanted(types))
    sql = COUNTED.format(**TABLES, period=period, counts=counts)
    half = [experiment.dataset_group.pk, until, actions, *types, experiment.pk]
    with connection.cursor() as cursor:
        cursor.execute(sql, half * 2)
        return [
            Cell(
                bool(treated),
                start * period,
                None if first is None else first * period,
                users,
                int(events),
                int(squares),
            )
            for treated, start, first, users, events, squares in cursor.fetchall()
        ]


def activity(experiment: Experiment, *, until: int, actions: bool) -> dict[bool, Sums]:
    """Each arm's outcomes beside what its users did in the 28 days before they were first given a list, as far as it was streamed."""
    types = experiment.event_types
    sql = ACTIVITY.format(**TABLES, wanted=_wanted(types))
    values = [experiment.dataset_group.pk, BEFORE_DAYS * DAY, until, actions, *types, experiment.pk]
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return {bool(treated): Sums(*(int(value or 0) for value in sums)) for treated, *sums in cursor.fetchall()}


def _wanted(types: Sequence[str]) -> str:
    return f" AND e.event_type IN ({', '.join(['%s'] * len(types))})" if types else ""
