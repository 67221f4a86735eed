"""How many items a filter expression lets through, before it is kept."""

from __future__ import annotations

from console.errors import InvalidInputException
from console.models import Account, DatasetGroup, Recommender, SolutionVersion
from console.operations.base import operation
from console.operations.filters import schema_columns
from console.serving.history import past_of
from console.serving.loader import SHELF
from console.serving.metadata import values_of
from console.serving.overlay import catalog_of
from console.serving.recommend import masked
from console.serving.sources import bind
from console.shapes import JSONDict
from recipes import filters


@operation
def preview_filter(
    account: Account,
    *,
    dataset_group_arn: str,
    filter_expression: str,
    filter_values: dict[str, str] | None = None,
    user_id: str | None = None,
    item_id: str | None = None,
    max_results: int = 10,
) -> JSONDict:
    """Of the items of the group's newest trained snapshot; the parameters the filter takes are named."""
    group: DatasetGroup = DatasetGroup.objects.by_arn(account, dataset_group_arn, field="datasetGroupArn")
    try:
        parsed = filters.parse(filter_expression)
        filters.check(parsed, schema_columns(group))
    except filters.FilterError as error:
        raise InvalidInputException(str(error), field="filterExpression") from None
    told: JSONDict = {"placeholders": list(parsed.placeholders)}
    missing = [name for name, required in parsed.placeholders.items() if required and name not in (filter_values or {})]
    key = _newest_artefact(group)
    if missing or key is None:
        return told
    loaded = SHELF.get(key)
    catalog = catalog_of(loaded, group.pk)
    past = past_of(loaded, group.pk, user_id)
    query = loaded.data.item_ids.index(item_id) if item_id else -1
    allowed = masked(bind(filter_expression, filter_values), group.pk, user_id, loaded, catalog, past, query)
    shown = allowed.nonzero()[0][:max_results]
    cards = [
        {
            "itemId": loaded.data.item_ids[item],
            "title": loaded.title(item),
            "metadata": values_of(catalog.columns, item),
        }
        for item in map(int, shown)
    ]
    return told | {"passing": int(allowed.sum()), "total": loaded.data.num_items, "items": cards}


def _newest_artefact(group: DatasetGroup) -> str | None:
    """The artefact of the newest version or recommender; a filter looks at items, whatever the model."""
    for model, lookup in ((SolutionVersion, "solution__dataset_group"), (Recommender, "dataset_group")):
        keys = model.objects.filter(**{lookup: group}).exclude(artefact="").order_by("-created")
        if key := keys.values_list("artefact", flat=True).first():
            return str(key)
    return None
