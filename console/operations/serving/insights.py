"""What people ask of a served model: whom and what it knows, what it recommends under other settings, and why."""

# ruff: noqa: PT028  test_recommendations is an operation, not a test
from __future__ import annotations

import random
from collections.abc import Mapping
from time import perf_counter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from console.errors import InvalidInputException
from console.models import Account
from console.operations.base import operation
from console.serving.display import Cards, Display
from console.serving.exploration_config import Exploration
from console.serving.history import UserHistory, changed, history_of, join
from console.serving.loader import MODEL_CACHE, LoadedModel
from console.serving.metadata import values_of
from console.serving.pipeline import recommend
from console.serving.request import Promotion, RecommendationRequest, RecommendationResult, ServingTarget
from console.serving.targets import any_target, bind, bound_filter
from console.shapes import JSONDict
from recipes.base import RecipeType
from recipes.data import Histories, Ids
from recipes.filters import Bound

FOUND = 20


@operation
def search_users(
    account: Account,
    *,
    campaign_arn: str | None = None,
    recommender_arn: str | None = None,
    solution_version_arn: str | None = None,
    query: str = "",
    kind: str = "any",
    max_results: int = FOUND,
) -> JSONDict:
    """Users of the snapshot by part of their id, or some of a kind."""
    _, loaded = _asked(account, campaign_arn, recommender_arn, solution_version_arn)
    data, counts = loaded.data, np.diff(loaded.data.offsets)
    found = _matching(data.user_ids, None, query) if query else np.arange(data.num_users)
    found = np.setdiff1d(found, loaded.forgotten, assume_unique=True)
    chosen = _of_kind(found, counts, kind, max_results, newest=-counts)
    users = [{"userId": data.user_ids[index], "events": int(counts[index])} for index in chosen]
    return {"users": users, "total": len(found)}


@operation
def search_items(
    account: Account,
    *,
    campaign_arn: str | None = None,
    recommender_arn: str | None = None,
    solution_version_arn: str | None = None,
    query: str = "",
    kind: str = "any",
    max_results: int = FOUND,
) -> JSONDict:
    """Items of the snapshot by part of their id or title, or some of a kind."""
    target, loaded = _asked(account, campaign_arn, recommender_arn, solution_version_arn)
    data = loaded.data
    cards = Cards.of(loaded, target.group_id)
    titles = loaded.texts_of(cards.display.title) if cards.display.title else None
    found = _matching(data.item_ids, titles, query) if query else np.arange(data.num_items)
    chosen = _of_kind(found, data.item_counts, kind, max_results, newest=loaded.exploration.created)
    items = [_card(cards, int(index)) for index in chosen]
    return {"items": items, "total": len(found), "titleColumn": cards.display.title}


@operation
def get_item_cards(
    account: Account,
    *,
    item_ids: list[str],
    campaign_arn: str | None = None,
    recommender_arn: str | None = None,
    solution_version_arn: str | None = None,
) -> JSONDict:
    """Title and metadata of items, in the order asked; those the model does not know have their id alone."""
    target, loaded = _asked(account, campaign_arn, recommender_arn, solution_version_arn)
    cards = Cards.of(loaded, target.group_id)
    indexes = loaded.data.item_ids.indexes(item_ids)
    items = [
        _card(cards, int(index)) if index >= 0 else {"itemId": name, "metadata": {}}
        for name, index in zip(item_ids, indexes, strict=True)
    ]
    return {"items": items, "titleColumn": cards.display.title}


@operation
def get_user_history(
    account: Account,
    *,
    user_id: str,
    campaign_arn: str | None = None,
    recommender_arn: str | None = None,
    solution_version_arn: str | None = None,
    max_results: int = 100,
) -> JSONDict:
    """What a user has done, newest first, live events included."""
    target, loaded = _asked(account, campaign_arn, recommender_arn, solution_version_arn)
    cards = Cards.of(loaded, target.group_id)
    history = history_of(loaded, target.group_id, user_id)
    order = np.argsort(history.timestamp, kind="stable")[::-1][:max_results]  # the last of those at one time is first
    user = loaded.data.user_ids.index(user_id)
    return {
        "history": [_event(cards, history, int(position)) for position in order],
        "isKnown": user >= 0,
        "numEvents": len(history.item),
        "attributes": values_of(loaded.data.users, user) if user >= 0 else {},
    }


