"""Reports of metric attributions: what is told, once each, whole, and where."""

from __future__ import annotations

import csv
import time
from datetime import UTC, datetime, timedelta

import pytest

from console import storage, tasks
from console.errors import InvalidInputException
from console.jobs import Claim
from console.models import AttributedSum, AttributionReport, Event, MetricAttribution
from console.operations.data import event_trackers, events
from console.operations.evaluation import metric_attributions as operations
from console.serving import attribution_reports, recorder
from console.serving.attribution import UNDEFINED_SOURCE
from tests.factories import make_dataset

FIELDS = [
    ("USER_ID", "string"), ("ITEM_ID", "string"), ("EVENT_TYPE", "string"), ("TIMESTAMP", "long"), ("EVENT_VALUE", ["null", "float"]),
    ("RECOMMENDATION_ID", ["null", "string"]), ("EVENT_ATTRIBUTION_SOURCE", ["null", "string"]),
]  # fmt: skip
HEAD = "USER_ID,ITEM_ID,EVENT_TYPE,TIMESTAMP,EVENT_VALUE,RECOMMENDATION_ID,EVENT_ATTRIBUTION_SOURCE\n"
METRICS = [
    {"eventType": "click", "metricName": "clicks", "expression": "SAMPLECOUNT()"},
    {"eventType": "buy", "metricName": "revenue", "expression": "SUM(Items.PRICE)"},
    {"eventType": "buy", "metricName": "value", "expression": "SUM(Interactions.EVENT_VALUE)"},
]
COLUMNS = ["METRIC_NAME", "EVENT_TYPE", "VALUE", "MATH_FUNCTION", "EVENT_ATTRIBUTION_SOURCE", "TIMESTAMP"]
ROLE = "arn:aws:iam::000000000001:role/r"
NOW = int(time.time()) // 900 * 900


@pytest.fixture
def interactions(account, load):
    """Interactions and priced items, and no report of an earlier test; returns the ARN of the former."""
    storage.delete(storage.parse_location("s3://reports/"))
    arn = make_dataset(account, fields=FIELDS)
    items = make_dataset(account, "Items", [("ITEM_ID", "string"), ("PRICE", "float")])
    load(items, "ITEM_ID,PRICE\ni1,10\ni2,2.5\n", "items")
    return arn


def attribution(account, path="s3://reports/films/"):
    output = {"roleArn": ROLE} | ({"s3DataDestination": {"path": path}} if path else {})
    group = f"arn:aws:personalize:us-east-1:{account.number}:dataset-group/films"
    made = operations.create_metric_attribution(
        account, name="sales", dataset_group_arn=group, metrics=METRICS, metrics_output_config=output
    )
    return made["metricAttributionArn"]


def stream(account, *given):
    row = MetricAttribution.objects.get()
    if not row.dataset_group.event_trackers.exists():
        event_trackers.create_event_tracker(account, name="live", dataset_group_arn=row.dataset_group.arn)
    tracker = row.dataset_group.event_trackers.get()
    told = [{"eventType": kind, "itemId": item, "sentAt": at} for kind, item, at in given]
    events.put_events(account, tracking_id=tracker.tracking_id, session_id="s", user_id="bob", event_list=told)


def files(path="s3://reports/films/"):
    return storage.list_objects(storage.parse_location(path))


def rows_of(location):
    with storage.open_read(location) as file:
        head, *rows = csv.reader(file.read().decode().splitlines())
    assert head == COLUMNS
    return {(row[0], row[1], row[3], row[4], int(row[5])): float(row[2]) for row in rows}


