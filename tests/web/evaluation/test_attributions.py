"""The pages of metric attributions and of data insights, and themes in the batch form: made and read by clicking."""

from __future__ import annotations

import time

import pytest

from console.models import AttributedSum, BatchInferenceJob, DataInsightsJob, MetricAttribution
from console.serving import attribution_reports
from console.web.evaluation.attribution_chart import MOST_SOURCES, OTHERS, over_time
from tests.factories import trained
from tests.web.conftest import bring, filled_in, watched
from tests.worlds import films as film_world

NOW = int(time.time()) // 900 * 900
CAMPAIGN = "arn:aws:personalize:us-east-1:000000000001:campaign/films"


@pytest.fixture
def imported(alice, films, run_jobs):
    """The group with 1,200 interactions."""
    preview = bring(alice, watched())
    alice.post(preview, filled_in(alice, preview))
    run_jobs()
    return films


def form(*metrics, **more):
    data = {"form-TOTAL_FORMS": "4", "form-INITIAL_FORMS": "0", "path": ""} | more
    for place, values in enumerate(metrics):
        for name, value in zip(("eventType", "metricName", "expression"), values, strict=True):
            data[f"form-{place}-{name}"] = value
    return data


@pytest.fixture
def outcomes(alice, imported):
    """An attribution with sums of two sources."""
    data = form(
        ("buy", "purchases", "SAMPLECOUNT()"),
        dataset_group_arn=imported.arn,
        name="outcomes",
        path="s3://reports/films/",
    )
    alice.post("/create/metric-attributions/?group=films", data)
    row = MetricAttribution.objects.get()
    for source, window, value in ((CAMPAIGN, NOW, 3), (CAMPAIGN, NOW - 86400, 4), ("=letter", NOW, 2)):
        AttributedSum.objects.create(
            metric_attribution=row, metric_name="purchases", event_type="buy", source=source, window=window, value=value
        )
    return row


def test_sums_are_shown_over_time_and_by_source(alice, outcomes):
    page = alice.get("/metric-attributions/outcomes/")
    assert [(row["source"], row["total"]) for row in page.context["sums"]] == [(CAMPAIGN, 7.0), ("=letter", 2.0)]
    assert "campaign/films" in page.text
    chart = page.context["chart"]
    assert [series.name for series in chart.plot.series] == ["campaign/films", "=letter"]
    assert sum(point.y for series in chart.plot.series for point in series.points) == 9.0
    today = alice.get("/metric-attributions/outcomes/?metric=purchases&span=day").context["chart"]
    assert [row[1:] for row in today.rows] == [(3.0, 2.0)]
    assert alice.get("/metric-attributions/outcomes/?metric=nothing&span=all").context["chosen"] == "purchases"


def test_many_sources_become_one_colour(outcomes):
    for number in range(2 * MOST_SOURCES):
        AttributedSum.objects.create(
            metric_attribution=outcomes,
            metric_name="purchases",
            event_type="buy",
            source=f"s{number}",
            window=NOW,
            value=1,
        )
    chart = over_time(outcomes, "purchases", "all")
    names = [series.name for series in chart.plot.series]
    assert (len(names), names[-1]) == (MOST_SOURCES, OTHERS)
    assert sum(point.y for series in chart.plot.series for point in series.points) == 9.0 + 2 * MOST_SOURCES


def test_all_sums_come_as_csv(alice, outcomes):
    lines = b"".join(alice.get("/metric-attributions/outcomes/?format=csv").streaming_content).decode().splitlines()
    assert lines[0] == "Window,Metric,Event type,Function,Source,Import method,Sum"
    assert len(lines) == 4
    assert any(",'=letter," in line for line in lines), "a spreadsheet must not run it"


