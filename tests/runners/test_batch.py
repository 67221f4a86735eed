"""Batch jobs: JSON Lines in, JSON Lines out, errors by line."""

from __future__ import annotations

import pytest

from console import storage
from console.errors import InvalidInputException
from console.models import BatchInferenceJob, BatchSegmentJob
from tests.factories import ROLE, call, create_filter, run_batch, trained
from tests.worlds import films


def test_recommendations(account, run_jobs):
    version = trained(account, run_jobs, films(account), "aws-user-personalization")
    lines = [{"userId": "u1"}, {"userId": "stranger"}, {"nonsense": 1}, "not json"]
    found = run_batch(
        account, run_jobs, version, lines, "users", num_results=7,
        batch_inference_job_config={"itemExplorationConfig": {"explorationWeight": "0"}},
    )  # fmt: skip
    job = BatchInferenceJob.objects.get()
    assert job.status == "ACTIVE", (job.failure_reason, job.traceback)
    assert job.report["lines"] == 4
    assert job.report["errors"] == 2
    assert [line["input"] for line in found] == [*lines[:3], "not json"]
    assert all(len(line["output"]["recommendedItems"]) == len(line["output"]["scores"]) == 7 for line in found[:2])
    assert "userId" in found[2]["error"]
    assert found[2]["output"] is None
    assert storage.exists(storage.parse_location("s3://data/users/out/_CHECK"))
    campaign = call(
        "CreateCampaign", account, name="c", solution_version_arn=version,
        campaign_config={"itemExplorationConfig": {"explorationWeight": "0"}},
    )["campaignArn"]  # fmt: skip
    one = call("GetRecommendations", account, campaign_arn=campaign, user_id="u1", num_results=7)["itemList"]
    assert [item["itemId"] for item in one] == found[0]["output"]["recommendedItems"]


def test_filter_values_travel_in_the_line(account, run_jobs):
    group = films(account)
    version = trained(account, run_jobs, group, "aws-popularity-count")
    arn = create_filter(account, group, "genre", "INCLUDE ItemID WHERE ITEMS.GENRES IN ($G)")
    lines = [{"userId": "u1", "filterValues": {"G": '"Comedy"'}}, {"userId": "u1"}]
    found = run_batch(account, run_jobs, version, lines, "filtered", filter_arn=arn, num_results=5)
    assert {int(item[1:]) % 4 for item in found[0]["output"]["recommendedItems"]} == {1}
    assert "scores" not in found[0]["output"]
    assert "parameter G" in found[1]["error"]
    users = call(
        "CreateFilter", account, name="users", dataset_group_arn=group.arn,
        filter_expression='INCLUDE UserID WHERE Interactions.EVENT_TYPE IN ("click")',
    )["filterArn"]  # fmt: skip
    with pytest.raises(InvalidInputException, match="filter users is for UserID, this job needs one for ItemID"):
        run_batch(account, run_jobs, version, lines, "refused", filter_arn=users)


def test_rankings_and_related_items(account, run_jobs):
    group = films(account)
    version = trained(
        account,
        run_jobs,
        group,
        "aws-personalized-ranking",
        solution_config={"algorithmHyperParameters": {"mode": "fast"}},
    )
    found = run_batch(account, run_jobs, version, [{"userId": "u1", "itemList": ["i3", "i1", "nothing"]}], "rank")
    assert found[0]["output"]["recommendedItems"][0] == "i1"
    assert found[0]["output"]["recommendedItems"][-1] == "nothing"
    assert found[0]["output"]["scores"][-1] is None
    version = trained(account, run_jobs, group, "aws-sims")
    found = run_batch(account, run_jobs, version, [{"itemId": "i1"}, {"itemId": "nothing"}], "related", num_results=5)
    assert all(len(line["output"]["recommendedItems"]) == 5 for line in found)
    assert "i1" not in found[0]["output"]["recommendedItems"]


@pytest.mark.parametrize(
    ("recipe", "line"),
    [
        ("aws-item-affinity", {"itemId": "i1"}),
        ("aws-item-attribute-affinity", {"itemAttributes": 'ITEMS.GENRES = "Comedy"'}),
    ],
)
def test_segments(account, run_jobs, recipe, line):
    version = trained(account, run_jobs, films(account), recipe)
    lines = [line, {"itemId": "nothing", "itemAttributes": 'ITEMS.GENRES = "Nothing"'}]
    found = run_batch(account, run_jobs, version, lines, "segment", "CreateBatchSegmentJob", num_results=10)
    job = BatchSegmentJob.objects.get()
    assert job.status == "ACTIVE", (job.failure_reason, job.traceback)
    users = found[0]["output"]["usersList"]
    assert len(users) == 10
    assert sum(int(user[1:]) % 4 == 1 for user in users) >= 7
    assert found[1]["error"]


def test_output_is_not_input(account, run_jobs):
    version = trained(account, run_jobs, films(account), "aws-sims")
    with pytest.raises(InvalidInputException, match="Invalid S3 output path"):
        call(
            "CreateBatchInferenceJob", account, job_name="b", solution_version_arn=version, role_arn=ROLE,
            job_input={"s3DataSource": {"path": "s3://data/x/"}}, job_output={"s3DataDestination": {"path": "s3://data/x"}},
        )  # fmt: skip
