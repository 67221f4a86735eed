"""The loop in a real browser: what people click in a shop moves their lists, and a new item that some like spreads to others like them."""

from __future__ import annotations

import re
import time

import pytest

from console.models import EventTracker
from console.operations.data.event_trackers import issue_ingest_key
from tests import worlds
from tests.factories import call, trained

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
PATIENCE_S = 90
COMEDY, DRAMA = 1, 2  # genres of users and items by their number modulo four
LIKED = 153  # a comedy that is a day old


@pytest.fixture
def group(account, monkeypatch):
    monkeypatch.setattr(worlds, "NOW", int(time.time()))  # the browser's clock tells when something is clicked
    return worlds.films(account, users=100, items=160, each=12)


@pytest.fixture
def campaign(account, run_jobs, group):
    version = trained(account, run_jobs, group, "aws-user-personalization")
    config = {"itemExplorationConfig": {"explorationWeight": "0"}}  # what is learnt, not what is drawn
    return call("CreateCampaign", account, name="up", solution_version_arn=version, campaign_config=config)[
        "campaignArn"
    ]


@pytest.fixture
def shop(page, account, group):
    """`shop(user, items)`: the user clicks on each of the items in a page of the shop, and the clicks have arrived."""
    call("CreateEventTracker", account, name="shop", dataset_group_arn=group.arn)
    key = issue_ingest_key(EventTracker.objects.get())

    stored: list[object] = []
    page.add_init_script(
        "Object.defineProperty(navigator, 'sendBeacon', { value: undefined })"
    )  # answers are seen then
    page.on("response", lambda answer: stored.extend(_events_of(answer)))

    def clicks(user, items):
        buttons = "".join(f'<button data-op-item="i{item}">Film {item}</button>' for item in items)
        html = f'<!doctype html><title>Shop</title><script src="/op.js" data-key="{key}"></script>{buttons}'
        page.route("**/shop", lambda route: route.fulfill(content_type="text/html", body=html))
        page.goto("/shop")
        page.evaluate("user => op('user', user)", user)
        stored.clear()
        for item in items:
            page.get_by_text(f"Film {item}", exact=True).click()
        page.evaluate("op('flush')")
        deadline = time.monotonic() + PATIENCE_S
        while len(stored) < len(items) and time.monotonic() < deadline:
            page.wait_for_timeout(50)
        assert len(stored) == len(items)
        page.unroute("**/shop")

    return clicks


def _events_of(answer):
    """The events that the server has taken with this answer."""
    is_stored = "/ingest/" in answer.url and answer.status == 204
    return answer.request.post_data_json["events"] if is_stored else []


def listed(page, user, count=10):
    """The numbers of the items that the panel shows for a user, best first."""
    page.goto(f"/campaigns/up/?user={user}&count={count}")
    page.locator("#lists .picks").first.locator(f"li:nth-child({count})").wait_for()
    titles = page.locator("#lists .picks").first.locator(".title").all_inner_texts()
    return [int(re.search(r"Film number (\d+)", title)[1]) for title in titles]


def test_clicks_in_a_shop_move_the_list_at_once(page, campaign, shop):
    before = listed(page, "u1")
    shop("u1", range(DRAMA, 48, 4))
    after = listed(page, "u1")
    dramas = [sum(item % 4 == DRAMA for item in items) for items in (before, after)]
    assert dramas[1] >= dramas[0] + 3


def test_a_new_item_that_some_like_spreads_to_others_like_them(page, account, run_jobs, campaign, shop):
    fan, other = "u57", "u58"  # who likes comedies and who likes dramas
    before = listed(page, fan, 40)
    for user in range(COMEDY, 40, 4):
        shop(f"u{user}", [LIKED])
    solution = call("ListSolutions", account)["solutions"][0]["solutionArn"]
    made = call("CreateSolutionVersion", account, solution_arn=solution, training_mode="UPDATE")
    run_jobs()
    call("UpdateCampaign", account, campaign_arn=campaign, solution_version_arn=made["solutionVersionArn"])
    after = listed(page, fan, 40)
    assert LIKED in after[:12]
    assert LIKED not in before[:12]
    assert LIKED not in listed(page, other, 40)