def test_an_import_that_asks_gets_a_report(account, load, interactions):
    attribution(account)
    old = NOW - 100 * 86400
    text = HEAD + "".join([
        f"u1,i1,click,{NOW},,,\n", f"u2,i1,click,{NOW + 1},,,letter\n", f"u3,i2,click,{NOW + 2},,,letter\n",
        f"u1,i1,buy,{old},3.5,,\n", f"u2,i2,buy,{old + 899},,,\n", f"u3,i9,buy,{old + 900},1,,\n", f"u3,i9,look,{old},1,,\n",
    ])  # fmt: skip
    job = load(interactions, text, publish_attribution_metrics_to_s3=True)
    assert job.status == "ACTIVE", job.failure_reason
    [report] = files()
    assert report.key.startswith("films/AggregatedAttributionMetrics - BULK - ")
    window = old // 900 * 900
    late = (old + 899) // 900 * 900
    revenue = {window: 10.0}
    revenue[late] = revenue.get(late, 0) + 2.5
    found = rows_of(report)
    assert found.pop(("value", "buy", "sum", UNDEFINED_SOURCE, window)) in {3.5, 4.5}
    found.pop(("value", "buy", "sum", UNDEFINED_SOURCE, (old + 900) // 900 * 900), None)
    assert found == {
        ("clicks", "click", "samplecount", UNDEFINED_SOURCE, NOW): 1.0,
        ("clicks", "click", "samplecount", "letter", NOW): 2.0,
        **{("revenue", "buy", "sum", UNDEFINED_SOURCE, at): total for at, total in revenue.items()},
    }
    row = AttributionReport.objects.get()
    assert row.published is not None
    assert (row.method, row.location) == ("BULK", str(report))
    assert AttributedSum.objects.count() == 0, "a full import replaces data; it adds nothing to the sums"


@pytest.mark.parametrize("ends", [True, False], ids=["active", "stopped"])
def test_a_report_is_there_when_its_import_ends_and_only_then(account, load, interactions, monkeypatch, ends):
    attribution(account)
    there, finish = [], Claim.finish

    def look(held, **values):
        there.append(len(files()))
        return ends and finish(held, **values)

    monkeypatch.setattr(Claim, "finish", look)
    job = load(interactions, HEAD + f"u1,i1,click,{NOW},,,\n", publish_attribution_metrics_to_s3=True)
    assert (there, job.status == "ACTIVE") == ([1], ends)
    assert (len(files()), AttributionReport.objects.count()) == (int(ends), int(ends))


def test_what_an_import_adds_is_added_to_the_sums(account, load, interactions):
    load(interactions, HEAD + f"u1,i1,click,{NOW},,,\n", "before")
    arn = attribution(account)
    more = HEAD + f"u1,i2,click,{NOW},,,letter\nu1,i2,click,{NOW - 20 * 86400},,,letter\n"
    assert load(interactions, more, "more", import_mode="INCREMENTAL").status == "ACTIVE"
    [found] = operations.get_attributed_metrics(account, metric_attribution_arn=arn)["sums"]
    assert (found["metricName"], found["eventAttributionSource"], found["value"]) == ("clicks", "letter", 1.0)
    assert files() == []


def test_a_recommendation_credits_what_gave_it_in_its_own_group(account, load, interactions, monkeypatch):
    attribution(account)
    group = MetricAttribution.objects.get().dataset_group_id
    shown = {
        "RID-1": {"source": "arn:campaign", "group": group},
        "RID-2": {"source": "arn:foreign", "group": group + 1},
    }
    monkeypatch.setattr(recorder, "_unwritten", shown)
    text = HEAD + "".join(f"u{n},i1,click,{NOW},,RID-{n},\n" for n in (1, 2, 3))
    load(interactions, text, publish_attribution_metrics_to_s3=True)
    found = {source: value for (_, _, _, source, _), value in rows_of(files()[0]).items()}
    assert found == {"arn:campaign": 1.0, UNDEFINED_SOURCE: 2.0}
    event = {"eventType": "click", "itemId": "i1", "sentAt": NOW, "recommendationId": "RID-2"}
    stream(account, ("click", "i1", NOW))
    tracker = MetricAttribution.objects.get().dataset_group.event_trackers.get().tracking_id
    for number in (1, 2):
        told = event | {"recommendationId": f"RID-{number}"}
        events.put_events(account, tracking_id=tracker, session_id="s", event_list=[told])
    sums = dict(AttributedSum.objects.values_list("source", "value"))
    assert sums == {UNDEFINED_SOURCE: 2.0, "arn:campaign": 1.0}


def test_streamed_sums_are_reported_once_each(account, interactions):
    attribution(account)
    stream(account, ("click", "i1", NOW - 900), ("buy", "i2", NOW - 1800))
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    assert attribution_reports.report_due(tomorrow) == 1
    assert attribution_reports.report_due(tomorrow) == 0
    [first] = files()
    assert rows_of(first) == {
        ("clicks", "click", "samplecount", UNDEFINED_SOURCE, NOW - 900): 1.0,
        ("revenue", "buy", "sum", UNDEFINED_SOURCE, NOW - 1800): 2.5,
    }
    stream(account, ("click", "i2", NOW - 900))  # late
    AttributionReport.objects.update(created=datetime.now(UTC) - timedelta(days=1))
    assert attribution_reports.report_due(tomorrow) == 1
    second = next(file for file in files() if file != first)
    assert rows_of(second) == {("clicks", "click", "samplecount", UNDEFINED_SOURCE, NOW - 900): 1.0}


def test_nothing_is_due_before_its_time(account, interactions):
    attribution(account)
    stream(account, ("click", "i1", NOW))
    assert attribution_reports.report_due() == 0
    assert files() == []


def test_what_could_not_be_published_is_tried_again(account, interactions, monkeypatch):
    arn = attribution(account)
    stream(account, ("click", "i1", NOW))

    def away(*_):
        raise OSError("the disk is away")

    with monkeypatch.context() as patch:
        patch.setattr(attribution_reports.shutil, "copyfileobj", away)
        assert not attribution_reports.publish(attribution_reports.report_streamed(MetricAttribution.objects.get()))
    assert files() == []
    [told] = operations.list_attribution_reports(account, metric_attribution_arn=arn)["reports"]
    assert (told["status"], told["failureReason"], told["rows"]) == ("PENDING", "the disk is away", 1)
    tasks.report_attributions()
    assert len(files()) == 1
    assert (
        operations.list_attribution_reports(account, metric_attribution_arn=arn)["reports"][0]["status"] == "PUBLISHED"
    )


def test_a_report_by_hand(account, interactions, django_capture_on_commit_callbacks):
    arn = attribution(account)
    with pytest.raises(InvalidInputException, match="nothing to report"):
        operations.create_attribution_report(account, metric_attribution_arn=arn)
    stream(account, ("click", "i1", NOW))
    with django_capture_on_commit_callbacks(execute=True):
        operations.create_attribution_report(account, metric_attribution_arn=arn)
    assert len(files()) == 1
    draft = storage.store(AttributionReport.objects.get().draft)
    with django_capture_on_commit_callbacks(execute=True):
        operations.delete_metric_attribution(account, metric_attribution_arn=arn)
    assert (storage.exists(draft), len(files())) == (False, 1)


def test_without_a_folder_there_is_no_report(account, load, interactions):
    arn = attribution(account, path=None)
    job = load(interactions, HEAD + f"u1,i1,click,{NOW},,,\n", publish_attribution_metrics_to_s3=True)
    assert job.status == "ACTIVE"
    with pytest.raises(InvalidInputException, match="no s3DataDestination"):
        operations.create_attribution_report(account, metric_attribution_arn=arn)
    operations.update_metric_attribution(
        account,
        metric_attribution_arn=arn,
        metrics_output_config={"roleArn": ROLE, "s3DataDestination": {"path": "s3://reports/later"}},
    )
    stream(account, ("click", "i1", NOW))
    report = attribution_reports.report_streamed(MetricAttribution.objects.get())
    assert report.location.startswith("s3://reports/later/AggregatedAttributionMetrics - PUT - ")


def test_periods_and_times_narrow_what_is_read(account, interactions):
    arn = attribution(account)
    hour = (NOW - 7200) // 3600 * 3600
    stream(
        account, ("click", "i1", hour), ("click", "i1", hour + 1800), ("click", "i1", hour - 3600), ("buy", "i1", hour)
    )

    def read(**members):
        found = operations.get_attributed_metrics(account, metric_attribution_arn=arn, **members)["sums"]
        return [(row["windowStart"].timestamp(), row["metricName"], row["value"]) for row in found]

    by_hour = [(hour, "clicks", 2.0), (hour, "revenue", 10.0), (hour - 3600, "clicks", 1.0)]
    assert read(period_seconds=3600) == by_hour
    assert read(period_seconds=3600, metric_name="revenue") == by_hour[1:2]
    assert read(start_time=datetime.fromtimestamp(hour + 900, UTC)) == [(hour + 1800, "clicks", 1.0)]
    assert read(end_time=datetime.fromtimestamp(hour, UTC)) == [(hour - 3600, "clicks", 1.0)]
    assert read(start_time=hour + 900, end_time=str(hour + 1801)) == [(hour + 1800, "clicks", 1.0)]
    assert read(event_attribution_source="nobody") == []
    with pytest.raises(InvalidInputException, match="Member must be a time"):
        read(start_time=1e300)
    with pytest.raises(InvalidInputException, match="multiples of 900"):
        read(period_seconds=1000)


def test_reports_stay_out_of_other_accounts_uploads(account, interactions):
    with pytest.raises(InvalidInputException, match="Access denied"):
        attribution(account, path="s3://uploads/000000000003/")
    assert Event.objects.count() == 0
