"""From requests to lists: histories, scores, filters, exploration, the best k, promotions. One request is a batch of one.

Nothing here writes to the database; `recommend` has its list recorded. The stages stand in the order in which `answer` runs them.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import repeat
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from console import notices, transient
from console.errors import InvalidInputException
from console.models import Record
from console.serving.history import UserHistory, histories_of
from console.serving.live_catalog import Catalog, catalog_of
from console.serving.loader import LoadedModel, model_of
from console.serving.recorder import record_list
from console.serving.related import unrelated
from console.serving.request import (
    SCORE_DIGITS,
    Promotion,
    RankedItem,
    RecommendationRequest,
    RecommendationResult,
    ServingTarget,
)
from recipes import listing
from recipes.base import RecipeType
from recipes.data import Histories
from recipes.exploration import FARTHEST, Explored, SharedDraw
from recipes.filters import Bound, FilterError, UserContext
from recipes.listing import Exploring, Lister, ListPlaces, ListQuestion, Mask, best_places, explored, without
from recipes.numerics.arrays import Floats, Indexes
from recipes.numerics.candidates import Candidates
from recipes.numerics.topk import top_k
from recipes.ranking import TOGETHER_BYTES

QUERY_USERS = 500  # SQLite takes no more than some hundred parameters in one query
NO_SCORES = np.zeros(0, np.float32)
NO_ITEMS, NO_REACH = np.zeros(0, np.int64), np.zeros(0, np.float32)
OTHERWISE_SCORED = {RecipeType.RELATED_ITEMS, RecipeType.PERSONALIZED_ACTIONS}  # than by a history alone


@dataclass(frozen=True, eq=False)
class RequestBatch:
    """B requests to one target, with what answering them reads; all ask for lists of one length and draw, or all give items to rank.

    Attributes:
        target: what is asked.
        loaded: its model.
        catalog: the items as they are now.
        requests: B of them.
        histories: the users' events, one each.
        queries: (B,) indexes of the query items, -1 without one.
        goes_on: whether the answers do without what the database knows of the users while it does not answer.
    """

    target: ServingTarget
    loaded: LoadedModel
    catalog: Catalog
    requests: Sequence[RecommendationRequest]
    histories: Sequence[UserHistory]
    queries: Indexes
    goes_on: bool = False

    @classmethod
    def of(
        cls,
        target: ServingTarget,
        loaded: LoadedModel,
        requests: Sequence[RecommendationRequest],
        *,
        goes_on: bool = False,
    ) -> Self:
        """Read the catalogue and the histories."""
        users = [None if request.history else request.user_id for request in requests]
        kept = histories_of(loaded, target.group_id, users, goes_on=goes_on)
        histories = [request.history or history for request, history in zip(requests, kept, strict=True)]
        index = loaded.data.item_ids.index
        queries = np.array([index(request.item_id) if request.item_id else -1 for request in requests], np.int64)
        return cls(target, loaded, catalog_of(loaded, target.group_id), requests, histories, queries, goes_on)


def recommend(target: ServingTarget, request: RecommendationRequest) -> RecommendationResult:
    """The list for a request: items, actions, or the given items in the user's order.

    Raises:
        DamagedModelException: neither the model nor an earlier one of its solution can be read.
        InvalidInputException: nothing is trained yet, or a filter needs what the request does not give.
    """
    found = unrecorded(target, request)
    record_list(target, request, found)
    return found


def unrecorded(target: ServingTarget, request: RecommendationRequest) -> RecommendationResult:
    """As `recommend`, of a list that is a part of another; raises as it does."""
    [found] = answer(RequestBatch.of(target, model_of(target.artefact), [request], goes_on=True))
    if isinstance(found, InvalidInputException):
        raise found
    notices.note(found.warnings)
    return found


def batch_size(loaded: LoadedModel) -> int:
    """How many requests are best answered together."""
    return max(1, min(QUERY_USERS, TOGETHER_BYTES // (4 * max(1, loaded.data.num_items))))


def answer(
    batch: RequestBatch, rng: np.random.Generator | None = None, *, is_recorded: bool = True
) -> list[RecommendationResult | InvalidInputException]:
    """The list for each request in order, or what is wrong with the request.

    Args:
        batch: the requests.
        rng: what exploration draws from, so that a job that is taken up again draws the same; the process's own by default.
        is_recorded: whether the answers are recorded, with the chance of each place, which takes longer than the list.
    """
    masks = allowed_items(batch)
    allowed = usable(masks)
    scores = score(batch, allowed)
    if batch.requests[0].items is None:
        lists = _best(batch, scores, allowed, rng, is_recorded=is_recorded)
    else:
        lists = [_ranked(batch, row, scores[row], allowed[row]) for row in range(len(batch.requests))]
    lists = [_with_promotion(batch, row, ranked, scores[row]) for row, ranked in enumerate(lists)]
    return results(batch, masks, lists, scores)


def allowed_items(batch: RequestBatch) -> list[Mask | InvalidInputException]:
    """(N,) for each request what its filter and automatic removals leave, or what is wrong with the request."""
    return [_allowed(batch, row) for row in range(len(batch.requests))]


def usable(masks: Sequence[Mask | InvalidInputException]) -> list[Mask]:
    """The masks, None for requests that are refused."""
    return [mask if isinstance(mask, np.ndarray) else None for mask in masks]


def results(
    batch: RequestBatch,
    masks: Sequence[Mask | InvalidInputException],
    lists: Sequence[list[RankedItem]],
    scores: Floats | None = None,
) -> list[RecommendationResult | InvalidInputException]:
    """The lists with what made them; without scores where those were left where the lists were made."""
    return [
        mask
        if isinstance(mask, InvalidInputException)
        else RecommendationResult(
            lists[row], batch.loaded, batch.catalog, batch.histories[row], mask,
            NO_SCORES if scores is None else scores[row], _warnings(batch, row),
        )
        for row, mask in enumerate(masks)
    ]  # fmt: skip


def score(batch: RequestBatch, allowed: Sequence[Mask]) -> Floats:
    """(B, N) scores by the query items where the recipe relates items, else by the histories; not to be written to.

    Of one list of a large catalogue, scores of items that are far from it may be approximate.
    """
    if len(batch.requests) > 1 or batch.loaded.recipe.type in OTHERWISE_SCORED:
        return lister(batch.target, batch.loaded, batch.requests[0].k).scores(question(batch, [], []))
    [request], [history], loaded = batch.requests, batch.histories, batch.loaded
    events = history.as_histories(request.context)
    if loaded.model.approximates and _is_list_alone(request):
        return loaded.model.list_scores(events, Candidates(allowed[0], *_explored_items(batch)))
    return loaded.score_cache.score(events)


def _is_list_alone(request: RecommendationRequest) -> bool:
    """Whether nothing but the best of the allowed items is asked for: no other item's score or place."""
    return request.items is None and request.promotion is None and not request.is_trial


