"""Metric attributions: what is counted, for whom, and how much."""

from __future__ import annotations

import json
import time

import pytest

from console.errors import (
    InvalidInputException,
    InvalidNextTokenException,
    ResourceAlreadyExistsException,
    ResourceNotFoundException,
)
from console.models import AttributedSum
from console.operations.base import call_by_wire_names
from console.operations.data import event_trackers, events
from console.operations.evaluation import metric_attributions as operations
from console.serving.attribution import UNDEFINED_SOURCE
from tests.operations.worlds import dataset, group
from tests.worlds import films

VIEWS = {"eventType": "click", "metricName": "views", "expression": "SAMPLECOUNT()"}
REVENUE = {"eventType": "watch", "metricName": "revenue", "expression": "SUM(Items.PRICE)"}
RATING = {"eventType": "watch", "metricName": "rating", "expression": "sum(interactions.event_value)"}
OUTPUT = {"roleArn": "arn:aws:iam::000000000001:role/r", "s3DataDestination": {"path": "s3://reports/films/"}}


@pytest.fixture
def arn(account):
    films(account, users=2, each=2)
    return make(account, [VIEWS, REVENUE])


def make(account, metrics, name="sales"):
    made = operations.create_metric_attribution(
        account, name=name, dataset_group_arn=group(account).arn, metrics=metrics, metrics_output_config=OUTPUT
    )
    return made["metricAttributionArn"]


def names(account, arn, **page):
    found = operations.list_metric_attribution_metrics(account, metric_attribution_arn=arn, **page)
    return [metric["metricName"] for metric in found["metrics"]]


def test_it_works(account, arn):
    found = operations.describe_metric_attribution(account, metric_attribution_arn=arn)["metricAttribution"]
    assert (found["name"], found["status"], found["metricsOutputConfig"]) == ("sales", "ACTIVE", OUTPUT)
    listed = operations.list_metric_attributions(account, dataset_group_arn=group(account).arn)["metricAttributions"]
    assert [entry["metricAttributionArn"] for entry in listed] == [arn]
    assert names(account, arn) == ["views", "revenue"]
    operations.delete_metric_attribution(account, metric_attribution_arn=arn)
    assert operations.list_metric_attributions(account)["metricAttributions"] == []


def test_metrics_come_in_pages(account, arn):
    assert names(account, arn, max_results=1) == ["views"]
    assert names(account, arn, max_results=1, next_token="1") == ["revenue"]
    with pytest.raises(InvalidNextTokenException):
        names(account, arn, next_token="x")


def test_it_is_updated(account, arn):
    operations.update_metric_attribution(
        account, metric_attribution_arn=arn, remove_metrics=["views"], add_metrics=[RATING]
    )
    assert names(account, arn) == ["revenue", "rating"]
    with pytest.raises(InvalidInputException, match="no metric views"):
        operations.update_metric_attribution(account, metric_attribution_arn=arn, remove_metrics=["views"])
    with pytest.raises(ResourceAlreadyExistsException):
        operations.update_metric_attribution(account, metric_attribution_arn=arn, add_metrics=[RATING])
    with pytest.raises(InvalidInputException, match="0 metrics"):
        operations.update_metric_attribution(account, metric_attribution_arn=arn, remove_metrics=["revenue", "rating"])
    with pytest.raises(InvalidInputException, match="metricAttributionArn is missing"):
        operations.update_metric_attribution(account)


@pytest.mark.parametrize(
    ("metrics", "message"),
    [
        ([], "0 metrics"),
        ([VIEWS, VIEWS], "given twice"),
        ([{**VIEWS, "expression": "MAX(Items.PRICE)"}], "SAMPLECOUNT"),
        ([{**VIEWS, "expression": "SUM(Items.GENRES)"}], "no numeric column"),
        ([{**VIEWS, "expression": "SUM(Users.AGE)"}], "SAMPLECOUNT"),
        ([VIEWS] * 11, "less than or equal to 10"),
    ],
    ids=["none", "twice", "function", "text", "users", "many"],
)
def test_it_rejects_bad_metrics(account, metrics, message):
    films(account, users=2, each=2)
    with pytest.raises(InvalidInputException, match=message):
        make(account, metrics)