@operation
def test_recommendations(
    account: Account,
    *,
    campaign_arn: str | None = None,
    recommender_arn: str | None = None,
    solution_version_arn: str | None = None,
    user_id: str | None = None,
    item_id: str | None = None,
    input_list: list[str] | None = None,
    num_results: int = 25,
    exploration_weight: float | None = None,
    exploration_item_age_cut_off: float | None = None,
    exploration_seed: int | None = None,
    context: Mapping[str, str] | None = None,
    history: list[str] | None = None,
    left_out_items: list[str] | None = None,
    added_items: list[str] | None = None,
    filter_arn: str | None = None,
    filter_expression: str | None = None,
    filter_values: dict[str, str] | None = None,
    promotion_filter_arn: str | None = None,
    promotion_percent: int | None = None,
) -> JSONDict:
    """What the target answers under other settings, with titles; the seen and the explored are marked.

    Answers of one `explorationSeed` share what is drawn, of whatever target, so that they can be compared.
    A recipe of related items that is given a user and no item takes the newest of the user's items, and says which.
    """
    target = any_target(account, campaign_arn, recommender_arn, solution_version_arn)
    target = _overridden(target, exploration_weight, exploration_item_age_cut_off)
    loaded = MODEL_CACHE.get(target.artefact)
    given = _given(loaded, target, user_id, history, left_out_items, added_items)
    query = item_id
    if target.needs_item and not item_id:
        given = given or history_of(loaded, target.group_id, user_id)
        query = _newest_item(loaded, target, given, user_id)
    promotion = None
    if promotion_filter_arn:
        bound = bound_filter(account, promotion_filter_arn, None, target.group_id, field="promotionFilterArn")
        promotion = Promotion("promotion", promotion_percent or 20, bound)
    chosen = _filter(account, target, filter_arn, filter_expression, filter_values)
    request = RecommendationRequest(
        user_id, query, num_results, context or {}, chosen, promotion, input_list or None, given,
        is_trial=True, draw=exploration_seed,
    )  # fmt: skip
    began = perf_counter()
    answer = recommend(target, request)
    took = (perf_counter() - began) * 1000
    cards = Cards(loaded, answer.catalog.columns, Display.of(target.group_id, answer.catalog.columns))
    return {
        "recommendationId": answer.recommendation_id,
        "recipeType": loaded.recipe.type,
        "explores": target.exploration is not None,
        "milliseconds": round(took, 3),
        "numItems": loaded.data.num_items,
        "passing": loaded.data.num_items if answer.allowed is None else int(answer.allowed.sum()),
        "queryItem": _query_item(cards, query, is_newest=not item_id) if target.needs_item and query else None,
        "items": _shown(answer, target, cards),
        "warnings": list(answer.warnings),
    }


@operation
def explain_recommendation(
    account: Account,
    *,
    user_id: str,
    item_id: str,
    campaign_arn: str | None = None,
    recommender_arn: str | None = None,
    solution_version_arn: str | None = None,
    num_results: int = 25,
    left_out_items: list[str] | None = None,
    added_items: list[str] | None = None,
    filter_arn: str | None = None,
    filter_expression: str | None = None,
    filter_values: dict[str, str] | None = None,
) -> JSONDict:
    """Which events speak for an item, where it stands, and what dropped it if it is not in the list."""
    target, loaded = _asked(account, campaign_arn, recommender_arn, solution_version_arn)
    item = loaded.data.item_ids.index(item_id)
    if item < 0:
        sentence = "The model does not know this item: it came after the training. Train again to have it recommended."
        return {"isRecommended": False, "droppedBy": "unknown", "sentence": sentence, "contributions": []}
    if loaded.recipe.type is RecipeType.RELATED_ITEMS:
        raise InvalidInputException(
            f"{loaded.recipe.name} relates items to an item and not to a user; there is nothing of the user's to explain.",
            field="userId",
        )
    chosen = _filter(account, target, filter_arn, filter_expression, filter_values)
    given = _given(loaded, target, user_id, None, left_out_items, added_items)
    request = RecommendationRequest(user_id, None, num_results, {}, chosen, history=given, is_trial=True)
    answer = recommend(_overridden(target, 0.0, None), request)
    history, cards = answer.history.as_histories(), Cards.of(loaded, target.group_id)
    return _standing(answer, item, num_results) | {
        "title": cards.title(item),
        "score": float(answer.scores[item]) if np.isfinite(answer.scores[item]) else None,
        "contributions": _contributions(cards, history, answer.history.types, item),
    }


