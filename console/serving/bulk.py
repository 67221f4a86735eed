"""Many requests at once, for batch jobs: scored as matrices of bounded size, with the same filters and exploration."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from console.errors import InvalidInputException
from console.models import Event
from console.serving.exploring import explored
from console.serving.history import LIVE_LIMIT, LiveEvent, Past, join
from console.serving.loader import Loaded
from console.serving.overlay import Catalog
from console.serving.recommend import Ask, Pick, Source, masked, ranked, related_scores
from recipes.base import Floats, RecipeType
from recipes.data import Histories
from recipes.topk import BATCH_BYTES, top_k

QUERY_USERS = 500  # SQLite takes no more than some hundred parameters in one query
Outcome: TypeAlias = list[Pick] | InvalidInputException
Mask: TypeAlias = NDArray[np.bool_] | None


def batch_size(loaded: Loaded) -> int:
    """How many requests are scored together."""
    return max(1, min(QUERY_USERS, BATCH_BYTES // (4 * max(1, loaded.data.num_items))))


def answer_many(
    source: Source, loaded: Loaded, catalog: Catalog, asks: Sequence[Ask], lists: Sequence[list[str] | None]
) -> list[Outcome]:
    """The picks for each request in order, or what is wrong with it.

    Args:
        source: what is asked.
        loaded: its model.
        catalog: the items as they are now.
        asks: requests of one length of list.
        lists: what is to be ranked for each request, None where a list is to be found.
    """
    pasts = _pasts(loaded, source.group_id, asks)
    scores = _scores(source, loaded, asks, pasts)
    masks = [_mask(source, loaded, catalog, ask, past) for ask, past in zip(asks, pasts, strict=True)]
    if lists[0] is not None:
        rows = zip(scores, masks, lists, strict=True)
        return [_ranked(source, loaded, row, mask, items or []) for row, mask, items in rows]
    picks = _best(source, loaded, scores, masks, asks[0].k)
    return [
        mask if isinstance(mask, InvalidInputException) else found for mask, found in zip(masks, picks, strict=True)
    ]


def _mask(source: Source, loaded: Loaded, catalog: Catalog, ask: Ask, past: Past) -> Mask | InvalidInputException:
    if ask.filter is None:
        return None
    query = loaded.data.item_ids.index(ask.item_id) if ask.item_id else -1
    try:
        return masked(ask.filter, source.group_id, ask.user_id, loaded, catalog, past, query)
    except InvalidInputException as error:
        return error


def _ranked(
    source: Source, loaded: Loaded, row: NDArray[np.float32], mask: Mask | InvalidInputException, items: list[str]
) -> Outcome:
    if isinstance(mask, InvalidInputException):
        return mask
    return ranked(loaded, row, mask, items, has_scores=source.has_scores)


def _best(
    source: Source, loaded: Loaded, scores: Floats, masks: Sequence[Mask | InvalidInputException], k: int
) -> list[list[Pick]]:
    """The k best of every row at once."""
    shown = explored(source.exploration, loaded, scores).scores
    left = shown
    if any(mask is not None for mask in masks):
        left = np.array(shown)
        for row, mask in enumerate(masks):
            if isinstance(mask, np.ndarray):
                left[row, ~mask] = -np.inf
    best = top_k(left, k).items  # (B, K)
    shares = (
        np.take_along_axis(loaded.model.probabilities(shown), np.maximum(best, 0), axis=1)
        if source.has_scores
        else None
    )
    found = []
    for row, items in enumerate(best):
        kept = items[items >= 0]
        told = [None] * len(kept) if shares is None else shares[row].tolist()
        names = loaded.data.item_ids.take(kept)
        found.append([Pick(int(i), name, share) for i, name, share in zip(kept, names, told, strict=False)])
    return found


def _scores(source: Source, loaded: Loaded, asks: Sequence[Ask], pasts: Sequence[Past]) -> Floats:
    """(B, N); requests with a context of their own are scored one by one, as the context belongs to the batch."""
    if loaded.recipe.type is RecipeType.RELATED_ITEMS:
        queries = loaded.data.item_ids.indexes(ask.item_id or "" for ask in asks)
        return related_scores(source, loaded, queries)
    histories = [past.history(ask.context) for ask, past in zip(asks, pasts, strict=True)]
    if any(ask.context for ask in asks):
        return np.concatenate([loaded.model.score(history) for history in histories])
    return loaded.model.score(Histories.concatenate(histories))


def _pasts(loaded: Loaded, group_id: int, asks: Sequence[Ask]) -> list[Past]:
    users = [ask.user_id for ask in asks if ask.user_id]
    live: dict[str, list[LiveEvent]] = defaultdict(list)
    rows = Event.objects.filter(
        dataset_group_id=group_id, user_id__in=users, is_action=False, pk__gt=loaded.newest_event
    ).order_by("timestamp", "pk").values_list("user_id", "item_id", "event_type", "timestamp")  # fmt: skip
    for user, item, kind, timestamp in rows if users else ():
        live[user].append(LiveEvent(item, kind, timestamp))
    index = loaded.data.user_ids.index
    return [
        join(loaded, index(ask.user_id) if ask.user_id else -1, live[ask.user_id or ""][-LIVE_LIMIT:]) for ask in asks
    ]
