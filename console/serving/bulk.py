"""Many requests at once, for batch jobs: scored as matrices of bounded size, with the same filters and exploration."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from console.errors import InvalidInputException
from console.models import Event
from console.serving.exploring import explored, within
from console.serving.history import LIVE_LIMIT, LiveEvent, Past, join
from console.serving.loader import Loaded
from console.serving.overlay import Catalog
from console.serving.recommend import Ask, Pick, Source, masked, picks_of, ranked, related_scores
from recipes.base import Floats, RecipeType
from recipes.data import Histories
from recipes.topk import BATCH_BYTES

QUERY_USERS = 500  # SQLite takes no more than some hundred parameters in one query
Outcome = list[Pick] | InvalidInputException


def batch_size(loaded: Loaded) -> int:
    """How many requests are scored together."""
    return max(1, min(QUERY_USERS, BATCH_BYTES // (4 * max(1, loaded.data.num_items))))


def answer_many(
    source: Source, loaded: Loaded, catalog: Catalog, asks: Sequence[Ask], lists: Sequence[list[str] | None]
) -> Iterator[Outcome]:
    """The picks for each request in order, or what is wrong with it; `lists` holds what is to be ranked, None otherwise."""
    pasts = _pasts(loaded, source.group_id, asks)
    scores = _scores(source, loaded, asks, pasts)
    for place, (ask, past, items) in enumerate(zip(asks, pasts, lists, strict=True)):
        try:
            yield _answer(source, loaded, catalog, ask, past, items, scores[place : place + 1])
        except InvalidInputException as error:
            yield error


def _answer(
    source: Source, loaded: Loaded, catalog: Catalog, ask: Ask, past: Past, items: list[str] | None, scores: Floats
) -> list[Pick]:
    query = loaded.data.item_ids.index(ask.item_id) if ask.item_id else -1
    allowed: NDArray[np.bool_] | None = None
    if ask.filter is not None:
        allowed = masked(ask.filter, source.group_id, ask.user_id, loaded, catalog, past, query)
    if items is not None:
        return ranked(loaded, scores[0], allowed, items, has_scores=source.has_scores)
    bonus = explored(source.exploration, loaded, scores)
    return picks_of(loaded, source, within(bonus, allowed), bonus.scores, ask.k)


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
