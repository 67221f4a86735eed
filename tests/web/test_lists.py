"""Lists: search, filter, sort, pages, CSV; and a number of queries that does not grow with the rows."""

from __future__ import annotations

from django.db import connection
from django.test.utils import CaptureQueriesContext

from console.models import Campaign, DatasetGroup, Schema
from console.operations.base import call_by_wire_names
from console.web import lists
from tests.factories import trained
from tests.web.conftest import words
from tests.worlds import films


def make(account, count: int, prefix: str = "group") -> None:
    for i in range(count):
        call_by_wire_names("CreateDatasetGroup", account, {"name": f"{prefix}-{i:02}"})


def names(answer) -> list[str]:
    return [row.name for row in answer.context["found"]]


def test_it_works(alice, account):
    make(account, 3)
    assert names(alice.get("/dataset-groups/")) == ["group-02", "group-01", "group-00"]


def test_it_searches_and_offers_to_clear_what_finds_nothing(alice, account):
    make(account, 3)
    assert names(alice.get("/dataset-groups/?q=-01")) == ["group-01"]
    page = alice.get("/dataset-groups/?q=zebra").text
    assert "Nothing matches" in page
    assert "Clear filters" in page


def test_it_filters_by_status(alice, account):
    make(account, 3)
    DatasetGroup.objects.filter(name="group-01").update(status="CREATE FAILED")
    assert names(alice.get("/dataset-groups/?status=CREATE+FAILED")) == ["group-01"]
    assert "Create failed" in alice.get("/dataset-groups/").text


def test_it_sorts_both_ways_and_ignores_unknown_columns(alice, account):
    make(account, 3)
    assert names(alice.get("/dataset-groups/?sort=name")) == ["group-00", "group-01", "group-02"]
    assert names(alice.get("/dataset-groups/?sort=-name"))[0] == "group-02"
    assert alice.get("/dataset-groups/?sort=account__name").status_code == 200


def test_it_shows_25_a_page_and_keeps_the_search(alice, account):
    make(account, 30)
    page = alice.get("/dataset-groups/?q=group")
    assert len(page.context["found"]) == 25
    assert "1–25 of 30" in page.text
    assert 'href="?q=group&amp;page=2"' in page.text
    assert len(alice.get("/dataset-groups/?q=group&page=2").context["found"]) == 5


def test_csv_has_what_the_search_finds(alice, account):
    make(account, 3)
    answer = alice.get("/dataset-groups/?q=-01&format=csv")
    lines = answer.getvalue().decode().splitlines()
    assert lines[0] == "Name,Domain,Datasets,Solutions,Status,Created"
    assert lines[1].startswith("group-01,Custom,0,0,ACTIVE,20")
    assert len(lines) == 2


def test_an_empty_list_says_what_it_is_for(alice, account):
    page = alice.get("/filters/").text
    assert "A filter keeps items out of recommendations" in page
    assert "Create filter" in page


def test_a_group_narrows_the_list(alice, account):
    make(account, 2)
    for i in range(2):
        members = {"name": f"tracker-{i}", "datasetGroupArn": DatasetGroup.objects.get(name=f"group-0{i}").arn}
        call_by_wire_names("CreateEventTracker", account, members)
    assert names(alice.get("/event-trackers/?group=group-00")) == ["tracker-0"]
    assert len(names(alice.get("/event-trackers/"))) == 2


def test_the_number_of_queries_does_not_grow_with_the_rows(alice, account):
    addresses = (
        "/dataset-groups/",
        "/schemas/",
        "/event-trackers/",
        "/filters/",
        "/datasets/",
        "/dataset-groups/thing-0/",
    )

    def queries(address: str) -> int:
        with CaptureQueriesContext(connection) as caught:
            assert alice.get(address).status_code == 200
        return len(caught)

    _one_of_each(account, 0)
    alice.get("/dataset-groups/thing-0/")  # now it is remembered as the current group
    few = {address: queries(address) for address in addresses}
    for i in range(1, 8):
        _one_of_each(account, i)
    assert {address: queries(address) for address in addresses} == few
    assert max(few.values()) <= 40, few