def test_metrics_are_edited(alice, outcomes):
    page = alice.get("/metric-attributions/outcomes/update/").text
    assert 'value="purchases"' in page
    assert 'value="s3://reports/films/"' in page
    data = form(("buy", "purchases", "SAMPLECOUNT()"), ("watch", "views", "SAMPLECOUNT()"), path="s3://elsewhere/")
    alice.post("/metric-attributions/outcomes/update/", data)
    outcomes.refresh_from_db()
    assert [metric["metricName"] for metric in outcomes.metrics] == ["purchases", "views"]
    assert outcomes.output["s3DataDestination"] == {"path": "s3://elsewhere/"}
    answer = alice.post("/metric-attributions/outcomes/update/", form(("buy", "revenue", "SUM(Items.PRICE)")))
    assert "no numeric column" in answer.text
    alice.post("/metric-attributions/outcomes/update/", form(("watch", "purchases", "SAMPLECOUNT()")))
    outcomes.refresh_from_db()
    assert outcomes.metrics == [{"eventType": "watch", "metricName": "purchases", "expression": "SAMPLECOUNT()"}]


def test_a_report_is_written_and_downloaded(alice, outcomes, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        page = alice.post("/metric-attributions/outcomes/report/", follow=True).text
    assert "3 sums are on their way" in page
    report = outcomes.reports.get()
    assert report.name in page
    answer = alice.get(f"/metric-attributions/outcomes/reports/{report.pk}/")
    text = b"".join(answer.streaming_content).decode()
    assert text.startswith("METRIC_NAME,EVENT_TYPE,VALUE")
    assert ",'=letter," in text, "a spreadsheet must not run it"
    assert "nothing to report" in alice.post("/metric-attributions/outcomes/report/", follow=True).text


def test_viewers_read_and_strangers_see_nothing(alice, vera, charlie, outcomes):
    attribution_reports.report_streamed(outcomes)
    pk = outcomes.reports.get().pk
    assert "Write a report now" not in vera.get("/metric-attributions/outcomes/").text
    assert vera.post("/metric-attributions/outcomes/report/").status_code == 403
    assert vera.get("/metric-attributions/outcomes/update/").status_code == 403
    for path in ("", f"reports/{pk}/", "update/"):
        assert charlie.get(f"/metric-attributions/outcomes/{path}").status_code == 404


def test_an_analysis_is_run_and_read(alice, imported, run_jobs):
    assert "Run analysis" in alice.get("/data-insights/?group=films").text
    waiting = alice.post("/create/data-insights-jobs/?group=films", follow=True)
    assert "waiting for a worker" in waiting.text
    run_jobs()
    page = alice.get("/data-insights/?group=films")
    assert page.context["numbers"]["users"] == 40
    assert [dataset["title"] for dataset in page.context["datasets"]] == ["Interactions"]
    columns = {column["name"]: column for column in page.context["datasets"][0]["columns"]}
    assert columns["EVENT_TYPE"]["frequent"] == "watch (960), buy (240)"
    assert "14 Nov 2023 to 15 Nov 2023" in columns["TIMESTAMP"]["values"]
    assert "Run analysis again" in page.text
    job = DataInsightsJob.objects.get()
    assert alice.get(f"/data-insights-jobs/{job.name}/").status_code == 200
    assert job.name in alice.get("/data-insights-jobs/?group=films").text


def test_an_empty_group_is_sent_to_its_import(alice, vera, charlie, films):
    page = alice.get("/data-insights/?group=films").text
    assert "Import a file" in page
    assert "Run analysis" not in page
    alice.post("/create/data-insights-jobs/?group=films")
    assert vera.post("/create/data-insights-jobs/?group=films").status_code == 403
    assert charlie.get("/data-insights/?group=films").status_code == 404
    assert charlie.get(f"/data-insights-jobs/{DataInsightsJob.objects.get().name}/").status_code == 404


def test_themes_are_asked_for(alice, account, run_jobs):
    version = trained(account, run_jobs, film_world(account), "aws-similar-items")
    data = {
        "job_name": "titled", "solution_version_arn": version, "num_results": "25", "location": "s3://data/in.json",
        "output": "s3://data/out/", "item_name": "SUBTITLE",
    }  # fmt: skip
    refused = alice.post("/create/batch-inference-jobs/?group=films", data)
    assert "no column of the Items dataset" in str(refused.context["form"].errors["item_name"])
    page = alice.post("/create/batch-inference-jobs/?group=films", data | {"item_name": "TITLE"}, follow=True).text
    assert "Themes by" in page
    assert BatchInferenceJob.objects.get().mode == "THEME_GENERATION"
