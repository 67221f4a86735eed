"""What outcomes are worth and to whom they are credited: the counting behind metric attributions.

Streamed events are added up as they come, imported ones when their import ends; both by metric, source and window of 15
minutes. AWS sends such sums to CloudWatch; here they are rows (`AttributedSum`).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from time import time
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from django.conf import settings
from django.db.models import F

from console.errors import InvalidInputException
from console.models import AttributedSum, DatasetGroup, Event, MetricAttribution
from console.models.base import JSONDict
from console.serving.entities import item_number, item_numbers
from console.serving.recorder import KEEP_S, recall, recall_many

WINDOW_S = 15 * 60
MAX_AGE_S, MAX_AHEAD_S = 14 * 86400, 2 * 3600  # as in CloudWatch
UNDEFINED_SOURCE = "SOURCE_NAME_UNDEFINED"
STREAMED, IMPORTED = "PUT", "BULK"
SUMMED, COUNTED = "sum", "samplecount"
EXPRESSION = re.compile(
    r"\s*(?:SAMPLECOUNT\s*\(\s*\)|SUM\s*\(\s*(ITEMS|INTERACTIONS)\s*\.\s*(\w+)\s*\))\s*", re.IGNORECASE
)
REPORTED = pa.schema([
    ("METRIC_NAME", pa.string()), ("EVENT_TYPE", pa.string()), ("VALUE", pa.float64()), ("MATH_FUNCTION", pa.string()),
    ("EVENT_ATTRIBUTION_SOURCE", pa.string()), ("TIMESTAMP", pa.int64()),
])  # fmt: skip
EVENT_COLUMNS = ("ITEM_ID", "EVENT_TYPE", "TIMESTAMP", "RECOMMENDATION_ID", "EVENT_ATTRIBUTION_SOURCE")


class Key(NamedTuple):
    """What one sum is of."""

    metric: str
    event_type: str
    function: str
    source: str
    window: int


@dataclass(frozen=True)
class Expression:
    """What a metric adds up: the numbers of a column, or ones where `column` is empty."""

    dataset: str = ""
    column: str = ""

    @property
    def function(self) -> str:
        """What reports call it."""
        return SUMMED if self.column else COUNTED


def parse_expression(text: str) -> Expression:
    """Read a metric's expression.

    Raises:
        InvalidInputException: it is neither SAMPLECOUNT() nor SUM(Items.COLUMN) or SUM(Interactions.COLUMN).
    """
    found = EXPRESSION.fullmatch(text)
    if not found:
        raise InvalidInputException(
            f"The expression is {text}, allowed are SAMPLECOUNT(), SUM(Items.COLUMN) and SUM(Interactions.COLUMN).",
            field="metrics",
        )
    return Expression((found[1] or "").upper(), (found[2] or "").upper())


def attribute(group: DatasetGroup, events: Sequence[Event]) -> None:
    """Add new streamed events to the sums of the group's metric attribution, if it has one."""
    attribution: MetricAttribution | None = getattr(group, "metric_attribution", None)
    if attribution is None:
        return
    now = time()
    sums: defaultdict[Key, float] = defaultdict(float)
    for event in events:
        wanted = [metric for metric in attribution.metrics if metric["eventType"] == event.event_type]
        if not wanted or not now - MAX_AGE_S <= event.timestamp <= now + MAX_AHEAD_S:
            continue
        source, window = _source(event), event.timestamp // WINDOW_S * WINDOW_S
        for metric in wanted:
            expression = parse_expression(metric["expression"])
            value = _value(group, expression, event)
            if value is not None:
                sums[Key(metric["metricName"], event.event_type, expression.function, source, window)] += value
    book(attribution, sums, STREAMED)


def book(attribution: MetricAttribution, sums: Mapping[Key, float], method: str) -> None:
    """Add to the sums of an attribution; a source beyond the hundred that AWS allows is left out."""
    rows = AttributedSum.objects.filter(metric_attribution=attribution)
    known: set[str] | None = None
    for key, value in sums.items():
        fields: JSONDict = {
            "metric_name": key.metric, "event_type": key.event_type, "function": key.function, "source": key.source,
            "window": key.window, "method": method,
        }  # fmt: skip
        if rows.filter(**fields).update(value=F("value") + value):
            continue
        known = set(rows.values_list("source", flat=True).distinct()) if known is None else known
        if key.source in known or len(known) < settings.QUOTAS["ATTRIBUTION_SOURCES"]:
            known.add(key.source)
            row, _ = AttributedSum.objects.get_or_create(metric_attribution=attribution, **fields)
            rows.filter(pk=row.pk).update(value=F("value") + value)


def recent(table: pa.Table) -> dict[Key, float]:
    """The sums of a table of `imported` that are young enough for `book`."""
    now, moments = int(time()), table["TIMESTAMP"]
    young = table.filter(pc.and_(pc.greater_equal(moments, now - MAX_AGE_S), pc.less_equal(moments, now + MAX_AHEAD_S)))
    columns = [young[name].to_pylist() for name in REPORTED.names]
    return {
        Key(metric, event_type, function, source, window): value
        for metric, event_type, value, function, source, window in zip(*columns, strict=True)
    }


