"""Many requests at once, for batch jobs: scored as matrices of bounded size, with the same filters and exploration."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from django.db.models import Q
from numpy.typing import NDArray

from console.errors import InvalidInputException
from console.models import Event
from console.serving.exploring import explored
from console.serving.history import LIVE_LIMIT, LiveEvent, UserHistory, join
from console.serving.live_catalog import Catalog
from console.serving.loader import LoadedModel
from console.serving.recommend import (
    POPULAR,
    REASONED,
    RecommendationRequest,
    ServingTarget,
    masked,
    ranked,
    related_scores,
)
from recipes.base import RecipeType
from recipes.data import Histories
from recipes.numerics.arrays import Floats
from recipes.numerics.topk import top_k
from recipes.ranking import BATCH_BYTES

SCORE_DIGITS = 7
QUERY_USERS = 500  # SQLite takes no more than some hundred parameters in one query


@dataclass(frozen=True)
class BatchResult:
    """What one request gets, best first.

    Attributes:
        items: indexes of the items, -1 for those to be ranked that the model does not know.
        item_ids: their ids.
        scores: one each where the recipe tells them, in seven digits; None for an item that it cannot rate.
        reasons: why each item is there, in the words of the recipes that say so.
    """

    items: Sequence[int]
    item_ids: list[str]
    scores: list[float | None] | list[float] | None = None
    reasons: list[list[str]] | None = None


Outcome: TypeAlias = BatchResult | InvalidInputException
Mask: TypeAlias = NDArray[np.bool_] | None


def batch_size(loaded: LoadedModel) -> int:
    """How many requests are scored together."""
    return max(1, min(QUERY_USERS, BATCH_BYTES // (4 * max(1, loaded.data.num_items))))


def answer_many(
    source: ServingTarget,
    loaded: LoadedModel,
    catalog: Catalog,
    asks: Sequence[RecommendationRequest],
    lists: Sequence[list[str] | None],
    rng: np.random.Generator,
) -> list[Outcome]:
    """The list for each request in order, or what is wrong with it.

    Args:
        source: what is asked.
        loaded: its model.
        catalog: the items as they are now.
        asks: requests of one length of list.
        lists: what is to be ranked for each request, None where a list is to be found.
        rng: what exploration draws from, so that a job that is taken up again draws the same.
    """
    pasts = _pasts(loaded, source.group_id, asks)
    scores = _scores(source, loaded, asks, pasts)
    masks = [_mask(source, loaded, catalog, ask, past) for ask, past in zip(asks, pasts, strict=True)]
    if lists[0] is not None:
        rows = zip(scores, masks, lists, pasts, strict=True)
        return [_ranked(source, loaded, row, mask, items or [], past) for row, mask, items, past in rows]
    found = _best(source, loaded, scores, masks, asks[0].k, rng)
    return [
        mask if isinstance(mask, InvalidInputException) else _listing(source, past, *best)
        for mask, best, past in zip(masks, found, pasts, strict=True)
    ]


def _mask(
    source: ServingTarget, loaded: LoadedModel, catalog: Catalog, ask: RecommendationRequest, past: UserHistory
) -> Mask | InvalidInputException:
    if ask.filter is None:
        return None
    query = loaded.data.item_ids.index(ask.item_id) if ask.item_id else -1
    try:
        return masked(ask.filter, source.group_id, ask.user_id, loaded, catalog, past, query)
    except InvalidInputException as error:
        return error


def _ranked(
    source: ServingTarget,
    loaded: LoadedModel,
    row: NDArray[np.float32],
    mask: Mask | InvalidInputException,
    items: list[str],
    past: UserHistory,
) -> Outcome:
    if isinstance(mask, InvalidInputException):
        return mask
    picks = ranked(loaded, row, mask, items, has_scores=source.has_scores)
    scores = None
    if source.has_scores:
        scores = [None if pick.score is None else round(pick.score, SCORE_DIGITS) for pick in picks]
    return _listing(source, past, [pick.item for pick in picks], [pick.item_id for pick in picks], scores)


def _listing(
    source: ServingTarget,
    past: UserHistory,
    items: Sequence[int],
    item_ids: list[str],
    scores: list[float | None] | list[float] | None,
) -> BatchResult:
    reasons = None
    if source.recipe in REASONED:
        reasons = [[POPULAR] if past.is_empty else [] for _ in item_ids]
    return BatchResult(items, item_ids, scores, reasons)


def _best(
    source: ServingTarget,
    loaded: LoadedModel,
    scores: Floats,
    masks: Sequence[Mask | InvalidInputException],
    k: int,
    rng: np.random.Generator,
) -> list[tuple[list[int], list[str], list[float] | None]]:
    """Items, ids and scores of the k best of every row at once."""
    allowed = scores
    if any(mask is not None for mask in masks):
        allowed = np.array(scores)
        for row, mask in enumerate(masks):
            if isinstance(mask, np.ndarray):
                allowed[row, ~mask] = -np.inf
    left = explored(source.exploration, loaded, allowed, k, rng).scores
    shown = left if allowed is scores else np.where(np.isfinite(left), left, scores)
    best = top_k(left, k).items  # (B, K)
    places = np.maximum(best, 0)
    shares = None
    if source.has_scores:
        found = np.take_along_axis(loaded.model.probabilities(shown), places, axis=1)
        shares = np.round(found.astype(np.float64), SCORE_DIGITS).tolist()
    sizes = np.count_nonzero(best >= 0, axis=1).tolist()  # what is missing stands at the end
    width, items = best.shape[1], best.tolist()
    names = loaded.data.item_ids.take(places.ravel())
    return [
        (items[row][:size], names[row * width : row * width + size], shares[row][:size] if shares else None)
        for row, size in enumerate(sizes)
    ]


def _scores(
    source: ServingTarget, loaded: LoadedModel, asks: Sequence[RecommendationRequest], pasts: Sequence[UserHistory]
) -> Floats:
    """(B, N); requests with a context of their own are scored one by one, as the context belongs to the batch."""
    if loaded.recipe.type is RecipeType.RELATED_ITEMS:
        queries = loaded.data.item_ids.indexes(ask.item_id or "" for ask in asks)
        return related_scores(source, loaded, queries)
    histories = [past.history(ask.context) for ask, past in zip(asks, pasts, strict=True)]
    if any(ask.context for ask in asks):
        return np.concatenate([loaded.model.score(history) for history in histories])
    return loaded.model.score(Histories.concatenate(histories))


def _pasts(loaded: LoadedModel, group_id: int, asks: Sequence[RecommendationRequest]) -> list[UserHistory]:
    users = [ask.user_id for ask in asks if ask.user_id]
    live: dict[str, list[LiveEvent]] = defaultdict(list)
    unseen = Q(pk__gt=loaded.newest_event) | Q(is_anonymous=True)
    rows = Event.objects.filter(
        unseen, dataset_group_id=group_id, user_id__in=users, is_action=False
    ).order_by("timestamp", "pk").values_list("user_id", "item_id", "event_type", "timestamp")  # fmt: skip
    for user, item, kind, timestamp in rows if users else ():
        live[user].append(LiveEvent(item, kind, timestamp))
    index = loaded.data.user_ids.index
    return [
        join(loaded, index(ask.user_id) if ask.user_id else -1, live[ask.user_id or ""][-LIVE_LIMIT:]) for ask in asks
    ]
