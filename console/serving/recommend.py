"""One request, from history to list: model, filter, exploration, promotions, top k, ids. Nothing here writes to the database."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from console.errors import InvalidInputException
from console.models import Record
from console.serving import recorder
from console.serving.experiments import REGISTER, Arm
from console.serving.exploring import Exploration, explored, within
from console.serving.fallback import model_of
from console.serving.history import UserHistory, history_of
from console.serving.live_catalog import Catalog, catalog_of
from console.serving.loader import LoadedModel
from console.serving.metadata import values_of
from recipes.base import RecipeType
from recipes.exploration import Explored
from recipes.filters import Bound, FilterError, UserContext
from recipes.methods.semantic_similarity import SemanticModel
from recipes.numerics.arrays import Floats
from recipes.numerics.topk import top_k

REASONED = {"aws-user-personalization-v2", "aws-personalized-ranking-v2"}
POPULAR = "Popular item"  # the reason of items that are there because nothing is known of the user


@dataclass(frozen=True)
class ServingTarget:
    """What is asked: a campaign, a recommender or a version.

    Attributes:
        arn: its ARN.
        recipe: the recipe's name, or that of the use case.
        artefact: the key of the model.
        group_id: the dataset group's row.
        exploration: settings; None for those that don't explore.
        has_scores: whether scores are returned.
        removes: event types whose items are left out by themselves.
        needs_user, needs_item: which ids a request must give.
        promotes: whether promotions are allowed.
        metadata: whether metadata may be returned.
        influence: AWS's rankingInfluence, by "popularity" and "freshness".
        arm: the side of the running experiment that the user is on; None without one.
    """

    arn: str
    recipe: str
    artefact: str
    group_id: int
    exploration: Exploration | None = None
    has_scores: bool = False
    removes: tuple[str, ...] = ()
    needs_user: bool = True
    needs_item: bool = False
    promotes: bool = True
    metadata: bool = False
    influence: Mapping[str, float] = field(default_factory=dict, hash=False)
    arm: Arm | None = None

    def exploring(self, exploration: Exploration) -> ServingTarget:
        """The same under other settings of exploration."""
        return replace(self, exploration=exploration)


@dataclass(frozen=True)
class Promotion:
    """A share of the list that a filter of its own fills."""

    name: str
    percent: int
    filter: Bound | None


@dataclass(frozen=True)
class RecommendationRequest:
    """A request, checked: ids, how many, and what to leave out; a trial is answered to somebody else than the user."""

    user_id: str | None = None
    item_id: str | None = None
    k: int = 25
    context: Mapping[str, str] = field(default_factory=dict)
    filter: Bound | None = None
    promotion: Promotion | None = None
    columns: tuple[str, ...] | None = None
    past: UserHistory | None = None
    is_trial: bool = False


class RankedItem(NamedTuple):
    """One place of the list; a tuple, as a request makes dozens."""

    item: int
    item_id: str
    score: float | None = None
    promotion: str | None = None
    explored: bool = False
    propensity: float = 1.0
    is_by_relevance: bool = True  # whether relevance alone would have put it into the list


@dataclass(frozen=True)
class RecommendationResult:
    """A list as it was made, with what made it."""

    recommendation_id: str
    picks: list[RankedItem]
    loaded: LoadedModel
    catalog: Catalog
    past: UserHistory
    allowed: NDArray[np.bool_] | None
    scores: NDArray[np.float32]

    def wire(self, source: ServingTarget, columns: tuple[str, ...] | None = None) -> list[dict[str, Any]]:
        """The list as it travels."""
        reasoned = source.recipe in REASONED
        return [
            {
                "itemId": pick.item_id,
                "score": None if pick.score is None else round(pick.score, 7),
                "promotionName": pick.promotion,
                "metadata": None
                if columns is None or pick.item < 0
                else values_of(self.catalog.columns, pick.item, columns),
                "reason": self.reasons(pick) if reasoned else None,
            }
            for pick in self.picks
        ]

    def reasons(self, pick: RankedItem) -> list[str] | None:
        """Why an item is there, in the words of the v2 recipes; None where the user's taste is why."""
        told = {
            "Promoted item": pick.promotion is not None,
            "Exploration": pick.explored,
            POPULAR: self.past.is_empty and pick.promotion is None,
        }
        return [reason for reason, holds in told.items() if holds] or None


