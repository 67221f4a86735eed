"""Datasets in words and charts, from the statistics that their imports gather."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from django.utils.translation import gettext, ngettext

from console.models import Dataset
from console.web import charts
from console.web.charts import Chart
from console.web.languages import date, localised
from console.web.templatetags.display import number

ENTITIES = ("ITEMS", "USERS", "ACTIONS")
IDS = ("ITEM_ID", "USER_ID", "ACTION_ID")
COUNTED: tuple[tuple[str, Callable[[int], str]], ...] = (
    ("users", lambda count: ngettext("{n} user", "{n} users", count)),
    ("items", lambda count: ngettext("{n} item", "{n} items", count)),
    ("actions", lambda count: ngettext("{n} action", "{n} actions", count)),
)


def dataset_facts(dataset: Dataset) -> list[str]:
    """What a dataset holds, in a few words: users, items and the span of time, or what is known of each item or user.

    >>> dataset_facts(Dataset(statistics={"users": 943, "items": 1682, "first": 874724710, "last": 893286638}))
    ['943 users', '1,682 items', '20 Sep 1997 to 22 Apr 1998']
    """
    statistics = dataset.statistics or {}
    if dataset.type in ENTITIES:
        return [name for name in statistics.get("columns", {}) if name not in IDS]
    found = [words(count).format(n=number(count)) for key, words in COUNTED if (count := statistics.get(key))]
    if statistics.get("first") is not None:
        found.append(gettext("{first} to {last}").format(first=day(statistics["first"]), last=day(statistics["last"])))
    return found


def day(seconds: float) -> str:
    """The UTC day of an epoch second.

    >>> day(874724710)
    '20 Sep 1997'
    """
    return date(datetime.fromtimestamp(seconds, UTC))


def timeline(dataset: Dataset | None) -> Chart | None:
    """Events over time; None while there are none."""
    found = (dataset.statistics or {}).get("timeline") if dataset else None
    if not found or not found.get("counts"):
        return None
    return charts.timeline("timeline", gettext("Events over time"), found["start"], found["width"], found["counts"])


def measured(value: float) -> str:
    """A value of a column: as it stands if it is whole or large, as it may be a year, else with three significant digits.

    >>> measured(1995.0), measured(0.00106891), measured(4.5), measured(1234.5)
    ('1995', '0.00107', '4.5', '1234.5')
    """
    return localised(f"{value:.3g}" if abs(value) < 100 and value != int(value) else f"{value:g}")


def mean(value: float | None) -> str:
    """A mean with one digit more than other numbers have; below ten thousand without a comma, as it may be of years.

    >>> mean(1989.38), mean(3.529), mean(123456.7), mean(None)
    ('1989', '3.529', '123,457', '–')
    """
    return localised(f"{value:.4g}".replace("-", "−")) if value is not None and abs(value) < 10_000 else number(value)
