"""Filters: expressions held to the schemas of their group when they are made, so that requests cannot fail on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from console import limits
from console.errors import InvalidInputException, LimitExceededException, ResourceInUseException
from console.ingest import schema as schemas
from console.models import Account, DatasetGroup, Filter
from console.models.base import UNFINISHED, JSONDict
from console.operations.account.tags import tag_map
from console.operations.base import DEFAULT_PAGE, create, operation, page, within_quota
from console.operations.data.dataset_groups import find_group
from recipes import filters as language
from recipes.filters import FieldKind, FilterError


@operation
def create_filter(
    account: Account,
    *,
    name: str,
    dataset_group_arn: str,
    filter_expression: str,
    tags: Sequence[JSONDict] | None = None,
) -> JSONDict:
    """Make a filter, ACTIVE at once as there is nothing to compute beforehand."""
    group = find_group(account, dataset_group_arn)
    within_quota("FILTERS_PER_GROUP", group.filters.all(), f"a filter in dataset group {group.name}")
    _check(group, filter_expression)
    row = Filter(account=account, name=name, dataset_group=group, expression=filter_expression, tags=tag_map(tags))
    create(row)
    return row.wire()


@operation
def describe_filter(account: Account, *, filter_arn: str) -> JSONDict:
    """A filter in full."""
    return {"filter": _find(account, filter_arn).wire()}


@operation
def list_filters(
    account: Account,
    *,
    dataset_group_arn: str | None = None,
    next_token: str | None = None,
    max_results: int = DEFAULT_PAGE,
) -> JSONDict:
    """The filters of a group, or all of the account, newest first."""
    rows = Filter.objects.for_account(account).select_related("account", "dataset_group__account")
    if dataset_group_arn:
        rows = rows.filter(dataset_group=find_group(account, dataset_group_arn))
    return page("ListFilters", rows, "Filters", next_token, max_results)


@operation
def delete_filter(account: Account, *, filter_arn: str) -> None:
    """Delete a filter.

    Raises:
        ResourceInUseException: a batch job that uses it has not ended.
    """
    row = _find(account, filter_arn)
    for jobs in (row.batch_inference_jobs, row.batch_segment_jobs):
        if job := jobs.filter(status__in=UNFINISHED).first():
            raise ResourceInUseException(
                f"Filter {row.name} is used by the batch job {job.name}, which is {job.status}; wait for its end.",
                field="filterArn",
            )
    row.delete()


def schema_columns(group: DatasetGroup) -> dict[str, dict[str, FieldKind]]:
    """The columns of the group's datasets by type, as the filter language wants to know them."""
    return {
        dataset.type: {field.name: _kind(field) for field in schemas.parse(dataset.schema.text, group.domain).fields}
        for dataset in group.datasets.select_related("schema")
    }


def _check(group: DatasetGroup, expression: str) -> None:
    try:
        parsed = language.parse(expression)
        language.check(parsed, schema_columns(group))
    except FilterError as error:
        raise InvalidInputException(str(error), field="filterExpression") from None
    fields = set(parsed.fields())
    _within_fields("FIELDS_PER_FILTER", fields, "The filter uses")
    for row in group.filters.all():
        fields.update(language.parse(row.expression).fields())
    _within_fields(
        "FIELDS_OF_FILTERS_PER_GROUP", fields, f"With it the filters of dataset group {group.name} would use"
    )


def _within_fields(quota: str, fields: set[Any], who: str) -> None:
    limit = limits.quota(quota)
    if len(fields) > limit:
        raise LimitExceededException(
            f"{who} {len(fields)} distinct fields, at most {limit} are allowed; QUOTA_{quota} is the setting.",
            field="filterExpression",
        )


def _kind(field: schemas.Field) -> FieldKind:
    if field.textual:
        return FieldKind.TEXTUAL
    return {"string": FieldKind.STRING, "boolean": FieldKind.BOOLEAN}.get(field.type, FieldKind.NUMERIC)


def _find(account: Account, arn: str) -> Filter:
    rows = Filter.objects.select_related("account", "dataset_group__account")
    found: Filter = rows.by_arn(account, arn, field="filterArn")
    return found
