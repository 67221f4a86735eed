"""Recommenders as sources: what the domain use cases need and leave out by themselves."""

from __future__ import annotations

from console.errors import InvalidInputException
from console.models import Account, Recommender
from console.serving.recommend import Source


def recommender_source(account: Account, arn: str) -> Source:
    """What a recommender serves.

    Raises:
        ResourceNotFoundException: no such recommender in this account.
        InvalidInputException: it is not ACTIVE.
    """
    row: Recommender = Recommender.objects.by_arn(account, arn, field="recommenderArn")
    if not row.is_serving:
        raise InvalidInputException(f"The recommender {row.name} is {row.status}; it answers once it is ACTIVE.")
    return Source(arn, row.recipe, row.artefact, row.dataset_group_id)
