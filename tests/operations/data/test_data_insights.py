"""Data insights: what an analysis finds in a group's datasets."""

from __future__ import annotations

import pytest

from console.errors import LimitExceededException, ResourceInUseException, ResourceNotFoundException
from console.models import DataInsightsJob
from console.operations.base import call_by_wire_names
from tests.factories import ITEMS, events_csv, make_dataset


def analyse(account, run_jobs, group):
    made = call_by_wire_names("CreateDataInsightsJob", account, {"datasetGroupArn": group})
    run_jobs()
    return made


@pytest.fixture
def group(account, load):
    arn = make_dataset(account)
    load(arn, events_csv(100))
    items = make_dataset(account, "Items", ITEMS)
    load(
        items,
        "ITEM_ID,YEAR,GENRE\n" + "".join(f"i{n},{1990 + n},{'War|Drama' * (n < 3)}\n" for n in range(30)),
        "items",
    )
    return f"arn:aws:personalize:us-east-1:{account.number}:dataset-group/films"


def test_it_works(account, run_jobs, group):
    made = analyse(account, run_jobs, group)
    described = call_by_wire_names("DescribeDataInsightsJob", account, made)["dataInsightsJob"]
    assert (described["status"], described["datasetGroupArn"]) == ("ACTIVE", group)
    found = call_by_wire_names("GetDataInsights", account, made)
    told = {(insight["code"], insight["datasetType"], insight["isBlocking"]) for insight in found["insights"]}
    assert {
        ("too_few_interactions", "INTERACTIONS", True), ("too_few_users", "INTERACTIONS", True),
        ("items_without_interactions", "ITEMS", False), ("missing_values", "ITEMS", False), ("incomplete_column", "ITEMS", False),
    } <= told  # fmt: skip
    assert [insight["isBlocking"] for insight in found["insights"]] == sorted(
        (insight["isBlocking"] for insight in found["insights"]), reverse=True
    )
    numbers = found["interactions"]
    assert (numbers["users"], numbers["items"], numbers["usersWithTwo"], numbers["itemsWithout"]) == (7, 11, 7, 19)
    assert numbers["eventTypes"] == [{"value": "click", "count": 100}]
    tables = {table["datasetType"]: table for table in found["datasets"]}
    assert {name: table["rows"] for name, table in tables.items()} == {"INTERACTIONS": 100, "ITEMS": 30}
    columns = {column["name"]: column for column in tables["ITEMS"]["columns"]}
    assert (columns["YEAR"]["minimum"], columns["YEAR"]["maximum"], columns["YEAR"]["mean"]) == (1990.0, 2019.0, 2004.5)
    assert sum(bar["count"] for bar in columns["YEAR"]["distribution"]) == 30
    assert (columns["GENRE"]["missing"], columns["GENRE"]["unique"]) == (27, 2)
    assert columns["GENRE"]["distribution"][0] == {"count": 3, "label": "War"}


def test_streamed_records_count_too(account, run_jobs, group):
    items = group.replace("dataset-group/films", "dataset/films/ITEMS")
    put = [{"itemId": "i99", "properties": '{"year": 5000}'}]
    call_by_wire_names("PutItems", account, {"datasetArn": items, "items": put})
    found = call_by_wire_names("GetDataInsights", account, analyse(account, run_jobs, group))
    tables = {table["datasetType"]: table for table in found["datasets"]}
    assert tables["ITEMS"]["rows"] == 31


def test_jobs_are_listed_newest_first(account, run_jobs, group):
    made = [analyse(account, run_jobs, group)["dataInsightsJobArn"] for _ in range(2)]
    found = call_by_wire_names("ListDataInsightsJobs", account, {"datasetGroupArn": group, "maxResults": 1})
    assert [job["dataInsightsJobArn"] for job in found["dataInsightsJobs"]] == made[1:]
    more = call_by_wire_names("ListDataInsightsJobs", account, {"nextToken": found["nextToken"]})
    assert [job["dataInsightsJobArn"] for job in more["dataInsightsJobs"]] == made[:1]


def test_an_empty_group_has_nothing_to_tell(account, run_jobs):
    make_dataset(account)
    made = analyse(account, run_jobs, f"arn:aws:personalize:us-east-1:{account.number}:dataset-group/films")
    assert "no rows in dataset group films" in DataInsightsJob.objects.get().failure_reason
    with pytest.raises(ResourceInUseException, match="CREATE FAILED"):
        call_by_wire_names("GetDataInsights", account, made)


def test_others_see_nothing(account, other_account, run_jobs, group):
    made = analyse(account, run_jobs, group)
    for name in ("DescribeDataInsightsJob", "GetDataInsights"):
        with pytest.raises(ResourceNotFoundException):
            call_by_wire_names(name, other_account, made)
    assert call_by_wire_names("ListDataInsightsJobs", other_account, {})["dataInsightsJobs"] == []


def test_there_is_a_quota(account, group, settings):
    settings.QUOTAS = settings.QUOTAS | {"PENDING_IMPORT_JOBS": 1}
    call_by_wire_names("CreateDataInsightsJob", account, {"datasetGroupArn": group})
    with pytest.raises(LimitExceededException):
        call_by_wire_names("CreateDataInsightsJob", account, {"datasetGroupArn": group})