def _explored_items(batch: RequestBatch) -> tuple[Indexes, Floats]:
    """The items that exploration may give a place, and how far above its score each may be drawn."""
    exploring = lister(batch.target, batch.loaded, batch.requests[0].k).exploring
    if exploring is None:
        return NO_ITEMS, NO_REACH
    arms = exploring.state.arms(exploring.cutoff_days)
    return arms.items, FARTHEST * arms.reach(exploring.weight)


def lister(target: ServingTarget, loaded: LoadedModel, k: int) -> Lister:
    """What makes lists of k for the target: numbers alone, which a cluster's worker can do without the database."""
    settings, exploring = target.exploration, None
    if settings is not None and settings.weight:
        exploring = Exploring(loaded.exploration, settings.weight, settings.cutoff_days)
    return Lister(loaded.model, target.influence, exploring, k, target.has_scores)


def question(batch: RequestBatch, allowed: Sequence[Mask], seed: Sequence[int]) -> ListQuestion:
    """What the lister reads of a batch."""
    pairs = zip(batch.requests, batch.histories, strict=True)
    histories = [history.as_histories(request.context) for request, history in pairs]
    if not any(request.context for request in batch.requests):  # a context is that of all histories scored together
        histories = [Histories.concatenate(histories)]
    return ListQuestion(histories, batch.queries, allowed, seed)


def related_scores(target: ServingTarget, loaded: LoadedModel, queries: Indexes) -> Floats:
    """(Q, N) scores by relation to the query items (-1 unknown), which are left out themselves."""
    return listing.related_scores(loaded.model, queries, target.influence)


