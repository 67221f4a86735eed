"""How many items a filter expression lets through, before it is kept."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from console.errors import InvalidInputException
from console.models import Account, DatasetGroup, Recommender, SolutionVersion
from console.operations.base import operation
from console.operations.serving.filters import schema_columns
from console.serving.display import Cards
from console.serving.loader import MODEL_CACHE
from console.serving.pipeline import RequestBatch, mask, unmatched_values
from console.serving.request import RecommendationRequest, ServingTarget
from console.serving.targets import bind
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
    """Of the items of the group's newest trained snapshot, those with the most events first; parameters are named."""
    group: DatasetGroup = DatasetGroup.objects.by_arn(account, dataset_group_arn, field="datasetGroupArn")
    try:
        parsed = filters.parse(filter_expression)
        filters.check(parsed, schema_columns(group))
    except filters.FilterError as error:
        raise InvalidInputException(str(error), field="filterExpression") from None
    answer: JSONDict = {"placeholders": list(parsed.placeholders)}
    missing = [name for name, required in parsed.placeholders.items() if required and name not in (filter_values or {})]
    trained = newest_trained(group)
    if missing or trained is None or parsed.target is not filters.Target.ITEM:
        return answer
    bound = bind(filter_expression, filter_values)
    given = {"userId": user_id or not bound.needs_user, "itemId": item_id or not bound.needs_current_item}
    if needed := [name for name, is_there in given.items() if not is_there]:
        return answer | {"needed": needed}
    loaded = MODEL_CACHE.get(trained.artefact)
    target = ServingTarget(str(trained.arn), trained.recipe or "", trained.artefact, group.pk)
    batch = RequestBatch.of(target, loaded, [RecommendationRequest(user_id, item_id)])
    allowed = mask(batch, 0, bound)
    cards = Cards.of(loaded, group.pk)
    return answer | {
        "passing": int(allowed.sum()),
        "total": loaded.data.num_items,
        "items": _most_used(cards, allowed, max_results),
        "dropped": _most_used(cards, ~allowed, max_results),
        "warnings": list(unmatched_values(batch, bound)),
    }


def _most_used(cards: Cards, among: NDArray[np.bool_], most: int) -> list[JSONDict]:
    """The `among`st items with the most events, as cards."""
    counts, indexes = cards.loaded.popularity, np.flatnonzero(among)
    shown = indexes[np.argsort(-counts[indexes], kind="stable")[:most]].tolist()
    return [
        cards.card(item) | {"itemId": cards.loaded.data.item_ids[item], "events": int(counts[item])} for item in shown
    ]


def newest_trained(group: DatasetGroup) -> SolutionVersion | Recommender | None:
    """The newest version or recommender with an artefact; a filter looks at items, whatever the model."""
    versions = SolutionVersion.objects.filter(solution__dataset_group=group).select_related("solution")
    recommenders = Recommender.objects.filter(dataset_group=group)
    found = (rows.exclude(artefact="").order_by("-created").first() for rows in (versions, recommenders))
    return next(filter(None, found), None)
