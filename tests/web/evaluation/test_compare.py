"""Versions side by side, as a person compares them."""

from __future__ import annotations

import re

import pytest

from console.models import SharedEvaluation, SolutionVersion
from console.web.evaluation.comparison import differences, verdict
from tests import worlds
from tests.factories import more_events, text_of, trained

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
    assert "Re-evaluate on a shared set" in page


@pytest.fixture
def pair(account, run_jobs) -> dict:
    """The query that chooses two versions of the same data."""
    group = worlds.films(account)
    for recipe in ("aws-popularity-count", "aws-sims"):
        trained(account, run_jobs, group, recipe)
    names = [version.arn_name for version in SolutionVersion.objects.order_by("pk")]
    return {"group": "films", "version": names, "baseline": names[0]}


def test_versions_of_different_data_are_judged_together(alice, vera, account, run_jobs):
    group = worlds.films(account)
    trained(account, run_jobs, group, "aws-popularity-count")
    more_events(group, days=1)
    trained(account, run_jobs, group, "aws-sims")
    query = {"group": "films", "version": [v.arn_name for v in SolutionVersion.objects.all()]}
    assert "Re-evaluate" not in text_of(vera.get("/compare/", query))
    answer = alice.post("/compare/together/", {"version": query["version"]})
    assert "waiting for a worker" in text_of(alice.get(answer["Location"]))
    run_jobs()
    page = text_of(alice.get(answer["Location"]))
    assert "View the comparison" in page
    shared = SharedEvaluation.objects.get()
    page = text_of(alice.get("/compare/", {"group": "films", "shared": shared.name}))
    assert "Shared evaluation:" in page
    assert 'data-chart="compared"' in page
    assert shared.name in text_of(alice.get("/compare/", query))
    assert shared.name in text_of(alice.get("/shared-evaluations/?group=films"))
    assert vera.post("/compare/together/", {"version": query["version"]}).status_code == 403
    assert alice.post(f"/shared-evaluations/{shared.name}/delete/").status_code == 302
    assert not SharedEvaluation.objects.exists()


def test_every_tab_of_a_pair(alice, charlie, pair):
    page = text_of(alice.get("/compare/exposure/", pair))
    assert 'data-chart="lorenz"' in page
    assert "taken by the users" in page
    assert "By GENRES" in page
    page = text_of(alice.get("/compare/lengths/", pair | {"metric": "recall"}))
    assert "Recall by length of the list" in page
    page = text_of(alice.get("/compare/segments/", pair | {"column": "TIER"}))
    assert "By TIER" in page
    matrix = page.partition('id="matrix"')[2].partition("</section>")[0]
    assert "is corrected for all cells" in matrix
    assert matrix.count("</tbody>") == 3  # by activity, by items, by the column
    assert re.search(r"[+−]0\.\d+ to [+−]?0(\.\d+)?, p ", matrix)
    assert "tail of the catalogue" in page
    german = alice.get("/compare/segments/", pair, headers={"Accept-Language": "de"}).text
    assert "Rest des Katalogs" in german
    assert "of the catalogue" not in german
    assert re.search(r"\d+ bis \d+ Ereignisse|\d+ Ereignisse", german)
    page = text_of(alice.get("/compare/users/", pair | {"order": "HELPED_FIRST"}))
    assert "helped" in page
    user = re.search(r"&amp;user=(u\d+)", page).group(1)
    page = text_of(alice.get("/compare/user/", pair | {"user": user}))
    assert "Taken next" in page
    assert "Film number" in page
    assert alice.get("/compare/users/", pair | {"format": "csv"}).content.decode().startswith("user,events,baseline")
    assert charlie.get("/compare/exposure/", pair).status_code == 404


def test_a_tab_says_what_is_wrong(alice, pair):
    assert "no column SHOE" in text_of(alice.get("/compare/segments/", pair | {"column": "SHOE"}))
    assert "not among the 6" in text_of(alice.get("/compare/user/", pair | {"user": "nobody"}))
    one = pair | {"version": pair["version"][:1]}
    assert 'data-chart="lorenz"' in text_of(alice.get("/compare/exposure/", one))
    assert "choose 2 to 6" in text_of(alice.get("/compare/", one))


def test_a_single_version_is_not_enough(alice, account, run_jobs):
    trained(account, run_jobs, worlds.films(account), "aws-sims")
    assert "choose 2 to 6" in text_of(alice.get("/compare/?group=films"))


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
    assert row.interval == "+0.100 to +0.300"


def test_a_metric_without_pairs_draws_nothing():
    metric = {"title": "Coverage", "values": [BASELINE, {"solutionVersionArn": "new", "value": 0.5}]}
    assert differences(metric, LABELS) == []
