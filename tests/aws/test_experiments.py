"""A program written for AWS is answered by both versions of an experiment, and knows nothing of it."""

from __future__ import annotations

from console.models import Experiment
from console.serving.experiments import is_treated
from tests.aws.inprocess import client
from tests.operations.test_experiments import by_hand, split_between  # noqa: F401  a fixture
from tests.worlds import films


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
