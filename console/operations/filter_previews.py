"""Ours: judge a filter expression before it becomes a filter, for people who are writing it."""

from __future__ import annotations

from console.models import Account
from console.operations.base import operation
from console.operations.dataset_groups import find_group
from console.operations.filters import schema_columns
from console.shapes import JSONDict
from recipes import filters as language
from recipes.filters import FilterError

DATASET_WORDS = {"ITEMS": "Item", "INTERACTIONS": "Interactions", "USERS": "CurrentUser", "ACTIONS": "Action"}


@operation
def preview_filter(account: Account, *, dataset_group_arn: str, filter_expression: str) -> JSONDict:
    """Whether the expression fits the group's schemas, else where it goes wrong; and the fields there are."""
    columns = schema_columns(find_group(account, dataset_group_arn))
    fields = [f"{DATASET_WORDS[kind]}.{name}" for kind in columns if kind in DATASET_WORDS for name in columns[kind]]
    try:
        parsed = language.parse(filter_expression)
        language.check(parsed, columns)
    except FilterError as error:
        return {
            "valid": False,
            "message": str(error),
            "column": error.column,
            "expected": list(error.expected),
            "fields": fields,
        }
    return {"valid": True, "placeholders": list(parsed.placeholders), "fields": fields}