def recommend(source: ServingTarget, ask: RecommendationRequest) -> RecommendationResult:
    """Answer GetRecommendations."""
    loaded = model_of(source.artefact)
    catalog = catalog_of(loaded, source.group_id)
    past = ask.past or history_of(loaded, source.group_id, ask.user_id)
    query = loaded.data.item_ids.index(ask.item_id) if ask.item_id else -1
    scores = _scores(source, loaded, past, query, ask)
    allowed = _allowed(source, ask, loaded, catalog, past, query)
    bonus = explored(source.exploration, loaded, within(scores, allowed), ask.k)
    shown = bonus.scores if allowed is None else np.where(allowed, bonus.scores, scores)
    picks = ranked_items(loaded, source, bonus, shown, ask.k) if ask.k else []
    row = scores[0]
    if ask.promotion is not None:
        picks = _with_promotion(
            ask, ask.promotion, picks, partial(_masked, source, ask, loaded, catalog, past, query), loaded, row
        )
    answer = RecommendationResult(f"RID-{uuid.uuid4()}", picks, loaded, catalog, past, allowed, row)
    _remember(source, ask, answer)
    return answer


def rank(source: ServingTarget, ask: RecommendationRequest, item_ids: list[str]) -> RecommendationResult:
    """Answer GetPersonalizedRanking: the given items in the user's order; unknown ones last, without a score."""
    loaded = model_of(source.artefact)
    catalog = catalog_of(loaded, source.group_id)
    past = ask.past or history_of(loaded, source.group_id, ask.user_id)
    row = _scores(source, loaded, past, -1, ask)[0]
    allowed = _allowed(source, ask, loaded, catalog, past, -1)
    picks = ranked(loaded, row, allowed, item_ids, has_scores=source.has_scores)
    answer = RecommendationResult(f"RID-{uuid.uuid4()}", picks, loaded, catalog, past, allowed, row)
    _remember(source, ask, answer)
    return answer


def ranked(
    loaded: LoadedModel,
    row: NDArray[np.float32],
    allowed: NDArray[np.bool_] | None,
    item_ids: list[str],
    *,
    has_scores: bool,
) -> list[RankedItem]:
    """The given items by their scores, which sum to 1 over the list; unknown ones last; what a filter drops is left out."""
    unique = list(dict.fromkeys(item_ids))
    indexes = loaded.data.item_ids.indexes(unique)
    known = indexes >= 0
    listed = np.where(known, row[indexes], -np.inf)
    listed[~np.isfinite(listed)] = -np.inf
    ratable = np.isfinite(listed)
    shares = np.zeros(len(unique))
    if ratable.any():
        shares[ratable] = np.exp(listed[ratable] - listed[ratable].max())
        shares /= shares.sum()
    order = np.argsort(-listed, kind="stable")
    return [
        RankedItem(int(indexes[at]), unique[at], float(shares[at]) if ratable[at] and has_scores else None)
        for at in order
        if allowed is None or (known[at] and allowed[indexes[at]])
    ]


def related_scores(source: ServingTarget, loaded: LoadedModel, queries: NDArray[np.int64]) -> Floats:
    """(Q, N) scores by relation to the query items (-1 unknown), which are left out themselves."""
    model = loaded.model
    if isinstance(model, SemanticModel):
        scores = model.influenced(queries, **source.influence)
    else:
        scores = model.related(queries)
    known = np.flatnonzero(queries >= 0)
    scores[known, queries[known]] = -np.inf
    return scores


def _scores(
    source: ServingTarget, loaded: LoadedModel, past: UserHistory, query: int, ask: RecommendationRequest
) -> NDArray[np.float32]:
    """(1, N) scores by the query item where the recipe relates items, else by the history."""
    if loaded.recipe.type is RecipeType.RELATED_ITEMS:
        return related_scores(source, loaded, np.array([query], np.int64))
    return loaded.memory.score(past.history(ask.context))


def _allowed(
    source: ServingTarget,
    ask: RecommendationRequest,
    loaded: LoadedModel,
    catalog: Catalog,
    past: UserHistory,
    query: int,
) -> NDArray[np.bool_] | None:
    """(N,) what filter and automatic removals leave; None for everything."""
    allowed = None
    if ask.filter is not None:
        allowed = masked(ask.filter, source.group_id, ask.user_id, loaded, catalog, past, query)
    if source.removes:
        kinds = {name.casefold() for name in source.removes}
        codes = [code for code, name in enumerate(past.types) if name.casefold() in kinds]
        taken = past.item[np.isin(past.event_type, codes) & (past.item >= 0)]
        allowed = np.ones(loaded.data.num_items, bool) if allowed is None else np.array(allowed)
        allowed[taken] = False
    return allowed