def test_a_group_has_one(account, arn):
    with pytest.raises(ResourceAlreadyExistsException, match="sales"):
        make(account, [VIEWS], name="other")


def test_another_account_sees_nothing(account, other_account, arn):
    for call in (operations.describe_metric_attribution, operations.delete_metric_attribution):
        with pytest.raises(ResourceNotFoundException):
            call(other_account, metric_attribution_arn=arn)
    assert operations.list_metric_attributions(other_account)["metricAttributions"] == []


def test_streamed_events_are_summed_by_source_and_window(account, arn):
    operations.update_metric_attribution(account, metric_attribution_arn=arn, add_metrics=[RATING])
    tracker = event_trackers.create_event_tracker(account, name="live", dataset_group_arn=group(account).arn)
    now = int(time.time()) // 900 * 900
    told = {"metricAttribution": {"eventAttributionSource": "newsletter"}}
    stream = [
        {"eventType": "click", "itemId": "i1", "sentAt": now, "eventId": "a"},
        {"eventType": "click", "itemId": "i1", "sentAt": now, "eventId": "a"},
        {"eventType": "click", "itemId": "i1", "sentAt": now + 5},
        {"eventType": "click", "itemId": "i1", "sentAt": now - 1},
        {"eventType": "click", "itemId": "i1", "sentAt": now - 15 * 86400},
        {"eventType": "click", "itemId": "i1", "sentAt": now + 3 * 3600},
        {"eventType": "watch", "itemId": "i7", "sentAt": now, "eventValue": 4.5, **told},
        {"eventType": "watch", "itemId": "i9", "sentAt": now, **told},
        {"eventType": "watch", "itemId": "unknown", "sentAt": now, **told},
    ]
    events.put_events(account, tracking_id=tracker["trackingId"], session_id="s", user_id="bob", event_list=stream)
    sums = operations.get_attributed_metrics(account, metric_attribution_arn=arn)["sums"]
    found = {
        (row["metricName"], row["eventAttributionSource"], row["windowStart"].timestamp()): row["value"] for row in sums
    }
    nobody = UNDEFINED_SOURCE
    assert found == {
        ("views", nobody, now): 2.0,
        ("views", nobody, now - 900): 1.0,
        ("revenue", "newsletter", now): 16.0,
        ("rating", "newsletter", now): 4.5,
    }


def test_records_put_one_by_one_say_the_price(account, arn):
    table = group(account).datasets.get(type="ITEMS")
    properties = {"title": "New", "genres": "War", "price": 100, "creationTimestamp": 1}
    events.put_items(account, dataset_arn=table.arn, items=[{"itemId": "i7", "properties": json.dumps(properties)}])
    tracker = event_trackers.create_event_tracker(account, name="live", dataset_group_arn=group(account).arn)
    event = {"eventType": "watch", "itemId": "i7", "sentAt": int(time.time())}
    events.put_events(account, tracking_id=tracker["trackingId"], session_id="s", event_list=[event])
    assert AttributedSum.objects.get().value == 100.0


def test_metrics_need_event_types(account):
    table = dataset(account, "INTERACTIONS")
    table.schema.text = table.schema.text.replace("EVENT_TYPE", "KIND_OF_EVENT")
    table.schema.save()
    with pytest.raises(InvalidInputException, match="EVENT_TYPE"):
        make(account, [VIEWS])


@pytest.mark.parametrize(
    "start", [1_600_000_000, "1600000000", "2020-09-13T12:26:40Z"], ids=["number", "digits", "ISO"]
)
def test_times_may_be_numbers_or_text(account, arn, start):
    asked = {"metricAttributionArn": arn, "startTime": start, "endTime": "2020-09-14T00:00:00Z"}
    assert call_by_wire_names("GetAttributedMetrics", account, asked)["sums"] == []


def test_a_time_that_is_none_is_named(account, arn):
    with pytest.raises(InvalidInputException, match="startTime"):
        call_by_wire_names("GetAttributedMetrics", account, {"metricAttributionArn": arn, "startTime": "yesterday"})
