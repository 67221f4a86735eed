"""Experiments as a person starts, reads and ends them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from console.models import Campaign, DatasetGroup, Event, Experiment
from console.operations.base import call_by_wire_names
from console.serving.experiments import is_treated
from tests.factories import make_version, text_of
from tests.worlds import films

START = "/create/experiments/?campaign=shop"
PAGE = "/campaigns/shop/experiments/try/"


@pytest.fixture
def group(account):
    return films(account)


@pytest.fixture
def versions(group):
    return [make_version(group, f"aws-{name}") for name in ("popularity-count", "trending-now", "sims")]


@pytest.fixture
def campaign(account, versions) -> Campaign:
    call_by_wire_names("CreateCampaign", account, {"name": "shop", "solutionVersionArn": versions[0]})
    Event.objects.create(dataset_group=DatasetGroup.objects.get(), event_id="1", user_id="u", session_id="s", item_id="i1",
                         event_type="watch", timestamp=1)  # fmt: skip
    return Campaign.objects.get()


@pytest.fixture
def experiment(alice, campaign, versions) -> Experiment:
    entered = {"name": "try", "treatment": versions[1], "share": "30", "types": ["watch"], "effect": "20"}
    answer = alice.post(START, entered)
    assert answer.status_code == 302, answer.context["form"].errors
    assert answer["Location"] == PAGE
    return Experiment.objects.get()


def ended(experiment, treated=(6000, 600), others=(14_000, 1000)):
    """As if it had been stopped after these users and outcomes."""
    cells = []
    for side, (users, converted) in ((0, others), (1, treated)):
        cells += [[side, 0, 0, converted, converted, converted], [side, 0, None, users - converted, 0, 0]]
    Experiment.objects.update(status="STOPPED", treatment=None, counts=cells, ended=experiment.created)


def test_it_works(alice, campaign, experiment):
    assert (experiment.traffic_share, experiment.minimum_effect, experiment.event_types) == (30, 0.2, ["watch"])
    page = text_of(alice.get(PAGE))
    for words in (
        "Control 70 %",
        "Treatment 30 %",
        "Too early to tell",
        "Promote treatment",
        "Which version does a user",
    ):
        assert words in page, words
    assert "/campaigns/shop/experiments/try/" in alice.get("/campaigns/shop/").text
    assert "try" in alice.get("/campaigns/shop/experiments/").text
    assert "30 %" in alice.get("/experiments/?group=films").text
    assert alice.get("/campaigns/other/experiments/try/").status_code == 404


def test_only_versions_that_answer_the_same_are_offered(alice, campaign):
    form = alice.get(START).context["form"]
    assert [label.partition("/")[0] for _, label in form.fields["treatment"].choices] == ["films-aws-trending-now"]
    assert [kind for kind, _ in form.fields["types"].choices] == ["watch"]
    assert alice.get("/create/experiments/?group=films")["Location"] == START
    refused = alice.post(START, {"name": "try", "treatment": "x", "share": "0", "effect": "5"})
    assert {"treatment", "share"} <= refused.context["form"].errors.keys()


def test_the_box_says_which_version_a_user_gets(alice, vera, experiment):
    for user in ("u1", "u2", "u3"):
        word = "treatment" if is_treated(experiment.salt, user, 30) else "control"
        assert f"<b>{user}</b> gets the <b>{word}</b>" in text_of(vera.get(PAGE, {"user": user}))
    part = alice.get(PAGE, {"user": "u1"}, headers={"HX-Request": "true", "HX-Target": "arm"}).text
    assert part.lstrip().startswith('<div id="arm"')


def test_the_outcome_is_read_with_its_interval(alice, experiment):
    ended(experiment)
    page = text_of(alice.get(PAGE))
    assert "The treatment does better." in page
    assert "The treatment is better, whenever you look." in page
    assert "Lift +40" in page
    assert "as chance allows" in page
    assert "it takes are there" in page
    assert 'data-chart="lift"' in alice.get(PAGE).text
    assert "more users are needed" in text_of(alice.get(PAGE, {"effect": "1,5"}))
    assert "is not a number" in alice.get(PAGE, {"effect": "much"}).text
    assert "allowed is 0.001 to 10" in alice.get(PAGE, {"effect": "5000"}).text
    assert "Promote treatment" not in alice.get(PAGE).text


def test_a_split_that_is_off_is_called_out(alice, experiment):
    ended(experiment, treated=(5000, 500))
    page = alice.get(PAGE).text
    assert "The split is off." in page
    assert "Not valid" in page


@pytest.mark.parametrize(("action", "state"), [("stop", "STOPPED"), ("promote", "PROMOTED")])
def test_it_is_ended_after_a_question(alice, campaign, experiment, versions, action, state):
    address = f"{PAGE}{action}/"
    assert "an ended experiment cannot go on" in alice.get(address).text
    assert Experiment.objects.get().is_running
    answer = alice.post(address, follow=True)
    assert Experiment.objects.get().status == state
    assert f"try is {state.lower()}" in answer.text
    served = Campaign.objects.get().solution_version.arn
    assert served == (versions[1] if action == "promote" else versions[0])
    again = alice.post(address)
    assert again.status_code == 409
    assert f"is {state}; only a RUNNING one" in again.context["error"]


def test_viewers_look_and_change_nothing(vera, charlie, experiment):
    page = vera.get(PAGE).text
    assert "Promote treatment" not in page
    for address in (f"{PAGE}stop/", f"{PAGE}promote/", START):
        assert vera.get(address).status_code == 403
        assert vera.post(address).status_code == 403
    assert Experiment.objects.get().is_running
    assert charlie.get(PAGE).status_code == 404


def test_what_uses_it_is_in_the_way_of_a_deletion(alice, experiment):
    for address in ("/solutions/films-aws-trending-now/delete/", "/campaigns/shop/delete/"):
        page = alice.get(address).text
        assert "It cannot be deleted while these use it" in page
        assert PAGE in page
        assert "stop or promote it first" in page
    alice.post(f"{PAGE}stop/")
    assert "1 experiment" in alice.get("/campaigns/shop/delete/").text
    alice.post("/experiments/try/delete/")
    assert not Experiment.objects.exists()


def interleaved(alice, versions, credits_):
    """One that has ended with these sums: users, total, squares, users for the control, users for the treatment."""
    entered = {"name": "mix", "kind": "INTERLEAVED", "treatment": versions[1], "share": "90", "effect": "5"}
    assert alice.post(START, entered)["Location"] == "/campaigns/shop/experiments/mix/"
    running = text_of(alice.get("/campaigns/shop/experiments/mix/"))
    names = ("users", "total", "squares", "first", "second")
    counts = {"lists": 500, **dict(zip(names, credits_, strict=True))}
    row = Experiment.objects.get(name="mix")
    Experiment.objects.filter(pk=row.pk).update(status="STOPPED", treatment=None, counts=counts, ended=row.created)
    return running, text_of(alice.get("/campaigns/shop/experiments/mix/"))


@pytest.mark.parametrize(
    ("total", "said"), [(100.0, "Users prefer the treatment"), (-100.0, "the treatment is worse"), (0.0, "Too early")]
)
def test_an_interleaving_says_harm_as_plainly_as_gain(alice, campaign, versions, total, said):
    running, page = interleaved(alice, versions, (400, total, 100.0, 80, 120))
    assert "Interleaved lists" in running
    assert "Too early to tell" in running
    assert said in page
    assert "Prefer neither" in page
    assert "200" in page


def test_the_pace_of_the_first_minutes_is_no_forecast(alice, experiment):
    told = call_by_wire_names("GetExperimentResults", experiment.account, {"experimentArn": experiment.arn})
    assert "usersPerDay" not in told["sample"]
    Experiment.objects.update(created=timezone.now() - timedelta(days=2))
    told = call_by_wire_names("GetExperimentResults", experiment.account, {"experimentArn": experiment.arn})
    assert told["sample"]["usersPerDay"] == 0