def masked(
    bound: Bound,
    group_id: int,
    user_id: str | None,
    loaded: LoadedModel,
    catalog: Catalog,
    past: UserHistory,
    query: int,
) -> NDArray[np.bool_]:
    """(N,) the items that a bound filter leaves.

    Raises:
        InvalidInputException: the filter needs a user or an item that the request does not give.
    """
    user = _user_context(bound, group_id, user_id, loaded, past) if user_id or past.num_live else None
    try:
        return catalog.filters.mask(bound, user, query if query >= 0 or bound.needs_current_item else None)
    except FilterError as error:
        raise InvalidInputException(str(error), field="filterArn") from None


def _masked(
    source: ServingTarget,
    ask: RecommendationRequest,
    loaded: LoadedModel,
    catalog: Catalog,
    past: UserHistory,
    query: int,
    bound: Bound,
) -> NDArray[np.bool_]:
    return masked(bound, source.group_id, ask.user_id, loaded, catalog, past, query)


def _user_context(
    bound: Bound, group_id: int, user_id: str | None, loaded: LoadedModel, past: UserHistory
) -> UserContext:
    if any(expression.when for expression in bound.expressions) and user_id:
        put = Record.objects.filter(
            dataset__dataset_group_id=group_id, dataset__type="USERS", entity_id=user_id
        ).values_list("values", flat=True).first()  # fmt: skip
        if put:
            return UserContext.of(put, past.events())
    return UserContext(loaded.data.users, past.user, past.events())


def ranked_items(
    loaded: LoadedModel, source: ServingTarget, found: Explored, shown: Floats, k: int
) -> list[RankedItem]:
    """The k best with what is told of each."""
    best = top_k(found.scores, k).items
    size = int(np.count_nonzero(best[0] >= 0))
    items = best[0, :size]
    ids = loaded.data.item_ids.take(items)
    shares = loaded.model.probabilities(shown)[0, items].tolist() if source.has_scores else [None] * size
    if found.scores is found.relevance:
        return [RankedItem(*told) for told in zip(items.tolist(), ids, shares, strict=True)]
    chances, won = found.propensity(best)[0, :size].tolist(), found.is_explored(best)[0, :size].tolist()
    relevant = set(top_k(found.relevance, size).items[0].tolist())
    placed = [item in relevant for item in items.tolist()]
    return [
        RankedItem(*told) for told in zip(items.tolist(), ids, shares, [None] * size, won, chances, placed, strict=True)
    ]


def _with_promotion(
    ask: RecommendationRequest,
    promotion: Promotion,
    organic: list[RankedItem],
    mask: Callable[[Bound], NDArray[np.bool_]],
    loaded: LoadedModel,
    row: NDArray[np.float32],
) -> list[RankedItem]:
    """Put promoted items at random places; both kinds keep their own order. The request's filter does not touch them."""
    wanted = int(ask.k * promotion.percent / 100 + 0.5)
    scores = row if promotion.filter is None else np.where(mask(promotion.filter), row, -np.inf).astype(np.float32)
    found = [int(item) for item in top_k(scores[None, :], wanted).items[0] if item >= 0] if wanted else []
    promoted = [RankedItem(item, loaded.data.item_ids[item], None, promotion.name) for item in found]
    others = [pick for pick in organic if pick.item not in set(found)][: ask.k - len(promoted)]
    size = len(promoted) + len(others)
    places = set(random.sample(range(size), len(promoted)))
    by_kind = {True: iter(promoted), False: iter(others)}
    return [next(by_kind[place in places]) for place in range(size)]


def _remember(source: ServingTarget, ask: RecommendationRequest, answer: RecommendationResult) -> None:
    user = None if ask.is_trial or not ask.user_id else recorder.pseudonym(source.group_id, ask.user_id)
    recorder.record(
        answer.recommendation_id,
        {
            "source": source.arn,
            "group": source.group_id,
            "user": user,
            "items": [pick.item_id for pick in answer.picks],
            "propensities": [round(pick.propensity, 6) for pick in answer.picks],
            "explored": [pick.item_id for pick in answer.picks if pick.explored],
            "beyondRelevance": [pick.item_id for pick in answer.picks if not pick.is_by_relevance],
            "policy": policy_of(source),
            "version": source.artefact,
            "time": int(time.time()),
            **in_arm(source),
        },
    )


def policy_of(source: ServingTarget) -> dict[str, Any]:
    """How the list was chosen: what an off-policy estimate must know beside the propensities."""
    told: dict[str, Any] = {"recipe": source.recipe}
    if source.exploration is not None:
        told |= {"explorationWeight": source.exploration.weight, "cutOffDays": source.exploration.cutoff_days}
    return told


def in_arm(source: ServingTarget) -> dict[str, Any]:
    """What is kept of an answer in an experiment; its user counts as one who was given something."""
    if source.arm is None:
        return {}
    REGISTER.note(source.arm)
    return source.arm.wire()