def _one_of_each(account, number: int) -> None:
    name = f"thing-{number}"
    call_by_wire_names("CreateDatasetGroup", account, {"name": name})
    group = DatasetGroup.objects.get(name=name)
    text = (
        '{"type": "record", "name": "Interactions", "fields": [{"name": "USER_ID", "type": "string"},'
        ' {"name": "ITEM_ID", "type": "string"}, {"name": "TIMESTAMP", "type": "long"},'
        ' {"name": "EVENT_TYPE", "type": "string"}]}'
    )
    call_by_wire_names("CreateSchema", account, {"name": name, "schema": text})
    members = {"name": name, "datasetGroupArn": group.arn, "schemaArn": Schema.objects.get(name=name).arn}
    call_by_wire_names("CreateDataset", account, members | {"datasetType": "Interactions"})
    call_by_wire_names("CreateEventTracker", account, {"name": name, "datasetGroupArn": group.arn})
    expression = 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("buy")'
    call_by_wire_names(
        "CreateFilter", account, {"name": name, "datasetGroupArn": group.arn, "filterExpression": expression}
    )


def test_filters_in_force_are_chips_that_can_be_taken_away(alice, account):
    make(account, 3)
    page = alice.get("/dataset-groups/?q=-01&status=ACTIVE").text
    assert "Name has “-01”" in page
    assert 'href="?status=ACTIVE" aria-label="Remove filter: Name has “-01”"' in page


def test_each_person_chooses_columns_and_keeps_them(alice, vera, account):
    make(account, 1)
    assert (
        alice.post("/lists/dataset-groups/columns/?q=group", {"column": ["Status"]})["Location"]
        == "/dataset-groups/?q=group"
    )
    for client, wanted in (
        (alice, ["Name", "Status"]),
        (vera, ["Name", "Domain", "Datasets", "Solutions", "Status", "Created"]),
    ):
        assert [column.label for column in client.get("/dataset-groups/").context["columns"]] == wanted
    assert alice.get("/dataset-groups/?format=csv").getvalue().decode().splitlines()[0] == "Name,Status"
    assert vera.post("/lists/dataset-groups/columns/", {"column": ["Domain"]}).status_code == 302
    assert alice.post("/lists/nothing/columns/").status_code == 404


def test_several_are_deleted_at_once_after_a_question(alice, vera, account):
    make(account, 3)
    chosen = ["group-00", "group-02"]
    question = alice.post("/lists/dataset-groups/delete/", {"chosen": chosen}).text
    assert "Delete 2 dataset groups?" in question
    assert DatasetGroup.objects.count() == 3
    answer = alice.post(
        "/lists/dataset-groups/delete/",
        {"chosen": chosen, "confirmed": "yes", "words": "2 dataset groups"},
        follow=True,
    )
    assert "Moved to the trash: 2 dataset groups." in answer.text
    assert names(answer) == ["group-01"]
    assert vera.post("/lists/dataset-groups/delete/", {"chosen": ["group-01"]}).status_code == 403
    assert "Nothing is selected" in alice.post("/lists/dataset-groups/delete/", {}, follow=True).text


def test_all_that_match_are_deleted_over_all_pages(alice, account, monkeypatch):
    make(account, 30)
    make(account, 2, "other")
    page = words(alice.get("/dataset-groups/?q=group").text)
    assert "All 30 that match, on every page" in page
    assert "on every page" not in alice.get("/dataset-groups/?q=other").text
    question = alice.post("/lists/dataset-groups/delete/?q=group", {"all": "yes"})
    assert "Delete 30 dataset groups?" in question.text
    names_shown = [row.arn_name for row, _, _ in question.context["rows"]]
    make(account, 1, "group-late")  # what came after the question stays
    confirmed = {"chosen": names_shown, "confirmed": "yes", "words": "30 dataset groups"}
    alice.post("/lists/dataset-groups/delete/?q=group", confirmed)
    assert sorted(DatasetGroup.objects.values_list("name", flat=True)) == ["group-late-00", "other-00", "other-01"]
    monkeypatch.setattr(lists, "MOST_AT_ONCE", 2)
    refused = alice.post("/lists/dataset-groups/delete/", {"all": "yes"}, follow=True).text
    assert "More than 2 dataset groups match" in refused


def test_what_is_refused_stays_with_the_reason(alice, account):
    films(account)
    answer = alice.post(
        "/lists/dataset-groups/delete/",
        {"chosen": ["films"], "confirmed": "yes", "words": "1 dataset group"},
        follow=True,
    )
    assert "films was not deleted:" in answer.text
    assert names(answer) == ["films"]


def test_what_answers_requests_asks_for_words(alice, account, run_jobs):
    version = trained(account, run_jobs, films(account), "aws-popularity-count")
    call_by_wire_names("CreateCampaign", account, {"name": "c", "solutionVersionArn": version})
    answer = alice.post("/lists/campaigns/delete/", {"chosen": ["c"], "confirmed": "yes"})
    assert answer.status_code == 409
    assert Campaign.objects.exists()
    alice.post("/lists/campaigns/delete/", {"chosen": ["c"], "confirmed": "yes", "words": "1 campaign"})
    assert not Campaign.objects.exists()
