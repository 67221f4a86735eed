"""A program written for AWS is answered by both versions of an experiment, and knows nothing of it."""

from __future__ import annotations

import pytest

from console.models import Experiment, ExperimentUser
from console.serving.experiments import is_treated
from tests.aws.inprocess import client
from tests.factories import call, split_between, trained
from tests.worlds import films

pytestmark = pytest.mark.usefixtures("by_hand")


def test_boto3_gets_both_arms_and_the_same_one_again(account, run_jobs):
    campaign, _ = split_between(account, run_jobs, films(account), "aws-popularity-count", "aws-trending-now")
    runtime, row = client(account, "personalize-runtime"), Experiment.objects.get()

    def asked(user):
        answer = runtime.get_recommendations(campaignArn=campaign, userId=user, numResults=5)
        assert answer["recommendationId"]
        return tuple(item["itemId"] for item in answer["itemList"])

    users = [f"u{number}" for number in range(24)]
    lists = {user: asked(user) for user in users}
    treated = {lists[user] for user in users if is_treated(row.salt, user, 50)}
    others = {lists[user] for user in users if not is_treated(row.salt, user, 50)}
    assert (len(treated), len(others)) == (1, 1)
    assert treated != others
    assert all(asked(user) == lists[user] for user in users[:5])


def test_boto3_gets_lists_ranked_by_both_arms(account, run_jobs, by_hand):
    group, fast = films(account), {"algorithmHyperParameters": {"mode": "fast"}}
    versions = [
        trained(account, run_jobs, group, "aws-personalized-ranking", name, solution_config=fast, **more)
        for name, more in (("all", {}), ("clicks", {"event_type": "click"}))
    ]
    split, *alone = (
        call("CreateCampaign", account, name=name, solution_version_arn=arn)["campaignArn"]
        for name, arn in (("split", versions[0]), ("control", versions[0]), ("treatment", versions[1]))
    )
    call("CreateExperiment", account, name="e", campaign_arn=split, treatment_version_arn=versions[1])
    runtime, salt = client(account, "personalize-runtime"), Experiment.objects.get().salt
    given = [f"i{number}" for number in range(12)]

    def ranked(campaign, user):
        answer = runtime.get_personalized_ranking(campaignArn=campaign, userId=user, inputList=given)
        assert answer["recommendationId"]
        return [(item["itemId"], item["score"]) for item in answer["personalizedRanking"]]

    users = [f"u{number}" for number in range(12)]
    treated = {user for user in users if is_treated(salt, user, 50)}
    assert 0 < len(treated) < 12
    for user in users:
        control, treatment = (ranked(campaign, user) for campaign in alone)
        assert control != treatment
        assert ranked(split, user) == (treatment if user in treated else control)
        assert sorted(item for item, _ in control) == sorted(given)
    by_hand.flush()
    written = ExperimentUser.objects.values_list("user_id", "is_treatment")
    assert dict(written) == {user: user in treated for user in users}
