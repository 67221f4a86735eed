"""Verdicts by goal, the Pareto line, the report to take along, and a chooser that stays short."""

from __future__ import annotations

import csv
import io

import pytest

from console.models import SolutionVersion
from console.web.evaluation.decision import goals, pareto, scatter
from console.web.evaluation.selection import OFFERED
from tests.factories import trained
from tests.web.conftest import words
from tests.worlds import films as world

NAMES = {"a": "fast one", "b": "slow one"}


def answer(first: float, second: float, verdict: str, **more):
    def metric(name, values, **told):
        entries = [
            {"solutionVersionArn": arn, "value": value, "low": value - 0.01, "high": value + 0.01}
            for arn, value in zip("ab", values, strict=True)
        ]
        entries[1] |= {"verdict": verdict, "p": 0.001}
        return {"name": name, "title": name, "values": entries} | told

    return {
        "baselineArn": "a",
        "metrics": [
            metric("normalized_discounted_cumulative_gain_at_10", (first, second)),
            metric("average_popularity_at_25", (30.0, 20.0), lessIsBetter=True),
            metric("coverage", (0.1, 0.2)),
        ],
    }


@pytest.mark.parametrize(
    ("values", "verdict", "winner", "says"),
    [
        ((0.2, 0.3, "better"), "better", "slow one", "surely better than fast one (p = 0.001)"),
        ((0.2, 0.21, "tied"), "tied", "No clear winner", "chance could explain its lead"),
        ((0.3, 0.2, "worse"), "worse", "fast one", "it is the baseline"),
        ((0.3, 0.295, "tied"), "tied", "fast one", "slow one is close, their intervals overlap"),
    ],
)
def test_a_goal_is_won_only_where_chance_is_ruled_out(values, verdict, winner, says):
    accuracy = goals(answer(*values), NAMES, [])[0]
    assert (accuracy.title, accuracy.winner) == ("Accuracy", winner)
    assert says in accuracy.sentence


def test_less_popular_counts_as_better_where_it_is():
    chart = scatter(answer(0.3, 0.2, "worse"), NAMES, [], "average_popularity_at_25")
    line = chart.plot.series[0]
    assert [(point.x, point.y) for point in line.points] == [(20.0, 0.2), (30.0, 0.3)]
    chart = scatter(answer(0.3, 0.2, "worse"), NAMES, [], "coverage")
    assert [point.x for point in chart.plot.series[0].points] == [0.1, 0.2]


def test_a_point_that_another_beats_in_both_is_not_on_the_line():
    assert pareto([(0.1, 0.1), (0.2, 0.2)]) == [(0.2, 0.2)]


@pytest.fixture
def pair(account, run_jobs):
    group = world(account)
    return [trained(account, run_jobs, group, recipe) for recipe in ("aws-popularity-count", "aws-sims")]


def address(**more):
    names = [version.arn_name for version in SolutionVersion.objects.order_by("created")[:2]]
    return "/compare/", {"group": "films", "version": names, "baseline": names[0]} | more


def test_the_page_decides_and_draws(alice, pair):
    page = words(alice.get(*address(against="novelty_at_25")).text)
    for goal in ("Accuracy", "Discovery", "Speed", "Cost"):
        assert f"<dt>{goal}</dt>" in page
    assert 'data-chart="trade-off"' in page
    assert "Accuracy against novelty" in page
    assert 'href="/solution-versions/sims/' in page
    assert '<th scope="col" class="text-end"> popularity-count' in page  # the name people gave, not a hash


def test_a_report_is_one_file_and_notes_stay_in_the_address(alice, pair):
    page = alice.get(*address(notes="Ship <b>it</b>"))
    assert "Ship &lt;b&gt;it&lt;/b&gt;</textarea>" in page.text
    report = alice.get(*address(notes="Ship <b>it</b>", format="html"))
    assert 'filename="comparison.html"' in report["Content-Disposition"]
    assert "Ship &lt;b&gt;it" in report.text
    assert "<link" not in report.text
    assert "src=" not in report.text.partition("<body")[2]  # nothing is fetched
    assert report.text.count("Plotly.newPlot(") >= 2  # figures to zoom into
    assert report.text.count("<noscript>") >= 2  # and drawings without JavaScript
    assert report.text.count("<svg") >= 2


def test_every_figure_is_in_the_csv(alice, pair):
    page = alice.get(*address())
    rows = list(csv.DictReader(io.StringIO(alice.get(*address(format="csv")).text)))
    assert len(rows) == sum(len(metric["values"]) for metric in page.context["answer"]["metrics"])
    assert {row["version"] for row in rows} == {"popularity-count", "sims"}
    assert all(row["value"] for row in rows)


def test_a_thousand_versions_are_offered_by_search(alice, pair, django_assert_max_num_queries):
    model = SolutionVersion.objects.get(solution__name="sims")
    SolutionVersion.objects.bulk_create(
        SolutionVersion(
            account=model.account, solution=model.solution, identifier=f"{n:08x}", status="ACTIVE", recipe=model.recipe,
            training_mode="FULL", report=model.report,
        )
        for n in range(1000)
    )  # fmt: skip
    with django_assert_max_num_queries(25):
        page = alice.get("/compare/", {"group": "films"})
    assert page.text.count('name="version"') == OFFERED
    assert "search for others" in page.text
    assert "sims/000003e7" in alice.get("/compare/", {"group": "films", "q": "000003e7"}).text