def _asked(account: Account, *arns: str | None) -> tuple[ServingTarget, LoadedModel]:
    """The one target that campaign, recommender or version names, and its model."""
    target = any_target(account, *arns)
    return target, MODEL_CACHE.get(target.artefact)


def _given(
    loaded: LoadedModel,
    target: ServingTarget,
    user_id: str | None,
    history: list[str] | None,
    left_out: list[str] | None,
    added: list[str] | None,
) -> UserHistory | None:
    """The events to recommend by where they are not those that are kept of the user."""
    if history is not None:
        return changed(loaded, join(loaded, -1, ()), left_out or (), [*history, *(added or ())])
    if left_out or added:
        return changed(loaded, history_of(loaded, target.group_id, user_id), left_out or (), added or ())
    return None


def _newest_item(loaded: LoadedModel, target: ServingTarget, history: UserHistory, user_id: str | None) -> str:
    """The item of the newest event that the model takes into account.

    Raises:
        InvalidInputException: there is none.
    """
    items = history.as_histories().item_index
    if len(items):
        return loaded.data.item_ids[int(items[-1])]
    if not user_id:
        raise InvalidInputException(f"itemId is missing; {target.recipe} relates items to it.", field="itemId")
    raise InvalidInputException(
        f"The user {user_id} has no history with items that the model knows, so there is no newest item to go by; "
        f"name an item to which {target.recipe} relates others.", field="itemId"
    )  # fmt: skip


def _filter(
    account: Account, target: ServingTarget, arn: str | None, expression: str | None, values: dict[str, str] | None
) -> Bound | None:
    if arn and expression:
        raise InvalidInputException("Give filterArn or filterExpression, not both.", field="filterExpression")
    if expression:
        return bind(expression, values, field="filterExpression")
    return bound_filter(account, arn, values, target.group_id)


def _overridden(target: ServingTarget, weight: float | None, cutoff_days: float | None) -> ServingTarget:
    if target.exploration is None or (weight is None and cutoff_days is None):
        return target
    kept = target.exploration
    config = {
        "explorationWeight": str(kept.weight if weight is None else weight),
        "explorationItemAgeCutOff": str(kept.cutoff_days if cutoff_days is None else cutoff_days),
    }
    return target.exploring(Exploration.of(config))


def _matching(ids: Ids, titles: pa.Array | None, query: str) -> NDArray[np.int64]:
    """Rows whose id or title contains the query in any case; those that begin with it come first."""
    columns = [ids.array] if titles is None else [ids.array, titles]
    inside = np.logical_or.reduce([_mask(pc.match_substring(c, query, ignore_case=True)) for c in columns])
    first = np.logical_or.reduce([_mask(pc.starts_with(c, query, ignore_case=True)) for c in columns])
    found = np.flatnonzero(inside)
    return found[np.argsort(~first[found], kind="stable")]


def _mask(found: pa.BooleanArray) -> NDArray[np.bool_]:
    return np.asarray(pc.fill_null(found, False).to_numpy(zero_copy_only=False), bool)


