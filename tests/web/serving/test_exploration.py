"""The exploration page: what is explored, what it earns or costs, and what is learnt of each new item."""

from __future__ import annotations

import numpy as np
import pytest

from console.models import Campaign, DatasetGroup
from console.operations.base import call_by_wire_names
from console.serving import recorder
from console.web.serving.exploration import verdict
from tests.explored_lists import LIKED, clicked, served
from tests.factories import call, trained
from tests.web.conftest import words
from tests.worlds import films

TOLD = {
    "lists": 100, "explorationWeight": 0.3, "explorationItemAgeCutOff": 30.0, "newItems": {"total": 3},
    "explored": {"places": 50, "clicks": 5}, "exploited": {"places": 950, "clicks": 90},
}  # fmt: skip


@pytest.fixture
def campaign(account, run_jobs):
    version = trained(account, run_jobs, films(account), "aws-user-personalization")
    return call("CreateCampaign", account, name="exploring", solution_version_arn=version)["campaignArn"]


@pytest.fixture
def group(account, campaign):
    return DatasetGroup.objects.get()


@pytest.fixture
def tracking(account, group):
    return call("CreateEventTracker", account, name="t", dataset_group_arn=group.arn)["trackingId"]


def of_gap(low, high):
    return TOLD | {"samePlaces": {"difference": {"value": (low + high) / 2, "low": low, "high": high}}}


def test_it_works(account, alice, charlie, counted, campaign, group, tracking):
    served(campaign, group.pk, 200)
    clicked(account, tracking, np.random.default_rng(1), 200)
    recorder.flush()
    name = Campaign.objects.get().name
    assert f'href="/campaigns/{name}/exploration/"' in alice.get(f"/campaigns/{name}/").content.decode()
    page = words(alice.get(f"/campaigns/{name}/exploration/").content.decode())
    assert "Explored places earn clicks" in page
    assert "100 of 600 places in 200 lists" in page
    assert "1 please, 1 disappoint, 0 are still open, 6 wait" in page
    assert "Film number 72" in page
    assert page.index(">pleases<") < page.index(">waiting to be shown<")
    assert LIKED[1:] in page
    assert charlie.get(f"/campaigns/{name}/exploration/").status_code == 404


@pytest.mark.parametrize(
    ("told", "look", "says"),
    [
        (of_gap(0.1, 0.3), "good", "earn clicks: about 100 more"),
        (of_gap(-0.3, -0.1), "bad", "cost clicks: about 100 fewer"),
        (of_gap(-0.1, 0.1), "even", "No difference"),
        (TOLD, "even", "never stood at the same places"),
        (TOLD | {"lists": 0}, "even", "nothing to learn from"),
        (TOLD | {"explored": {"places": 0, "clicks": 0}, "explorationWeight": 0.0}, "even", "weight of 0"),
        (TOLD | {"explored": {"places": 0, "clicks": 0}, "newItems": {"total": 0}}, "even", "younger than 30 days"),
        (TOLD | {"explored": {"places": 5, "clicks": 0}, "exploited": {"places": 5, "clicks": 0}}, "even", "No click"),
    ],
)
def test_harm_is_said_as_plainly_as_gain_and_what_is_missing_is_named(told, look, says):
    found = verdict(told)
    assert found[0] == look
    assert says in found[1]


def test_a_recipe_that_does_not_explore_offers_no_page(account, alice, run_jobs):
    version = trained(account, run_jobs, films(account), "aws-popularity-count")
    call_by_wire_names("CreateCampaign", account, {"name": "plain", "solutionVersionArn": version})
    assert "/exploration/" not in alice.get("/campaigns/plain/").content.decode()
    assert "does not explore" in alice.get("/campaigns/plain/exploration/").content.decode()