def imported(attribution: MetricAttribution, tables: Iterable[pa.Table]) -> pa.Table:
    """What the rows of an import add up to, in the columns of a report, by metric, source and time.

    Args:
        attribution: its metrics are what is counted.
        tables: the rows in the columns that `columns_for` names, a bounded number at a time.
    """
    expressions = [(metric, parse_expression(metric["expression"])) for metric in attribution.metrics]
    numbers = {
        expression.column: item_numbers(attribution.dataset_group, expression.column)
        for _, expression in expressions
        if expression.dataset == "ITEMS"
    }
    total = REPORTED.empty_table()
    for table in tables:
        rows = _credited(table, attribution.dataset_group_id)
        found = [_counted(rows, metric, expression, numbers) for metric, expression in expressions]
        total = _together(pa.concat_tables([total, *found]))
    return _within_sources(total).sort_by([("TIMESTAMP", "ascending"), ("METRIC_NAME", "ascending")])


def columns_for(attribution: MetricAttribution) -> pa.Schema:
    """The columns of events that counting reads; null where a dataset has none."""
    columns = {name: pa.int64() if name == "TIMESTAMP" else pa.string() for name in EVENT_COLUMNS}
    for metric in attribution.metrics:
        expression = parse_expression(metric["expression"])
        if expression.dataset == "INTERACTIONS":
            columns[expression.column] = pa.float64()
    return pa.schema(list(columns.items()))


def _credited(table: pa.Table, group_id: int) -> pa.Table:
    """The rows with their source and their window."""
    source = table["EVENT_ATTRIBUTION_SOURCE"]
    source = pc.if_else(pc.equal(pc.utf8_length(source), 0), None, source)
    asked = pc.if_else(
        pc.and_(pc.is_null(source), pc.greater(table["TIMESTAMP"], int(time() - KEEP_S - 86400))),
        table["RECOMMENDATION_ID"],
        None,
    )
    names = [name for name in pc.unique(asked).to_pylist() if name]
    known = {name: _arn(shown, group_id) for name, shown in recall_many(names).items()}
    if known:
        places = pc.index_in(asked, pa.array(list(known), pa.string()))
        source = pc.coalesce(source, pa.array(list(known.values()), pa.string()).take(places))
    windows = pc.multiply(pc.floor(pc.divide(table["TIMESTAMP"].cast(pa.float64()), WINDOW_S)), WINDOW_S)
    source = pc.fill_null(source, UNDEFINED_SOURCE)
    return table.append_column("SOURCE", source).append_column("WINDOW", windows.cast(pa.int64()))


def _counted(
    rows: pa.Table, metric: JSONDict, expression: Expression, numbers: Mapping[str, Mapping[str, float]]
) -> pa.Table:
    """One metric's sums over some rows."""
    rows = rows.filter(pc.fill_null(pc.equal(rows["EVENT_TYPE"], metric["eventType"]), fill_value=False))
    if not expression.column:
        values = pa.array([1.0] * rows.num_rows, pa.float64())
    elif expression.dataset == "ITEMS":
        known = numbers[expression.column]
        places = pc.index_in(rows["ITEM_ID"], pa.array(list(known), pa.string()))
        values = pa.array(list(known.values()), pa.float64()).take(places.combine_chunks())
    else:
        values = rows[expression.column]
    table = pa.table([
        pa.array([metric["metricName"]] * rows.num_rows, pa.string()), rows["EVENT_TYPE"], values,
        pa.array([expression.function] * rows.num_rows, pa.string()), rows["SOURCE"], rows["WINDOW"],
    ], schema=REPORTED)  # fmt: skip
    return table.filter(pc.is_valid(table["VALUE"]))


def _together(table: pa.Table) -> pa.Table:
    keys = [name for name in REPORTED.names if name != "VALUE"]
    summed = table.group_by(keys, use_threads=False).aggregate([("VALUE", "sum")])
    return summed.rename_columns([*keys, "VALUE"]).select(REPORTED.names)


def _within_sources(table: pa.Table) -> pa.Table:
    """Without the sources beyond the quota; those that have most windows stay."""
    found = table.group_by("EVENT_ATTRIBUTION_SOURCE", use_threads=False).aggregate([("TIMESTAMP", "count")])
    limit = settings.QUOTAS["ATTRIBUTION_SOURCES"]
    if found.num_rows <= limit:
        return table
    most = found.sort_by([("TIMESTAMP_count", "descending"), ("EVENT_ATTRIBUTION_SOURCE", "ascending")])
    kept = most["EVENT_ATTRIBUTION_SOURCE"].slice(0, limit).combine_chunks()
    return table.filter(pc.is_in(table["EVENT_ATTRIBUTION_SOURCE"], kept))


def _source(event: Event) -> str:
    if event.attribution_source:
        return event.attribution_source
    shown = recall(event.recommendation_id) if event.recommendation_id else None
    return _arn(shown, event.dataset_group_id) or UNDEFINED_SOURCE


def _arn(shown: JSONDict | None, group_id: int) -> str | None:
    """What gave a recommendation, if it is of this group: an id of another's tells nothing."""
    return str(shown["source"]) if shown and shown.get("group") == group_id else None


def _value(group: DatasetGroup, expression: Expression, event: Event) -> float | None:
    found: object
    if not expression.column:
        return 1.0
    if expression.dataset == "INTERACTIONS":
        found = event.event_value if expression.column == "EVENT_VALUE" else event.properties.get(expression.column)
    else:
        found = item_number(group, event.item_id, expression.column)
    return float(found) if isinstance(found, int | float) else None
