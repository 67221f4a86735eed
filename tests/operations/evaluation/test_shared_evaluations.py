"""Versions of different data, judged together: on newer events, or by learning anew; and what can be read of a test."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from console import storage
from console.errors import InvalidInputException, ResourceInUseException, ResourceNotFoundException
from console.models import SharedEvaluation, SharedResult, SolutionVersion
from console.shapes import JSONDict
from recipes.evaluation.shown import Shown
from tests.factories import call, more_events, trained
from tests.worlds import DAY, NOW, films

pytestmark = pytest.mark.slow
NDCG = "normalized_discounted_cumulative_gain_at_10"


@pytest.fixture
def group(account):
    return films(account)


@pytest.fixture
def versions(account, run_jobs, group) -> list[str]:
    """One of the first data, one of more."""
    old = trained(account, run_jobs, group, "aws-popularity-count")
    more_events(group, days=1)
    return [old, trained(account, run_jobs, group, "aws-sims")]


def together(account, run_jobs, versions, **more) -> str:
    arn = call("CreateSharedEvaluation", account, solution_version_arns=versions, **more)["sharedEvaluationArn"]
    run_jobs()
    return arn


def described(account, arn) -> JSONDict:
    return call("DescribeSharedEvaluation", account, shared_evaluation_arn=arn)["sharedEvaluation"]


def test_it_works(account, run_jobs, versions):
    with pytest.raises(InvalidInputException, match="CreateSharedEvaluation"):
        call("CompareSolutionVersions", account, solution_version_arns=versions)
    arn = together(account, run_jobs, versions)
    told = described(account, arn)
    assert told["status"] == "ACTIVE", told
    assert told["method"] == "REFIT"
    assert "without" in told["note"]
    assert told["solutionVersionArns"] == versions
    answer = call(
        "CompareSolutionVersions", account, solution_version_arns=versions, shared_evaluation_arn=arn,
        baseline_arn=versions[0],
    )  # fmt: skip
    metric = next(m for m in answer["metrics"] if m["name"] == NDCG)
    assert metric["values"][1]["difference"] > 0  # people like one genre each, popularity knows none
    assert answer["numQueries"] == told["numQueries"]


def test_newer_events_judge_what_is_served(account, run_jobs, group, versions):
    more_events(group, days=5)
    told = described(account, together(account, run_jobs, versions))
    assert told["status"] == "ACTIVE", told
    assert told["method"] == "NEWER_EVENTS"
    assert told["numQueries"] == 60
    assert NOW + DAY < told["seenUntil"] < NOW + 5 * DAY
    kept = SharedResult.objects.values_list("evaluation", flat=True)
    assert all(kept)
    assert len(set(kept)) == 2


def test_newer_events_are_not_made_up(account, run_jobs, versions):
    told = described(account, together(account, run_jobs, versions, method="NEWER_EVENTS"))
    assert told["status"] == "CREATE FAILED"
    assert "use the method REFIT" in told["failureReason"]


def test_a_version_that_saw_the_answers_gains_nothing(account, run_jobs, group, versions):
    """The same recipe trained once before and once after the newest events is judged without them: the two are equals."""
    more_events(group, days=3)
    after = trained(account, run_jobs, group, "aws-sims", name="sims-later")
    arn = together(account, run_jobs, [versions[1], after])
    answer = call(
        "CompareSolutionVersions", account, solution_version_arns=[versions[1], after], shared_evaluation_arn=arn
    )
    values = next(m["values"] for m in answer["metrics"] if m["name"] == NDCG)
    assert values[0]["value"] == values[1]["value"]
    assert described(account, arn)["method"] == "REFIT"


def test_it_can_be_listed_and_deleted(account, run_jobs, group, versions):
    arn = together(account, run_jobs, versions)
    listed = call("ListSharedEvaluations", account, dataset_group_arn=group.arn)["sharedEvaluations"]
    assert [entry["sharedEvaluationArn"] for entry in listed] == [arn]
    call("DeleteSharedEvaluation", account, shared_evaluation_arn=arn)
    assert not SharedEvaluation.objects.exists()
    assert SolutionVersion.objects.count() == 2
    with pytest.raises(ResourceNotFoundException):
        described(account, arn)


def test_one_that_goes_on_cannot_be_deleted(account, versions):
    arn = call("CreateSharedEvaluation", account, solution_version_arns=versions)["sharedEvaluationArn"]
    with pytest.raises(ResourceInUseException, match="CREATE PENDING"):
        call("DeleteSharedEvaluation", account, shared_evaluation_arn=arn)
    with pytest.raises(ResourceInUseException, match="CREATE PENDING"):
        call("CompareSolutionVersions", account, solution_version_arns=versions, shared_evaluation_arn=arn)


def test_versions_of_two_groups_are_refused(account, run_jobs, versions):
    other = trained(account, run_jobs, films(account, "more"), "aws-sims", name="other")
    with pytest.raises(InvalidInputException, match="different dataset groups"):
        call("CreateSharedEvaluation", account, solution_version_arns=[versions[0], other])


def test_segmenting_recipes_are_refused(account, run_jobs, group, versions):
    other = trained(account, run_jobs, group, "aws-item-affinity")
    with pytest.raises(InvalidInputException, match="makes no lists of items"):
        call("CreateSharedEvaluation", account, solution_version_arns=[versions[0], other])


def test_nobody_elses_is_found(account, other_account, run_jobs, versions):
    arn = together(account, run_jobs, versions)
    with pytest.raises(ResourceNotFoundException):
        described(other_account, arn)


def test_the_forgotten_are_not_named_in_tests(account, run_jobs, versions):
    together(account, run_jobs, versions)
    names = asked_for()
    assert names[0]
    storage.put_file(written(f"USER_ID\n{names[0]}\n"), storage.parse_location("s3://mine/users.csv"))
    call(
        "CreateDataDeletionJob", account, job_name="forget", dataset_group_arn=described(account, shared())["datasetGroupArn"],
        data_source={"dataLocation": "s3://mine/users.csv"}, role_arn="arn:aws:iam::000000000001:role/any",
    )  # fmt: skip
    run_jobs()
    assert names[0] not in asked_for()
    assert set(names[1:]) <= set(asked_for())
    told = call("CompareSolutionVersions", account, solution_version_arns=versions, shared_evaluation_arn=shared())
    assert told["metrics"]


def asked_for() -> list[str]:
    """The users that are named in any test."""
    keys = [
        *SharedResult.objects.values_list("evaluation", flat=True),
        *SolutionVersion.objects.values_list("evaluation", flat=True),
    ]
    return sorted(
        {user for key in keys for user in Shown.load(storage.local_folder(key)).user_ids.array.to_pylist() if user}
    )


def shared() -> str:
    return SharedEvaluation.objects.get().arn


def written(text: str) -> Path:
    path = Path(tempfile.mkdtemp()) / "users.csv"
    path.write_text(text)
    return path


@pytest.fixture
def pair(account, run_jobs, group) -> list[str]:
    """Two versions of the same data."""
    return [trained(account, run_jobs, group, name) for name in ("aws-popularity-count", "aws-sims")]


def test_exposure_says_who_is_favoured(account, pair):
    told = call("GetRecommendationExposure", account, solution_version_arns=pair)
    popularity, sims = told["versions"]
    assert told["column"] == "GENRES"
    assert popularity["gini"] > sims["gini"]
    assert popularity["coverage"] == pytest.approx(10 / 80)
    assert sum(tier["recommended"] for tier in sims["tiers"]) == pytest.approx(1)
    assert sum(tier["catalogue"] for tier in sims["tiers"]) == pytest.approx(1)
    assert sum(one["catalogue"] for one in sims["categories"]) == pytest.approx(1)
    assert sims["curve"][0] == {"items": 0.0, "share": 0.0}
    assert sims["curve"][-1] == {"items": 1.0, "share": 1.0}
    assert popularity["tiers"][0]["recommended"] > sims["tiers"][0]["recommended"]
    with pytest.raises(InvalidInputException, match="there are GENRES"):
        call("GetRecommendationExposure", account, solution_version_arns=pair, column="PRICE")


def test_the_curve_meets_the_metric(account, pair):
    curves = call("GetMetricCurve", account, solution_version_arns=pair, metric="recall")["curves"]
    report = call("GetSolutionVersionReport", account, solution_version_arn=pair[1])
    recall = next(m["value"] for m in report["metrics"] if m["name"] == "recall_at_10")
    points = curves[1]["points"]
    assert len(points) == 50
    assert points[9]["value"] == pytest.approx(recall, abs=1e-5)
    assert points[9]["low"] <= points[9]["value"] <= points[9]["high"]


def test_segments_add_up_to_the_whole(account, pair):
    told = call("GetMetricSegments", account, solution_version_arns=pair, metric="recall", column="TIER")
    kinds = {segment["kind"] for segment in told["segments"]}
    assert kinds == {"activity", "items", "TIER"}
    tiers = [segment for segment in told["segments"] if segment["kind"] == "TIER"]
    assert {segment["label"] for segment in tiers} <= {"free", "gold"}
    whole = call("CompareSolutionVersions", account, solution_version_arns=pair)
    recall = next(m for m in whole["metrics"] if m["name"] == "recall_at_10")["values"][1]["value"]
    mean = sum(s["values"][1]["value"] * s["numQueries"] for s in tiers) / sum(s["numQueries"] for s in tiers)
    assert mean == pytest.approx(recall, abs=1e-5)
    assert told["columns"] == ["AGE", "TIER"]
    first, second = tiers[0]["values"]
    assert "difference" not in first
    assert second["difference"] == pytest.approx(second["value"] - first["value"], abs=1e-5)
    assert second["differenceLow"] <= second["difference"] <= second["differenceHigh"]
    assert (second["verdict"] == "no difference shown") is (second["p"] > 0.05)
    with pytest.raises(InvalidInputException, match="there are AGE, TIER"):
        call("GetMetricSegments", account, solution_version_arns=pair, column="SHOE")


def test_users_are_ordered_by_what_a_version_did_to_them(account, pair):
    told = call("CompareUserOutcomes", account, solution_version_arns=pair, order="HELPED_FIRST", max_results=3)
    differences = [user["difference"] for user in told["users"]]
    assert differences == sorted(differences, reverse=True)
    assert told["helped"] + told["hurt"] + told["same"] == 6
    rest = call(
        "CompareUserOutcomes", account, solution_version_arns=pair, order="HELPED_FIRST", next_token=told["nextToken"]
    )
    assert len(rest["users"]) == 3
    assert "nextToken" not in rest
    worst = call("CompareUserOutcomes", account, solution_version_arns=pair)["users"][0]
    assert worst["difference"] == rest["users"][-1]["difference"]


def test_what_a_user_was_shown_is_what_was_measured(account, pair):
    user = call("CompareUserOutcomes", account, solution_version_arns=pair, metric="precision")["users"][-1]
    told = call("GetJudgedLists", account, solution_version_arns=pair, user_id=user["userId"])
    hits = [sum(item["isHit"] for item in listed["items"]) for listed in told["lists"]]
    assert hits[1] / 10 == pytest.approx(user["after"])
    assert told["taken"][0]["title"].startswith("Film number")
    assert told["told"] == user["events"]
    with pytest.raises(ResourceNotFoundException, match="not among the 6"):
        call("GetJudgedLists", account, solution_version_arns=pair, user_id="nobody")
