"""Recommenders as sources: what the domain use cases need and leave out by themselves."""

from __future__ import annotations

from functools import partial

from console.errors import InvalidInputException
from console.models import Account, Recommender
from console.serving.exploring import Exploration
from console.serving.recommend import ServingTarget
from console.serving.request_cache import REQUEST_CACHE
from recipes import use_cases


def recommender_source(account: Account, arn: str) -> ServingTarget:
    """What a recommender serves.

    Raises:
        ResourceNotFoundException: no such recommender in this account.
        InvalidInputException: it is not ACTIVE.
    """
    return REQUEST_CACHE.get(("recommender", account.pk, arn), partial(_source, account, arn))


def _source(account: Account, arn: str) -> ServingTarget:
    row: Recommender = Recommender.objects.by_arn(account, arn, field="recommenderArn")
    if not row.is_serving:
        raise InvalidInputException(f"The recommender {row.name} is {row.status}; it answers once it is ACTIVE.")
    case = use_cases.get(row.recipe)
    config = row.config
    return ServingTarget(
        arn, row.recipe, row.artefact, row.dataset_group_id,
        exploration=Exploration.of(config.get("itemExplorationConfig")) if case.explores else None,
        removes=case.removes, needs_user="userId" in case.inputs, needs_item="itemId" in case.inputs,
        promotes=case.promotions, metadata=bool(config.get("enableMetadataWithRecommendations")),
    )  # fmt: skip
