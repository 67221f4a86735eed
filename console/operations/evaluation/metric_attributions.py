"""Metric attributions: which outcomes are counted, and to whom they are credited.

Events are summed as they come, by metric, source and window of 15 minutes. AWS sends the sums to CloudWatch; here they are
read with GetAttributedMetrics. Reports go to S3 by the clock and after imports that ask for one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

from django.db import transaction
from django.db.models import F, Sum

from console import storage
from console.errors import InvalidInputException, InvalidNextTokenException, ResourceAlreadyExistsException
from console.ingest import schema as schemas
from console.models import Account, DatasetGroup, MetricAttribution
from console.models.base import JSONDict
from console.operations.base import DEFAULT_PAGE, create, operation, page
from console.operations.data.dataset_groups import find_group
from console.operations.data.values import epoch_seconds
from console.serving.attribution import WINDOW_S, Expression, parse_expression
from console.serving.attribution_reports import folder_of, publish, report_streamed
from console.tenancy import output_for

MAX_METRICS = 10
NUMERIC = {"int", "long", "float", "double"}


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
    _check_output(account, metrics_output_config)
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
    _check_output(account, metrics_output_config or {})
    row.metrics, row.output = metrics, metrics_output_config or row.output
    row.save()
    return row.wire()


@operation
def delete_metric_attribution(account: Account, *, metric_attribution_arn: str) -> None:
    """Stop counting and forget the sums; published reports stay where they are."""
    row = _find(account, metric_attribution_arn)
    drafts = storage.store(f"attribution/{row.pk}/")
    row.delete()
    transaction.on_commit(partial(storage.delete, drafts))


@operation
def get_attributed_metrics(
    account: Account,
    *,
    metric_attribution_arn: str,
    start_time: float | str | datetime | None = None,
    end_time: float | str | datetime | None = None,
    period_seconds: int = WINDOW_S,
    metric_name: str | None = None,
    event_attribution_source: str | None = None,
    max_results: int = 1000,
) -> JSONDict:
    """What was counted, by metric, source and period; the newest periods first."""
    if period_seconds % WINDOW_S:
        raise InvalidInputException(
            f"periodSeconds is {period_seconds}, allowed are multiples of {WINDOW_S}.", field="periodSeconds"
        )
    wanted = {
        "window__gte": None if start_time is None else epoch_seconds(start_time),
        "window__lt": None if end_time is None else epoch_seconds(end_time),
        "metric_name": metric_name,
        "source": event_attribution_source,
    }
    rows = _find(account, metric_attribution_arn).sums.filter(
        **{name: value for name, value in wanted.items() if value is not None}
    )
    rows = rows.annotate(period=F("window") - F("window") % period_seconds)
    sums = rows.values("period", "metric_name", "event_type", "source").annotate(total=Sum("value"))
    return {
        "sums": [
            {
                "metricName": row["metric_name"],
                "eventType": row["event_type"],
                "eventAttributionSource": row["source"],
                "windowStart": datetime.fromtimestamp(row["period"], UTC),
                "value": row["total"],
            }
            for row in sums.order_by("-period", "metric_name", "source")[:max_results]
        ]
    }


@operation
def create_attribution_report(account: Account, *, metric_attribution_arn: str) -> JSONDict:
    """Write what was streamed and not reported yet, without waiting for the clock."""
    row = _find(account, metric_attribution_arn)
    if not folder_of(row):
        raise InvalidInputException(
            f"{row.name} has no s3DataDestination to write to; UpdateMetricAttribution names one.",
            field="metricAttributionArn",
        )
    report = report_streamed(row)
    if report is None:
        raise InvalidInputException("There is nothing to report that no report has yet.", field="metricAttributionArn")
    transaction.on_commit(partial(publish, report))
    return {"report": report.wire()}


@operation
def list_attribution_reports(account: Account, *, metric_attribution_arn: str, max_results: int = 100) -> JSONDict:
    """The reports that were written, newest first."""
    reports = _find(account, metric_attribution_arn).reports.all()[:max_results]
    return {"reports": [report.wire() for report in reports]}


def _check_output(account: Account, output: JSONDict) -> None:
    """Reports go into a folder that the account may write to."""
    if path := output.get("s3DataDestination", {}).get("path"):
        output_for(account, path, field="metricsOutputConfig")


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


def _required(arn: str | None) -> str:
    if arn is None:
        raise InvalidInputException("metricAttributionArn is missing.", field="metricAttributionArn")
    return arn


def _find(account: Account, arn: str) -> MetricAttribution:
    rows = MetricAttribution.objects.select_related("account", "dataset_group__account")
    found: MetricAttribution = rows.by_arn(account, arn, field="metricAttributionArn")
    return found