def _of_kind(
    found: NDArray[np.int64], counts: NDArray[np.int64], kind: str, size: int, newest: NDArray[np.int64]
) -> NDArray[np.int64]:
    match kind:
        case "random":
            return found[random.sample(range(len(found)), min(size, len(found)))]
        case "heavy":
            return found[np.argsort(-counts[found], kind="stable")[:size]]
        case "cold":
            return np.asarray(found[counts[found] == 0][:size], np.int64)
        case "new":
            return found[np.argsort(-newest[found], kind="stable")[:size]]
        case _:
            return found[:size]


def _card(cards: Cards, item: int) -> JSONDict:
    loaded = cards.loaded
    return cards.card(item) | {
        "itemId": loaded.data.item_ids[item],
        "events": int(loaded.data.item_counts[item]),
        "created": int(loaded.exploration.created[item]),
    }


def _event(cards: Cards, history: UserHistory, position: int) -> JSONDict:
    loaded = cards.loaded
    item, live = int(history.item[position]), position - (len(history.item) - history.num_live)
    code = int(history.event_type[position])
    return cards.card(item) | {
        "itemId": history.item_ids[live] if live >= 0 else loaded.data.item_ids[item],
        "eventType": history.types[code] if code >= 0 else None,
        "eventValue": _value(loaded, history, position) if live < 0 else None,
        "timestamp": int(history.timestamp[position]),
        "isLive": live >= 0,
    }


def _value(loaded: LoadedModel, history: UserHistory, position: int) -> float | None:
    """The value of one of the snapshot's events, where it has one."""
    value = float(loaded.data.interactions.event_value[loaded.data.offsets[history.user] + position])
    return None if np.isnan(value) else value


def _query_item(cards: Cards, item_id: str, *, is_newest: bool) -> JSONDict:
    return cards.card(cards.loaded.data.item_ids.index(item_id)) | {"itemId": item_id, "isNewest": is_newest}


def _shown(answer: RecommendationResult, target: ServingTarget, cards: Cards) -> list[JSONDict]:
    seen = set(answer.history.item.tolist())
    loaded = answer.loaded
    held_out = loaded.held_out(answer.history.user)
    return [
        wire | cards.card(place.item) | {
            "explored": place.explored,
            "propensity": place.propensity,
            "isSeen": place.item in seen,
            "isHeldOut": place.item in held_out,
        }
        for wire, place in zip(answer.wire(target), answer.ranked, strict=True)
    ]  # fmt: skip


def _standing(answer: RecommendationResult, item: int, size: int) -> JSONDict:
    """Where an item stands, or the first stage that dropped it."""
    scores, allowed = answer.scores, answer.allowed
    if not np.isfinite(scores[item]):
        return _dropped("model", "The model cannot recommend this item: it knows nothing that would place it.")
    if allowed is not None and not allowed[item]:
        return _dropped("filter", "The filter, or the use case's own removal, leaves this item out for this user.")
    rivals = scores if allowed is None else scores[allowed]
    place = int((rivals > scores[item]).sum()) + 1
    if any(place.item == item for place in answer.ranked):
        return {"isRecommended": True, "rank": place, "sentence": f"It stands at place {place} of {len(rivals)} items."}
    sentence = f"It stands at place {place} of {len(rivals)} items, below the {size} that were asked for."
    return _dropped("rank", sentence) | {"rank": place}


def _dropped(stage: str, sentence: str) -> JSONDict:
    return {"isRecommended": False, "droppedBy": stage, "sentence": sentence}


def _contributions(cards: Cards, history: Histories, types: tuple[str, ...], item: int) -> list[JSONDict]:
    found, loaded = [], cards.loaded
    for contribution in loaded.model.explain(history, item)[:FOUND]:
        entry: JSONDict = {"weight": contribution.weight, "label": contribution.label or None}
        if contribution.position >= 0:
            other, code = int(history.item_index[contribution.position]), int(history.event_type[contribution.position])
            entry |= {
                "itemId": loaded.data.item_ids[other],
                "title": cards.title(other),
                "eventType": types[code] if code >= 0 else None,
                "timestamp": int(history.timestamp[contribution.position]),
            }
        found.append(entry)
    return found
