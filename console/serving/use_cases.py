"""Recommenders as sources: what the domain use cases need and leave out by themselves."""

from __future__ import annotations

from functools import partial

from console.errors import InvalidInputException
from console.models import Account, Recommender
from console.serving.exploring import Exploration
from console.serving.fresh import FRESH
from console.serving.recommend import Source
from recipes import use_cases


def recommender_source(account: Account, arn: str) -> Source:
    """What a recommender serves.

    Raises:
        ResourceNotFoundException: no such recommender in this account.
        InvalidInputException: it is not ACTIVE.
    """
    return FRESH.get(("recommender", account.pk, arn), partial(_source, account, arn))


def _source(account: Account, arn: str) -> Source:
    row: Recommender = Recommender.objects.by_arn(account, arn, field="recommenderArn")
    if not row.is_serving:
        raise InvalidInputException(f"The recommender {row.name} is {row.status}; it answers once it is ACTIVE.")
    case = use_cases.get(row.recipe)
    config = row.config
    return Source(
        arn, row.recipe, row.artefact, row.dataset_group_id,
        exploration=Exploration.of(config.get("itemExplorationConfig")) if case.explores else None,
        removes=case.removes, needs_user="userId" in case.inputs, needs_item="itemId" in case.inputs,
        promotes=case.promotions, metadata=bool(config.get("enableMetadataWithRecommendations")),
    )  # fmt: skip
