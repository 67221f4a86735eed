"""The runtime: recommendations, rankings and actions; the path that programs call for every page they show."""

from __future__ import annotations

from collections.abc import Mapping

from console import limits, notices
from console.errors import InvalidInputException
from console.models import Account
from console.operations.base import operation
from console.serving.interleaving import recommend_interleaved
from console.serving.pipeline import recommend
from console.serving.request import Promotion, RecommendationRequest, ServingTarget
from console.serving.targets import bound_filter, campaign_target, recommender_target
from console.serving.traffic import metered
from console.shapes import JSONDict
from recipes.base import RecipeType

MOST, MOST_WITH_METADATA, MOST_ACTIONS = 500, 50, 100
RECOMMENDING = {RecipeType.USER_PERSONALIZATION, RecipeType.POPULAR_ITEMS, RecipeType.RELATED_ITEMS}


@operation
@metered
def get_recommendations(
    account: Account,
    *,
    campaign_arn: str | None = None,
    recommender_arn: str | None = None,
    item_id: str | None = None,
    user_id: str | None = None,
    num_results: int = 25,
    context: Mapping[str, str] | None = None,
    filter_arn: str | None = None,
    filter_values: dict[str, str] | None = None,
    promotions: list[JSONDict] | None = None,
    metadata_columns: dict[str, list[str]] | None = None,
) -> JSONDict:
    """A list for a user, or of items that go with an item."""
    target = _target(account, campaign_arn, recommender_arn, user_id)
    columns = _columns(target, metadata_columns, num_results, "numResults")
    if target.needs_user and not user_id:
        raise InvalidInputException(f"userId is missing; {target.recipe} recommends to a user.", field="userId")
    if target.needs_item and not item_id:
        raise InvalidInputException(f"itemId is missing; {target.recipe} relates items to it.", field="itemId")
    request = RecommendationRequest(
        user_id, item_id, num_results, context or {},
        bound_filter(account, filter_arn, filter_values, target.group_id),
        _promotion(account, target, promotions or []),
    )  # fmt: skip
    if target.rival is not None and request.promotion is None:
        shared = recommend_interleaved(target, request, columns)
        return {"itemList": shared.items, "recommendationId": shared.recommendation_id, "explored": shared.explored}
    answer = recommend(target, request)
    return {
        "itemList": answer.wire(target, columns),
        "recommendationId": answer.recommendation_id,
        "explored": sum(answer.by_column.explored),
    }


@operation
@metered
def get_personalized_ranking(
    account: Account,
    *,
    campaign_arn: str,
    input_list: list[str],
    user_id: str,
    context: Mapping[str, str] | None = None,
    filter_arn: str | None = None,
    filter_values: dict[str, str] | None = None,
    metadata_columns: dict[str, list[str]] | None = None,
) -> JSONDict:
    """The given items in the user's order; those the model does not know come last, without a score."""
    target, recipe = campaign_target(account, campaign_arn, user_id)
    if recipe.type is not RecipeType.PERSONALIZED_RANKING:
        raise InvalidInputException(
            f"The campaign serves {recipe.name}, which is {recipe.type}; GetPersonalizedRanking needs a campaign of type "
            "PERSONALIZED_RANKING.", field="campaignArn"
        )  # fmt: skip
    columns = _columns(target, metadata_columns, len(input_list), "inputList")
    items = [item for item in input_list if item]
    if len(items) < len(input_list):
        notices.note([f"inputList holds {len(input_list) - len(items)} empty ids, which are left out."])
    request = RecommendationRequest(
        user_id=user_id,
        context=context or {},
        filter=bound_filter(account, filter_arn, filter_values, target.group_id),
        items=items,
    )
    answer = recommend(target, request)
    return {"personalizedRanking": answer.wire(target, columns), "recommendationId": answer.recommendation_id}