def _allowed(batch: RequestBatch, row: int) -> Mask | InvalidInputException:
    """(N,) what the filter and automatic removals leave of a request's items; None for everything."""
    bound, allowed = batch.requests[row].filter, None
    if bound is not None:
        try:
            allowed = mask(batch, row, bound)
        except InvalidInputException as error:
            return error
    if batch.target.removes:
        history = batch.histories[row]
        kinds = {name.casefold() for name in batch.target.removes}
        codes = [code for code, name in enumerate(history.types) if name.casefold() in kinds]
        taken = history.item[np.isin(history.event_type, codes) & (history.item >= 0)]
        allowed = np.ones(batch.loaded.data.num_items, bool) if allowed is None else np.array(allowed)
        allowed[taken] = False
    return allowed


def mask(batch: RequestBatch, row: int, bound: Bound) -> NDArray[np.bool_]:
    """(N,) the items that a bound filter leaves for one of the requests.

    Raises:
        InvalidInputException: the filter needs a user or an item that the request does not give.
    """
    user_id, history, query = batch.requests[row].user_id, batch.histories[row], int(batch.queries[row])
    user = _user_context(batch, bound, user_id, history) if user_id or history.num_live else None
    try:
        return batch.catalog.filters.mask(bound, user, query if query >= 0 or bound.needs_current_item else None)
    except FilterError as error:
        raise InvalidInputException(str(error), field="filterArn") from None


def _warnings(batch: RequestBatch, row: int) -> tuple[str, ...]:
    request = batch.requests[row]
    bounds = [request.filter, request.promotion.filter if request.promotion else None]
    notes = [note for bound in bounds if bound for note in unmatched_values(batch, bound)]
    if request.item_id and batch.loaded.recipe.type is RecipeType.RELATED_ITEMS:
        notes = [*unrelated(batch.loaded.model, request.item_id, batch.queries[row : row + 1]), *notes]
    return tuple(dict.fromkeys(notes))


def unmatched_values(batch: RequestBatch, bound: Bound) -> tuple[str, ...]:
    """Sentences on the values of a filter that nothing holds."""
    data = batch.loaded.data
    return batch.catalog.filters.unmatched(bound, data.users, data.interactions.event_types)


def _user_context(batch: RequestBatch, bound: Bound, user_id: str | None, history: UserHistory) -> UserContext:
    """The user as filters see one: as put last, else as in the snapshot."""
    if any(expression.when for expression in bound.expressions) and user_id:
        put = _put(batch, user_id)
        if put:
            return UserContext.of(put, history.events(), user_id)
    return UserContext(batch.loaded.data.users, history.user, history.events(), user_id)


def _put(batch: RequestBatch, user_id: str) -> Mapping[str, Any] | None:
    """A user's columns as put last; None if nothing was put, or the database does not answer and the batch goes on."""
    rows = Record.objects.filter(
        dataset__dataset_group_id=batch.target.group_id, dataset__type="USERS", entity_id=user_id
    ).values_list("values", flat=True)
    try:
        return rows.first()
    except Exception as error:
        if not batch.goes_on or not transient.passed_over("Reading a user's columns", error):
            raise
        return None


def _best(
    batch: RequestBatch,
    scores: Floats,
    allowed: Sequence[Mask],
    rng: np.random.Generator | None,
    *,
    is_recorded: bool,
) -> list[list[RankedItem]]:
    """The k best of every row, after exploration."""
    k = batch.requests[0].k
    if not k:
        return [[] for _ in batch.requests]
    exploring, draw = lister(batch.target, batch.loaded, k).exploring, batch.requests[0].draw
    if exploring is not None and draw is not None:
        exploring = replace(exploring, shared=SharedDraw(batch.loaded.data.item_ids, draw))
        rng = np.random.default_rng(draw)
    found, shown = explored(scores, allowed, exploring, k, rng or _rng())
    return ranked_items(batch.loaded, batch.target, found, shown, k, is_recorded=is_recorded)


@cache
def _rng() -> np.random.Generator:
    """One for the process: seeding takes longer than drawing; its methods hold a lock of their own."""
    return np.random.default_rng()


