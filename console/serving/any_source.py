"""A campaign, a recommender or a version: whichever one of the three a person asks."""

from __future__ import annotations

from console.errors import InvalidInputException
from console.models import Account
from console.serving.recommend import ServingTarget
from console.serving.sources import campaign_source, version_source
from console.serving.use_cases import recommender_source


def any_source(
    account: Account, campaign_arn: str | None, recommender_arn: str | None, solution_version_arn: str | None
) -> ServingTarget:
    """The source that exactly one of the ARNs names.

    Raises:
        InvalidInputException: none or several are given.
    """
    given = [arn for arn in (campaign_arn, recommender_arn, solution_version_arn) if arn]
    if len(given) != 1:
        raise InvalidInputException(
            "Give exactly one of campaignArn, recommenderArn and solutionVersionArn.", field="campaignArn"
        )
    if campaign_arn:
        return campaign_source(account, campaign_arn)[0]
    return recommender_source(account, given[0]) if recommender_arn else version_source(account, given[0])[0]