@operation
@metered
def get_action_recommendations(
    account: Account,
    *,
    campaign_arn: str | None = None,
    user_id: str | None = None,
    num_results: int = 5,
    filter_arn: str | None = None,
    filter_values: dict[str, str] | None = None,
) -> JSONDict:
    """What to suggest to a user next, with the chance that it is taken."""
    if not campaign_arn or not user_id:
        missing = "userId" if campaign_arn else "campaignArn"
        raise InvalidInputException(f"{missing} is missing.", field=missing)
    if num_results > MOST_ACTIONS:
        raise InvalidInputException(f"numResults is {num_results}, allowed is 0 to {MOST_ACTIONS}.", field="numResults")
    target, recipe = campaign_target(account, campaign_arn, user_id)
    if recipe.type is not RecipeType.PERSONALIZED_ACTIONS:
        raise InvalidInputException(
            f"The campaign serves {recipe.name}, which is {recipe.type}; GetActionRecommendations needs one of type "
            "PERSONALIZED_ACTIONS.", field="campaignArn"
        )  # fmt: skip
    request = RecommendationRequest(
        user_id, k=num_results, filter=bound_filter(account, filter_arn, filter_values, target.group_id)
    )
    answer = recommend(target, request)
    actions = [{"actionId": place.item_id, "score": place.score} for place in answer.ranked]
    return {"actionList": actions, "recommendationId": answer.recommendation_id}


def _target(
    account: Account, campaign_arn: str | None, recommender_arn: str | None, user_id: str | None
) -> ServingTarget:
    if (campaign_arn is None) == (recommender_arn is None):
        raise InvalidInputException("Give exactly one of campaignArn and recommenderArn.", field="campaignArn")
    if recommender_arn is not None:
        return recommender_target(account, recommender_arn)
    target, recipe = campaign_target(account, campaign_arn or "", user_id)
    if recipe.type not in RECOMMENDING:
        right = (
            "GetActionRecommendations" if recipe.type is RecipeType.PERSONALIZED_ACTIONS else "GetPersonalizedRanking"
        )
        raise InvalidInputException(
            f"The campaign serves {recipe.name}, which is {recipe.type}; ask it by {right}.", field="campaignArn"
        )
    return target


def _columns(
    target: ServingTarget, wanted: dict[str, list[str]] | None, size: int, field: str
) -> tuple[str, ...] | None:
    """The metadata columns that a response carries; also holds the list's length to its limit."""
    limit = MOST_WITH_METADATA if wanted else MOST
    if size > limit:
        raise InvalidInputException(
            f"{field} is {size}, allowed is 0 to {limit}{' with metadataColumns' if wanted else ''}.", field=field
        )
    if not wanted:
        return None
    if not target.metadata:
        raise InvalidInputException(
            "metadataColumns needs enableMetadataWithRecommendations to be true in the configuration.",
            field="metadataColumns",
        )
    columns = [column for kind, columns in wanted.items() if kind.upper() == "ITEMS" for column in columns]
    most = limits.quota("METADATA_COLUMNS_PER_REQUEST")
    if not 1 <= len(columns) <= most:
        raise InvalidInputException(
            f"metadataColumns names {len(columns)} columns of ITEMS, allowed is 1 to {most}.",
            field="metadataColumns",
        )
    return tuple(columns)


def _promotion(account: Account, target: ServingTarget, promotions: list[JSONDict]) -> Promotion | None:
    if not promotions:
        return None
    if not target.promotes:
        raise InvalidInputException(f"{target.recipe} takes no promotions.", field="promotions")
    given = promotions[0]
    missing = [name for name in ("name", "filterArn", "percentPromotedItems") if name not in given]
    if missing:
        raise InvalidInputException(f"promotions[0] lacks its {missing[0]}.", field="promotions")
    bound = bound_filter(account, given["filterArn"], given.get("filterValues"), target.group_id, field="promotions")
    return Promotion(given["name"], given["percentPromotedItems"], bound)
