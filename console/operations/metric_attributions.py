"""Metric attributions: which outcomes are counted, and to whom they are credited.

Streamed events are summed as they come, by metric, source and window of 15 minutes. AWS sends the sums to CloudWatch; here
they are rows (`AttributedSum`), read with GetAttributedMetrics.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from time import time

from django.db.models import F

from console.errors import (
    InvalidInputException,
    InvalidNextTokenException,
    ResourceAlreadyExistsException,
)
from console.ingest import schema as schemas
from console.models import Account, AttributedSum, DatasetGroup, Event, MetricAttribution
from console.models.base import JSONDict
from console.operations.base import DEFAULT_PAGE, create, operation, page
from console.operations.dataset_groups import find_group
from console.operations.entities import item_number
from console.serving.recorder import recall

MAX_METRICS = 10
MAX_SOURCES = 100
WINDOW_S = 15 * 60
MAX_AGE_S = 14 * 86400
UNDEFINED_SOURCE = "SOURCE_NAME_UNDEFINED"
EXPRESSION = re.compile(
    r"\s*(?:SAMPLECOUNT\s*\(\s*\)|SUM\s*\(\s*(ITEMS|INTERACTIONS)\s*\.\s*(\w+)\s*\))\s*", re.IGNORECASE
)
NUMERIC = {"int", "long", "float", "double"}


@dataclass(frozen=True)
class Expression:
    """What a metric adds up: the numbers of a column, or ones where `column` is empty."""

    dataset: str = ""
    column: str = ""


@operation
def create_metric_attribution(
    account: Account, *, name: str, dataset_group_arn: str, metrics: Sequence[JSONDict], metrics_output_config: JSONDict
) -> JSONDict:
    """Begin to count; events from before are not counted."""
    group = find_group(account, dataset_group_arn)
    if hasattr(group, "metric_attribution"):
        raise ResourceAlreadyExistsException(
            f"Dataset group {group.name} already has the metric attribution {group.metric_attribution.name}; "
            "a group has one.",
            field="datasetGroupArn",
        )
    _check_metrics(group, metrics)
    row = MetricAttribution(
        account=account, name=name, dataset_group=group, metrics=list(metrics), output=metrics_output_config
    )
    create(row)
    return row.wire()


@operation
def describe_metric_attribution(account: Account, *, metric_attribution_arn: str) -> JSONDict:
    """A metric attribution without its metrics, which have a list of their own."""
    return {"metricAttribution": _find(account, metric_attribution_arn).wire()}


@operation
def list_metric_attributions(
    account: Account,
    *,
    dataset_group_arn: str | None = None,
    next_token: str | None = None,
    max_results: int = DEFAULT_PAGE,
) -> JSONDict:
    """The metric attribution of a group, or all of the account, newest first."""
    rows = MetricAttribution.objects.for_account(account).select_related("account", "dataset_group__account")
    if dataset_group_arn:
        rows = rows.filter(dataset_group=find_group(account, dataset_group_arn))
    return page("ListMetricAttributions", rows, "metricAttributions", next_token, max_results)


@operation
def list_metric_attribution_metrics(
    account: Account,
    *,
    metric_attribution_arn: str | None = None,
    next_token: str | None = None,
    max_results: int = DEFAULT_PAGE,
) -> JSONDict:
    """The metrics, in the order they were added. The ARN is needed, though AWS's model does not mark it so."""
    metrics = _find(account, _required(metric_attribution_arn)).metrics
    if next_token and not next_token.isdecimal():
        raise InvalidNextTokenException(
            f"nextToken {next_token[:40]} is not one of this list; pass on the token of its last page.",
            field="nextToken",
        )
    start = int(next_token or 0)
    end = start + max_results
    return {"metrics": metrics[start:end], "nextToken": str(end) if end < len(metrics) else None}


@operation
def update_metric_attribution(
    account: Account,
    *,
    metric_attribution_arn: str | None = None,
    add_metrics: Sequence[JSONDict] | None = None,
    remove_metrics: Sequence[str] | None = None,
    metrics_output_config: JSONDict | None = None,
) -> JSONDict:
    """Add and remove metrics, or say anew where reports go; what is removed makes room for what is added."""
    row = _find(account, _required(metric_attribution_arn))
    gone = set(remove_metrics or ())
    names = {metric["metricName"] for metric in row.metrics}
    if unknown := sorted(gone - names):
        raise InvalidInputException(
            f"There is no metric {unknown[0]}; there are {', '.join(sorted(names))}.", field="removeMetrics"
        )
    if taken := sorted((names - gone) & {metric["metricName"] for metric in add_metrics or ()}):
        raise ResourceAlreadyExistsException(f"There is a metric {taken[0]} already.", field="addMetrics")
    metrics = [metric for metric in row.metrics if metric["metricName"] not in gone] + list(add_metrics or ())
    _check_metrics(row.dataset_group, metrics)
    row.metrics, row.output = metrics, metrics_output_config or row.output
    row.save()
    return row.wire()


