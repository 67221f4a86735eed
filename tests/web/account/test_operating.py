"""What a person who runs things looks at: the history of a resource, the trash, the traffic of a campaign."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from console.models import Filter, Trash
from console.operations.base import call_by_wire_names
from console.serving import recorder, traffic
from tests.factories import trained
from tests.worlds import films


@pytest.fixture
def unpopular(alice, account) -> Filter:
    """A filter that Alice has made in the console."""
    group = films(account)
    members = {"name": "f", "dataset_group_arn": group.arn, "filter_expression": "EXCLUDE ItemID WHERE Items.PRICE > 5"}
    answer = alice.post("/create/filters/?group=films", members)
    assert answer.status_code == 302, answer.text
    return Filter.objects.get()


def test_each_object_has_its_history(alice, vera, charlie, unpopular):
    page = vera.get("/filters/f/").text
    assert f"/audit/?resource={quote(unpopular.arn)}" in page
    history = vera.get("/audit/", {"resource": unpopular.arn}).text
    assert "CreateFilter" in history
    assert "alice" in history
    assert "EXCLUDE ItemID WHERE Items.PRICE &gt; 5" in history
    assert "CreateFilter" not in charlie.get("/audit/", {"resource": unpopular.arn}).text
    assert "filter/f" in alice.get("/audit/").text


def test_what_is_deleted_can_be_had_back(alice, vera, unpopular):
    question = alice.get("/filters/f/delete/").text
    assert "for 7 days" in question
    alice.post("/filters/f/delete/", {"name": "f"})
    assert not Filter.objects.exists()
    assert "Restore" not in vera.get("/trash/").text
    entry = Trash.objects.get()
    assert vera.post(f"/trash/{entry.pk}/restore/").status_code == 403
    answer = alice.post(f"/trash/{entry.pk}/restore/", {"name": "f"}, follow=True)
    assert "Restored: f." in answer.text
    assert Filter.objects.get().arn == unpopular.arn


def test_what_is_given_up_is_gone(alice, unpopular):
    alice.post("/filters/f/delete/", {"name": "f", "for_good": "yes"})
    assert not Trash.objects.exists()
    films_again = call_by_wire_names("CreateDatasetGroup", unpopular.account, {"name": "again"})
    assert films_again
    alice.post("/dataset-groups/again/delete/", {"name": "again"})
    alice.post(f"/trash/{Trash.objects.get().pk}/delete/", {"name": "again"})
    assert not Trash.objects.exists()


def test_a_campaign_shows_its_traffic(alice, charlie, account, run_jobs, counted):
    version = trained(account, run_jobs, films(account), "aws-user-personalization")
    made = call_by_wire_names("CreateCampaign", account, {"name": "c", "solutionVersionArn": version})
    assert "There is no estimate yet" in alice.get("/campaigns/c/without-exploration/").text
    assert "No program has asked" in alice.get("/campaigns/c/traffic/").text
    members = {"campaignArn": made["campaignArn"], "userId": "u1", "numResults": 5}
    identifier = call_by_wire_names("GetRecommendations", account, members)["recommendationId"]
    traffic.METER.flush()
    page = alice.get("/campaigns/c/traffic/?minutes=360")
    assert 'data-chart="traffic"' in page.text
    assert f"/campaigns/c/requests/{identifier}/?user=u1" in page.text
    trace = alice.get(f"/campaigns/c/requests/{identifier}/?user=u1").text
    assert "Film number" in trace
    assert "Repeat this request" in trace
    assert "is not known" in alice.get("/campaigns/c/requests/RID-x/").text
    assert charlie.get("/campaigns/c/without-exploration/").status_code == 404
    assert charlie.get("/campaigns/c/traffic/").status_code == 404
    assert recorder.recall(identifier)
