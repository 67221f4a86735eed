"""Versions side by side, as a person compares them."""

from __future__ import annotations

import pytest

from console.models import SolutionVersion
from console.web.comparison import differences, verdict
from tests import worlds
from tests.operations.test_solutions import trained
from tests.web.test_training import text_of

LABELS = {"new": "sims 1a2b", "old": "popularity 3c4d"}
BASELINE = {"solutionVersionArn": "old", "value": 0.1, "isBaseline": True}
BETTER = {"solutionVersionArn": "new", "value": 0.3, "difference": 0.2, "differenceLow": 0.1, "differenceHigh": 0.3,
          "p": 0.0004, "verdict": "better"}  # fmt: skip


def answer_with(entry: dict) -> dict:
    name = "normalized_discounted_cumulative_gain_at_10"
    metric = {"name": name, "title": "NDCG at 10", "isAws": True, "values": [BASELINE, entry]}
    return {"baselineArn": "old", "metrics": [metric]}


def test_it_works(alice, account, run_jobs):
    group = worlds.films(account)
    for recipe in ("aws-popularity-count", "aws-sims"):
        trained(account, run_jobs, group, recipe)
    names = [version.arn_name for version in SolutionVersion.objects.order_by("pk")]
    page = text_of(alice.get("/compare/", {"group": "films", "version": names, "baseline": names[0]}))
    assert "of one frozen test set" in page
    assert "NDCG at 10" in page
    assert "baseline</span>" in page
    assert "popularity_discount_factor" in page
    assert '<svg viewBox="0 0 200 14"' in page
    assert 'data-chart="compared"' in page


def test_versions_of_different_data_are_refused_with_the_reason(alice, account, run_jobs):
    group = worlds.films(account)
    trained(account, run_jobs, group, "aws-sims")
    data = group.datasets.get(type="INTERACTIONS")
    trained(account, run_jobs, worlds.films(account, "more", each=30), "aws-sims", name="other")
    SolutionVersion.objects.get(solution__name="other").solution.__class__.objects.filter(name="other").update(
        dataset_group=data.dataset_group
    )
    names = [version.arn_name for version in SolutionVersion.objects.all()]
    page = text_of(alice.get("/compare/", {"group": "films", "version": names}))
    assert "interactions 1,800 against 1,440" in page or "interactions 1,440 against 1,800" in page
    assert 'data-chart="compared"' not in page


def test_a_single_version_is_not_enough(alice, account, run_jobs):
    trained(account, run_jobs, worlds.films(account), "aws-sims")
    assert "This group has 1 trained version." in text_of(alice.get("/compare/?group=films"))


def test_a_group_without_versions_leads_to_the_recipes(alice, films):
    assert "/recipes/?group=films" in text_of(alice.get("/compare/?group=films"))


@pytest.mark.parametrize(
    ("change", "head", "look"),
    [
        ({}, "sims 1a2b is better than popularity 3c4d", "good"),
        ({"verdict": "no difference shown"}, "No version is surely better than popularity 3c4d", "even"),
        ({"verdict": "worse", "difference": -0.2}, "popularity 3c4d is better than sims 1a2b", "bad"),
    ],
)
def test_the_verdict_is_a_sentence(change, head, look):
    found = verdict(answer_with(BETTER | change), LABELS)
    assert found[0] == head
    assert found[2] == look
    assert "p < 0.001" in found[1]


def test_intervals_are_drawn_to_the_scale_of_their_metric():
    (row,) = differences(answer_with(BETTER)["metrics"][0], LABELS)
    assert row.left < row.middle < row.right <= 200
    assert row.left > 100  # right of zero
    assert row.interval == "0.100 to 0.300"


def test_a_metric_without_pairs_draws_nothing():
    metric = {"title": "Coverage", "values": [BASELINE, {"solutionVersionArn": "new", "value": 0.5}]}
    assert differences(metric, LABELS) == []
