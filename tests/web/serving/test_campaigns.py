"""Campaigns as a person makes, changes and tests them."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from console.models import Campaign, Filter, Recommender, SolutionVersion
from console.operations.base import call_by_wire_names
from console.web.serving.panel import _weighed
from console.web.serving.testing import compared
from tests import worlds
from tests.factories import text_of, trained
from tests.web.conftest import words

HTMX = {"HX-Request": "true", "HX-Target": "panel"}


@pytest.fixture
def group(account):
    return worlds.films(account)


@pytest.fixture
def campaign(account, group, run_jobs) -> Campaign:
    version = trained(account, run_jobs, group, "aws-user-personalization")
    config = {"itemExplorationConfig": {"explorationWeight": "0", "explorationItemAgeCutOff": "30"}}
    members = {"name": "up", "solutionVersionArn": version, "campaignConfig": config}
    call_by_wire_names("CreateCampaign", account, members)
    return Campaign.objects.get()


def test_it_works(alice, group, account, run_jobs):
    trained(account, run_jobs, group, "aws-user-personalization")
    version = SolutionVersion.objects.get()
    form = alice.get(f"/create/campaigns/?group=films&version={version.arn_name}").context["form"]
    assert form["name"].value() == "user-personalization"
    answer = alice.post(
        "/create/campaigns/?group=films",
        {"name": "up", "version": version.arn, "exploration_weight": "0.5", "age_cut_off": "10", "tps": "1"},
    )
    assert answer["Location"] == "/campaigns/up/"
    assert Campaign.objects.get().config == {
        "itemExplorationConfig": {"explorationWeight": "0.5", "explorationItemAgeCutOff": "10"}
    }
    page = text_of(alice.get("/campaigns/up/?user=u1&count=7"))
    assert page.count('class="whylink"') == 7
    assert "24 events, newest first" in page
    assert "Film number" in page
    assert "userId=&#x27;u1&#x27;" in page
    assert "/api/v1/campaigns/up/recommendations/" in page


def test_a_refused_campaign_says_why_at_the_field(alice, campaign):
    members = {"name": "up", "version": campaign.solution_version.arn, "exploration_weight": "0.5", "tps": "1"}
    answer = alice.post("/create/campaigns/?group=films", members)
    assert answer.status_code == 400
    assert "choose another name" in answer.context["form"].errors["name"][0]
    answer = alice.post("/create/campaigns/?group=films", members | {"name": "b", "exploration_weight": "3"})
    assert "exploration_weight" in answer.context["form"].errors


def test_the_panel_alone_is_sent_to_htmx(alice, campaign):
    answer = alice.get("/campaigns/up/?user=u1", headers=HTMX)
    assert answer.content.decode().lstrip().startswith('<div id="panel">')


def test_two_weights_stand_side_by_side(alice, campaign):
    lists = alice.get("/campaigns/up/?user=u1&other=same&other_weight=1").context["lists"]
    assert [listing.note.split(" · ")[0] for listing in lists] == ["weight 0", "weight 1"]
    assert all("move" in item for item in lists[1].items)


def test_lists_side_by_side_do_not_differ_by_chance(alice, campaign):
    def lists(**more):
        query = {"user": "u1", "weight": "1", "other": "same", "other_weight": "1", "without": "no-such-item"} | more
        return alice.get("/campaigns/up/", query)

    page = lists()
    before, after, beside = page.context["lists"]
    assert (before.title, after.title) == ("Before", "After")
    assert any(item["explored"] for item in before.items)
    for listing in (after, beside):
        assert [item["itemId"] for item in listing.items] == [item["itemId"] for item in before.items]
        assert not any(item["move"]["by"] for item in listing.items)
    assert "draw=1" in (again := page.context["ask"].drawn_again)
    assert f"?{again.replace('&', '&amp;')}" in page.text
    drawn = {tuple(item["itemId"] for item in lists(draw=draw).context["lists"][0].items) for draw in range(5)}
    assert len(drawn) > 1
    assert '<input type="hidden" name="draw" value="3">' in lists(draw=3).text


def test_events_with_one_item_speak_for_an_item_together():
    def part(item, weight, kind="click"):
        return {"itemId": item, "title": f"Film {item}", "eventType": kind, "weight": weight, "label": None}

    shown = _weighed([part("a", 0.3), part("b", 0.4), part("a", 0.2), part("a", 0.1, "watch")])
    assert [(one["itemId"], round(one["weight"], 6), one["events"], one["share"]) for one in shown] == [
        ("a", 0.5, 2, 100), ("b", 0.4, 1, 80), ("a", 0.1, 1, 20)
    ]  # fmt: skip
    assert _weighed([]) == []


def test_moves_are_said_against_the_first_list():
    first = [{"itemId": "a", "rank": 1}, {"itemId": "b", "rank": 2}]
    second = [{"itemId": "b", "rank": 1}, {"itemId": "a", "rank": 2}, {"itemId": "c", "rank": 3}]
    words = [item["move"]["words"] for item in compared(first, second)]
    assert words == ["up 1", "down 1", "not in the first list"]


def test_kinds_of_users_can_be_picked(alice, campaign):
    answer = alice.get("/campaigns/up/?pick=heavy&count=5")
    assert answer["Location"].startswith("/campaigns/up/?user=u")
    assert "There is no cold user" in text_of(alice.get("/campaigns/up/?pick=cold"))


def test_users_and_items_are_offered_while_typing(alice, campaign):
    assert '<option value="u12">24 events</option>' in text_of(alice.get("/campaigns/up/users/?user=u12"))
    assert "Film number 12" in text_of(alice.get("/campaigns/up/items/?item=number 12"))


def test_a_filter_and_its_placeholder_apply(alice, campaign, account, group):
    expression = "INCLUDE ItemID WHERE Items.GENRES IN ($GENRE)"
    call_by_wire_names(
        "CreateFilter", account, {"name": "genre", "datasetGroupArn": group.arn, "filterExpression": expression}
    )
    assert Filter.objects.exists()
    answer = alice.get("/campaigns/up/?user=u1&filter=genre&value_GENRE=Horror")
    assert answer.context["placeholders"] == [("GENRE", "Horror")]
    assert all("Horror" in item["metadata"]["genres"] for item in answer.context["lists"][0].items)
    assert "20 of 80 items pass" in text_of(answer)
    wrong = alice.get("/campaigns/up/?user=u1&filter=genre&value_GENRE=horror")
    assert "near it is &quot;Horror&quot;" in text_of(wrong)
    assert "No item is left after the filter genre" in text_of(wrong)
    checked = {"dataset_group_arn": group.arn, "filter_expression": expression.replace("$GENRE", '"Horror, Drama"')}
    assert "several are written &quot;Horror&quot;,&quot;Drama&quot;" in text_of(
        alice.get("/create/filters/check/", checked)
    )


def test_an_error_of_the_request_is_shown_in_its_place(alice, campaign):
    for weight in ("much", "7", "nan", "0,5"):
        page = alice.get("/campaigns/up/", {"user": "u1", "weight": weight})
        assert page.status_code == 200
        assert f"explorationWeight is {weight}" in page.context["lists"][0].error
    page = text_of(alice.get("/campaigns/up/?user=u1&count=9999"))
    assert "500" in page
    assert 'role="alert"' in page


def test_an_item_says_why_it_is_there_or_not(alice, campaign):
    item = alice.get("/campaigns/up/?user=u1&count=3").context["lists"][0].items[0]["itemId"]
    told = text_of(alice.get(f"/campaigns/up/why/?user=u1&of={item}&count=3", headers={"HX-Request": "true"}))
    assert "It stands at place 1 of" in told
    assert 'role="listitem"' in told
    headers = {"HX-Request": "true", "HX-Target": "why-body"}
    drawer = text_of(alice.get(f"/campaigns/up/why/?user=u1&of={item}&count=3", headers=headers))
    assert f"Why Film number {item[1:]}?" in drawer
    assert 'aria-label="Close"' in drawer
    page = alice.get(f"/campaigns/up/why/?user=u1&of={item}&count=3")
    assert page.status_code == 200
    assert "<html" in page.content.decode()


def test_another_version_is_confirmed_with_the_difference_and_can_be_rolled_back(alice, campaign, account, run_jobs):
    first = campaign.solution_version
    second = trained(account, run_jobs, first.solution.dataset_group, "aws-popularity-count")
    entered = {"version": second, "exploration_weight": "0", "tps": "1"}
    answer = alice.post("/campaigns/up/update/", entered)
    assert "NDCG at 10" in text_of(answer)
    campaign.refresh_from_db()
    assert campaign.solution_version == first
    alice.post("/campaigns/up/update/", entered | {"confirmed": "yes"})
    campaign.refresh_from_db()
    assert campaign.solution_version.arn == second
    alice.post("/campaigns/up/rollback/")
    campaign.refresh_from_db()
    assert campaign.solution_version == first


def test_settings_change_without_a_question(alice, campaign):
    version = campaign.solution_version.arn
    entered = {"version": version, "exploration_weight": "0.9", "age_cut_off": "7", "tps": "2", "metadata": "on"}
    assert alice.post("/campaigns/up/update/", entered)["Location"] == "/campaigns/up/"
    campaign.refresh_from_db()
    assert campaign.min_provisioned_tps == 2
    assert campaign.config["itemExplorationConfig"]["explorationWeight"] == "0.9"
    assert campaign.config["enableMetadataWithRecommendations"]


def test_what_if_the_history_were_another(alice, campaign):
    plain = alice.get("/campaigns/up/?user=u1&count=20").context
    dropped = plain["history"]["history"][0]["itemId"]
    changed = alice.get(f"/campaigns/up/?user=u1&count=20&without={dropped}&added=i2&added=i6&added=i10")
    assert changed.context["changes"][0] == ("without", dropped, f"Film number {dropped[1:]}")
    assert "with Film number 10" in text_of(changed)
    assert f"without={dropped}&amp;added=i2&amp;added=i6&amp;added=i10&amp;without=" in text_of(changed)
    before, after = changed.context["lists"]
    assert (before.title, after.title) == ("Before", "After")
    assert [item["itemId"] for item in before.items] == [item["itemId"] for item in plain["lists"][0].items]
    assert [item["score"] for item in before.items] != [item["score"] for item in after.items]
    assert all("move" in item for item in after.items)
    best = next(item["itemId"] for item in after.items if not item["explored"])
    why = alice.get(f"/campaigns/up/why/?{changed.context['ask'].query}&of={best}")
    assert "Mostly because of Film number" in why.text
    assert len(set(why.context["because"])) == len(why.context["because"])
    assert "Mostly because" not in alice.get(f"/campaigns/up/why/?user=nobody&of={best}").text


def test_a_request_can_have_a_context(alice, campaign):
    answer = alice.get("/campaigns/up/", {"user": "u1", "context": "device = phone, PLACE=at home"})
    assert answer.context["ask"].context_values == {"DEVICE": "phone", "PLACE": "at home"}
    assert not answer.context["lists"][0].error
    page = text_of(answer)
    assert "context={&#x27;DEVICE&#x27;: &#x27;phone&#x27;" in page
    assert "context=device" in answer.context["ask"].url_query


def test_related_items_ask_for_an_item(alice, account, group, run_jobs):
    version = trained(account, run_jobs, group, "aws-sims")
    call_by_wire_names("CreateCampaign", account, {"name": "also", "solutionVersionArn": version})
    page = text_of(alice.get("/campaigns/also/?item=i4"))
    assert "Film number 4" in page
    assert "itemId=&#x27;i4&#x27;" in page
    history = alice.get("/campaigns/also/?item=i4&user=u1").context["history"]["history"]
    newest = history[0]["itemId"]
    by_user = alice.get("/campaigns/also/?user=u1")
    assert "the newest of u1" in words(by_user.text)
    assert f"itemId=&#x27;{newest}&#x27;" in text_of(by_user)
    assert by_user.context["ask"].item == ""  # another user's newest is taken when the user is changed
    assert "The user nobody has no history" in text_of(alice.get("/campaigns/also/?user=nobody"))
    assert "nothing that goes with the item" in text_of(alice.get("/campaigns/also/?item=nothing"))
    assert "Goes with" in words(alice.get("/dataset-groups/films/strip/").text)


def test_ranking_takes_a_list(alice, account, group, run_jobs):
    config = {"algorithmHyperParameters": {"mode": "fast"}}
    version = trained(account, run_jobs, group, "aws-personalized-ranking", solution_config=config)
    call_by_wire_names("CreateCampaign", account, {"name": "rank", "solutionVersionArn": version})
    answer = alice.get("/campaigns/rank/?user=u1&items=i1,i2,i3")
    assert sorted(item["itemId"] for item in answer.context["lists"][0].items) == ["i1", "i2", "i3"]
    assert "get_personalized_ranking" in text_of(answer)


def test_a_viewer_tests_and_changes_nothing(vera, campaign):
    page = text_of(vera.get("/campaigns/up/?user=u1"))
    assert "Film number" in page
    assert "Update campaign" not in page
    assert vera.post("/campaigns/up/update/").status_code == 403
    assert vera.post("/campaigns/up/rollback/").status_code == 403


def test_another_account_sees_nothing(charlie, campaign):
    for address in ("/campaigns/up/", "/campaigns/up/users/", "/campaigns/up/why/?user=u1&of=i1"):
        assert charlie.get(address).status_code == 404


def test_recommenders_are_made_for_the_use_cases_ticked(alice, account, run_jobs):
    worlds.films(account, "shop", domain="VIDEO_ON_DEMAND", types=("Watch", "Click"))
    case = "aws-vod-because-you-watched-x"
    form = alice.get("/create/recommenders/?group=shop").context["form"]
    assert {entry["name"] for entry in form.cases} >= {case, "aws-vod-top-picks"}
    assert not alice.post("/create/recommenders/?group=shop", {}).context["form"].is_valid()
    answer = alice.post("/create/recommenders/?group=shop", {f"use_{case}": "on", f"name_{case}": "because"})
    assert answer.status_code == 302
    assert "Waiting for a worker" in text_of(alice.get("/recommenders/because/"))
    run_jobs()
    page = text_of(alice.get("/recommenders/because/?user=u1&item=i1"))
    assert "Film number" in page
    assert "Precision at 5" in page
    assert "recommenderArn" in page
    alice.post("/recommenders/because/do/stop/")
    assert Recommender.objects.get().status == "INACTIVE"
    assert "Stopped" in text_of(alice.get("/recommenders/because/"))
    alice.post("/recommenders/because/do/start/")
    assert Recommender.objects.get().status == "ACTIVE"


def test_recommenders_that_are_refused_are_all_left_out(alice, account):
    worlds.films(account, "shop", domain="VIDEO_ON_DEMAND", types=("Watch", "Click"))
    entered = {f"{part}_aws-vod-{case}": value for case in ("most-popular", "top-picks")
               for part, value in (("use", "on"), ("name", "same"))}  # fmt: skip
    answer = alice.post("/create/recommenders/?group=shop", entered)
    assert "choose another name" in text_of(answer)
    assert not Recommender.objects.exists()


@pytest.mark.parametrize(
    "address", ["/campaigns/", "/solutions/", "/solution-versions/", "/solutions/user-personalization/"]
)
def test_lists_take_the_same_queries_however_long(
    alice, account, campaign, run_jobs, django_assert_max_num_queries, address
):
    alice.get(address)  # the session learns the group
    with CaptureQueriesContext(connection) as short:
        alice.get(address)
    for name in ("second", "third"):
        members = {"name": name, "solutionVersionArn": campaign.solution_version.arn}
        call_by_wire_names("CreateCampaign", account, members)
        call_by_wire_names("CreateSolutionVersion", account, {"solutionArn": campaign.solution_version.solution.arn})
    with django_assert_max_num_queries(len(short)):
        alice.get(address)


def test_the_first_why_is_a_few_tab_stops_away(alice, campaign):
    page = alice.get("/campaigns/up/?user=u1").text
    assert 'href="#lists">Skip to the recommendations' in page
    before = page.partition('id="lists"')[2].partition('class="whylink"')[0]
    assert not re.search(r"<(button|input|select|textarea)\b|href=", before)
    assert page.index('class="whylink"') < page.index('aria-label="History"')


def test_a_click_on_the_shelf_sends_an_event_and_shows_what_moved(alice, vera, campaign, group):
    assert "Create" in alice.get("/campaigns/up/?user=u1").text
    assert not alice.get("/campaigns/up/?user=u1").context.get("shelf")
    call_by_wire_names("CreateEventTracker", group.account, {"name": "t", "datasetGroupArn": group.arn})
    page = alice.get("/campaigns/up/?user=u1")
    shelf = page.context["shelf"]
    assert len(shelf) == 12
    chosen = shelf[0]["itemId"]
    answer = alice.post("/campaigns/up/event/?user=u1", {"item": chosen}, headers=HTMX)
    assert answer.text.lstrip().startswith('<div id="panel">')
    assert answer.context["history"]["history"][0]["itemId"] == chosen
    assert answer.context["history"]["history"][0]["isLive"]
    assert all("move" in item for item in answer.context["lists"][0].items)
    assert alice.post("/campaigns/up/event/?user=u1", {"item": chosen}).status_code == 302
    assert vera.post("/campaigns/up/event/?user=u1", {"item": chosen}).status_code == 403