def ranked_items(
    loaded: LoadedModel, target: ServingTarget, found: Explored, shown: Floats, k: int, *, is_recorded: bool = True
) -> list[list[RankedItem]]:
    """The k best of every row.

    Args:
        loaded: the model.
        target: what is asked.
        found: (B, N) scores before and after exploration.
        shown: (B, N) scores whose shares are returned.
        k: places of a list.
        is_recorded: whether the chance of each place is wanted, and whether relevance alone would have filled it.
    """
    has_shares = target.has_scores
    return named(loaded, best_places(loaded.model, found, shown, k, has_shares=has_shares, is_recorded=is_recorded))


def named(loaded: LoadedModel, places: ListPlaces) -> list[list[RankedItem]]:
    """The items of every list."""
    best = places.items
    names = loaded.data.item_ids.take(np.maximum(best, 0).ravel())
    width = best.shape[1]
    columns: list[Sequence[Sequence[object]]] = [
        best.tolist(),
        [names[start : start + width] for start in range(0, len(names), width)],
    ]
    if places.shares is not None:
        columns.append(places.shares.astype(np.float64).round(SCORE_DIGITS).tolist())
    further = [part.tolist() for part in (places.explored, places.propensity, places.by_relevance) if part is not None]
    if further:
        nothing = [[None] * width] * len(best)
        columns += [*[nothing] * (4 - len(columns)), *further]
    defaults = [repeat(RankedItem._field_defaults[name]) for name in RankedItem._fields[len(columns) :]]
    sizes = (best >= 0).sum(axis=1).tolist()  # what is missing stands at the end
    return [
        list(map(_RANKED, zip(*cells, *defaults)))[:size]  # noqa: B905  defaults have no end
        for size, *cells in zip(sizes, *columns, strict=True)
    ]


_RANKED = partial(tuple.__new__, RankedItem)  # of all fields' values: the class's own constructor runs in Python


def _ranked(batch: RequestBatch, row: int, scores: Floats, allowed: Mask) -> list[RankedItem]:
    """The given items by their (N,) scores, which sum to 1 over the list; unknown ones last; what is not allowed is left out."""
    unique = list(dict.fromkeys(batch.requests[row].items or ()))
    indexes = batch.loaded.data.item_ids.indexes(unique)
    known = indexes >= 0
    listed = np.where(known, scores[indexes], -np.inf)
    listed[~np.isfinite(listed)] = -np.inf
    ratable = np.isfinite(listed)
    shares = np.zeros(len(unique))
    if ratable.any():
        shares[ratable] = np.exp(listed[ratable] - listed[ratable].max())
        shares = np.round(shares / shares.sum(), SCORE_DIGITS)
    order = np.argsort(-listed, kind="stable")
    has_scores = batch.target.has_scores
    return [
        RankedItem(int(indexes[at]), unique[at], float(shares[at]) if ratable[at] and has_scores else None)
        for at in order
        if allowed is None or (known[at] and allowed[indexes[at]])
    ]


def _with_promotion(batch: RequestBatch, row: int, organic: list[RankedItem], scores: Floats) -> list[RankedItem]:
    """Put promoted items at random places; both kinds keep their own order. The request's filter does not touch them."""
    request = batch.requests[row]
    if request.promotion is None:
        return organic
    promoted = _promoted(batch, row, request.promotion, scores)
    taken = {place.item for place in promoted}
    others = [place for place in organic if place.item not in taken][: request.k - len(promoted)]
    size = len(promoted) + len(others)
    source = random if request.draw is None else random.Random(request.draw)  # noqa: S311  no secret
    places = set(source.sample(range(size), len(promoted)))
    by_kind = {True: iter(promoted), False: iter(others)}
    return [next(by_kind[place in places]) for place in range(size)]


def _promoted(batch: RequestBatch, row: int, promotion: Promotion, scores: Floats) -> list[RankedItem]:
    """The best items that the promotion's filter leaves, as many as it may fill."""
    wanted = int(batch.requests[row].k * promotion.percent / 100 + 0.5)
    if not wanted:
        return []
    allowed = None if promotion.filter is None else mask(batch, row, promotion.filter)
    items = top_k(without(scores[None, :], [allowed]), wanted).items[0]
    ids = batch.loaded.data.item_ids
    return [RankedItem(int(item), ids[int(item)], None, promotion.name) for item in items if item >= 0]