@operation
def delete_metric_attribution(account: Account, *, metric_attribution_arn: str) -> None:
    """Stop counting and forget the sums."""
    _find(account, metric_attribution_arn).delete()


@operation
def get_attributed_metrics(account: Account, *, metric_attribution_arn: str, max_results: int = 1000) -> JSONDict:
    """What was counted, by metric, source and window of 15 minutes; the newest windows first."""
    sums = _find(account, metric_attribution_arn).sums.order_by("-window", "metric_name", "source")[:max_results]
    return {
        "sums": [
            {
                "metricName": row.metric_name,
                "eventType": row.event_type,
                "eventAttributionSource": row.source,
                "windowStart": datetime.fromtimestamp(row.window, UTC),
                "value": row.value,
            }
            for row in sums
        ]
    }


def attribute(group: DatasetGroup, events: Sequence[Event]) -> None:
    """Add new streamed events to the sums of the group's metric attribution, if it has one."""
    attribution = getattr(group, "metric_attribution", None)
    if attribution is None:
        return
    oldest = time() - MAX_AGE_S
    for event in events:
        wanted = [metric for metric in attribution.metrics if metric["eventType"] == event.event_type]
        if wanted and event.timestamp >= oldest:
            source = _source(event)
            for metric in wanted:
                _add(attribution, metric, source, event)


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


def _check_metrics(group: DatasetGroup, metrics: Sequence[JSONDict]) -> None:
    if not 1 <= len(metrics) <= MAX_METRICS:
        raise InvalidInputException(
            f"There are {len(metrics)} metrics, allowed are 1 to {MAX_METRICS}.", field="metrics"
        )
    names = [metric["metricName"] for metric in metrics]
    if twice := [name for name in names if names.count(name) > 1]:
        raise InvalidInputException(f"The metric name {twice[0]} is given twice.", field="metrics")
    datasets = {row.type: row for row in group.datasets.select_related("schema")}
    columns = {
        kind: {field.name.upper(): field.type for field in schemas.parse(row.schema.text, group.domain).fields}
        for kind, row in datasets.items()
    }
    if "INTERACTIONS" in columns and "EVENT_TYPE" not in columns["INTERACTIONS"]:
        raise InvalidInputException(
            "The schema of the Interactions dataset has no EVENT_TYPE column, which metrics need.", field="metrics"
        )
    for metric in metrics:
        _check_column(parse_expression(metric["expression"]), columns)


def _check_column(expression: Expression, columns: dict[str, dict[str, str]]) -> None:
    if not expression.column:
        return
    numeric = [name for name, kind in columns.get(expression.dataset, {}).items() if kind in NUMERIC]
    if expression.column not in numeric:
        raise InvalidInputException(
            f"{expression.dataset}.{expression.column} is no numeric column of the dataset group; there are: "
            f"{', '.join(numeric) or 'none'}.",
            field="metrics",
        )


def _source(event: Event) -> str:
    if event.attribution_source:
        return event.attribution_source
    shown = recall(event.recommendation_id) if event.recommendation_id else None
    return str(shown["source"]) if shown else UNDEFINED_SOURCE


def _add(attribution: MetricAttribution, metric: JSONDict, source: str, event: Event) -> None:
    value = _value(attribution.dataset_group, parse_expression(metric["expression"]), event)
    if value is None:
        return
    sums = AttributedSum.objects.filter(metric_attribution=attribution)
    key = {
        "metric_name": metric["metricName"],
        "event_type": metric["eventType"],
        "source": source,
        "window": event.timestamp // WINDOW_S * WINDOW_S,
    }
    if sums.filter(**key).update(value=F("value") + value):
        return
    sources = set(sums.values_list("source", flat=True).distinct())
    if source in sources or len(sources) < MAX_SOURCES:
        row, _ = AttributedSum.objects.get_or_create(metric_attribution=attribution, **key)
        sums.filter(pk=row.pk).update(value=F("value") + value)


def _value(group: DatasetGroup, expression: Expression, event: Event) -> float | None:
    found: object
    if not expression.column:
        return 1.0
    if expression.dataset == "INTERACTIONS":
        found = event.event_value if expression.column == "EVENT_VALUE" else event.properties.get(expression.column)
    else:
        found = item_number(group, event.item_id, expression.column)
    return float(found) if isinstance(found, int | float) else None


def _required(arn: str | None) -> str:
    if arn is None:
        raise InvalidInputException("metricAttributionArn is missing.", field="metricAttributionArn")
    return arn


def _find(account: Account, arn: str) -> MetricAttribution:
    rows = MetricAttribution.objects.select_related("account", "dataset_group__account")
    found: MetricAttribution = rows.by_arn(account, arn, field="metricAttributionArn")
    return found
