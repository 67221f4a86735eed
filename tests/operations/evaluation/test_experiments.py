"""Experiments: who gets which version, what is refused meanwhile, and what is told of the outcome."""

from __future__ import annotations

import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from console.errors import InvalidInputException, ResourceAlreadyExistsException, ResourceInUseException
from console.models import AuditEntry, Campaign, Event, Experiment, ExperimentUser, Solution
from console.operations.base import call_by_wire_names
from console.serving import recorder
from console.serving.experiments import REGISTER, Arm, is_treated
from tests.factories import call, make_campaign, make_version, split_between
from tests.worlds import films

pytestmark = pytest.mark.usefixtures("by_hand")
USERS = [f"u{number}" for number in range(60)]


@pytest.fixture
def group(account):
    return films(account)


@pytest.fixture
def versions(account, group):
    """Two that are ACTIVE and never asked: rules and counts need no model."""
    return [make_version(group, recipe) for recipe in ("aws-user-personalization", "aws-popularity-count")]


@pytest.fixture
def campaign(account, versions):
    return make_campaign(account, versions[0])


def shown(register, row, users=USERS):
    """As if each of the users had been given a list."""
    for user in users:
        register.note(Arm(row.pk, row.arn, user, is_treated(row.salt, user, row.traffic_share)))
    register.flush()


@pytest.fixture
def experiment(account, campaign, versions):
    return call(
        "CreateExperiment", account, name="e", campaign_arn=campaign, treatment_version_arn=versions[1],
        outcome_event_types=["buy"],
    )["experimentArn"]  # fmt: skip


def asked(account, campaign, users=USERS, **params):
    return {user: call("GetRecommendations", account, campaign_arn=campaign, user_id=user, **params) for user in users}


def bought(experiment_arn, user, *, times=1, later=0, kind="buy", session="s"):
    row = Experiment.objects.get(name=experiment_arn.rpartition("/")[2])
    for n in range(times):
        Event.objects.create(
            dataset_group=row.dataset_group, event_id=f"{user}{kind}{later}{n}", user_id=user, session_id=session,
            item_id="i1", event_type=kind, timestamp=int(time.time()) + later,
        )  # fmt: skip


def test_each_user_is_answered_by_their_version_and_it_is_written_down(account, run_jobs, group, by_hand, counted):
    campaign, experiment = split_between(account, run_jobs, group, "aws-popularity-count", "aws-trending-now")
    answers = asked(account, campaign, num_results=5)
    row = Experiment.objects.get()
    treated = {user for user in USERS if is_treated(row.salt, user, 50)}
    assert 15 < len(treated) < 45
    alike = [item["itemId"] for item in answers[min(treated)]["itemList"]]
    for user, answer in answers.items():
        told = recorder.recall(answer["recommendationId"])
        assert told["experimentArn"] == experiment
        assert told["arm"] == ("TREATMENT" if user in treated else "CONTROL")
        assert ([item["itemId"] for item in answer["itemList"]] == alike) is (user in treated)
    by_hand.flush()
    rows = ExperimentUser.objects.filter(experiment=row)
    assert set(rows.filter(is_treatment=True).values_list("user_id", flat=True)) == treated
    asked(account, campaign, USERS[:3])
    by_hand.flush()
    assert rows.count() == 60
    told = call("GetExperimentArm", account, experiment_arn=experiment, user_id=min(treated))
    assert told["arm"] == "TREATMENT"
    assert told["solutionVersionArn"] == row.treatment_arn
    assert told["firstShown"]
    assert "firstShown" not in call("GetExperimentArm", account, experiment_arn=experiment, user_id="stranger")
    trace = call(
        "GetRecommendationTrace", account, recommendation_id=answers[min(treated)]["recommendationId"]
    )  # what the treatment showed
    assert trace["arm"] == "TREATMENT"


def test_requests_without_a_user_get_the_control(account, run_jobs, group, by_hand, counted):
    campaign, experiment = split_between(account, run_jobs, group, "aws-popularity-count", "aws-trending-now")
    answer = call("GetRecommendations", account, campaign_arn=campaign, num_results=3)
    assert "arm" not in recorder.recall(answer["recommendationId"])
    by_hand.flush()
    assert not ExperimentUser.objects.exists()
    call("StopExperiment", account, experiment_arn=experiment)
    asked(account, campaign, ["u1"])
    with CaptureQueriesContext(connection) as queries:
        asked(account, campaign, ["u1"])
    assert len(queries) == 1  # the user's live events; the campaign was read a moment ago


def test_the_share_is_kept_and_experiments_are_independent():
    users = [f"user-{number}" for number in range(20_000)]
    for share in (1, 30, 50, 99):
        assert sum(is_treated("salt", user, share) for user in users) / 20_000 == pytest.approx(share / 100, abs=0.012)
    both = sum(is_treated("one", user, 50) and is_treated("two", user, 50) for user in users)
    assert both / 20_000 == pytest.approx(0.25, abs=0.012)
    grown = [user for user in users if is_treated("salt", user, 10)]
    assert all(is_treated("salt", user, 40) for user in grown)
    assert is_treated("salt", "\ud800", 99) in {True, False}


def test_outcomes_after_the_first_list_are_counted(account, campaign, experiment, by_hand):
    row = Experiment.objects.get()
    shown(by_hand, row)
    treated, others = ([u for u in USERS if is_treated(row.salt, u, 50) is side] for side in (True, False))
    for user in treated[:9]:
        bought(experiment, user, times=2)
    for user in others[:3]:
        bought(experiment, user)
    bought(experiment, others[3], later=-3600)
    bought(experiment, others[4], kind="click")
    bought(experiment, "somebody", session=others[5])  # asked for by the session, then signed in
    told = call("GetExperimentResults", account, experiment_arn=experiment)
    control, treatment = told["arms"]
    assert (treatment["users"], treatment["converted"], treatment["events"]) == (len(treated), 9, 18)
    assert (control["users"], control["converted"], control["events"]) == (len(others), 4, 4)
    assert told["lift"]["value"] == pytest.approx((9 / len(treated)) / (4 / len(others)) - 1)
    assert told["lift"]["low"] < told["lift"]["value"] < told["lift"]["high"]
    assert told["verdict"] == "TOO_EARLY"
    assert told["sample"]["usersMissing"] > 10_000
    assert told["split"]["isMismatch"] is False
    assert told["points"][-1]["treatmentConverted"] == 9
    easier = call("GetExperimentResults", account, experiment_arn=experiment, minimum_effect=2.0)
    assert easier["sample"]["usersNeeded"] < told["sample"]["usersNeeded"]
    call("StopExperiment", account, experiment_arn=experiment)
    assert not ExperimentUser.objects.exists()
    bought(experiment, others[6])
    after = call("GetExperimentResults", account, experiment_arn=experiment)
    assert after["status"] == "STOPPED"
    assert (after["arms"], after["lift"]) == (told["arms"], told["lift"])


@pytest.mark.parametrize(
    ("counts", "verdict"),
    [
        ([(0, 20_000, 1000), (1, 20_000, 1200)], "BETTER"),
        ([(0, 20_000, 1000), (1, 20_000, 800)], "WORSE"),
        ([(0, 400_000, 20_000), (1, 400_000, 20_050)], "NO_DIFFERENCE"),
        ([(0, 20_000, 1000), (1, 18_000, 1200)], "NOT_VALID"),
        ([(0, 200, 10), (1, 200, 30)], "TOO_EARLY"),
        ([(0, 200, 0), (1, 200, 0)], "TOO_EARLY"),
    ],
)
def test_the_verdict_follows_from_split_sample_and_lift(account, campaign, experiment, counts, verdict):
    call("StopExperiment", account, experiment_arn=experiment)
    cells = []
    for arm, users, converted in counts:
        cells += [[arm, 0, 0, converted, converted, converted], [arm, 0, None, users - converted, 0, 0]]
    Experiment.objects.update(counts=cells)
    told = call("GetExperimentResults", account, experiment_arn=experiment, minimum_effect=0.2)
    assert told["verdict"] == verdict


@pytest.mark.parametrize(("lift", "verdict"), [(1.5, "BETTER"), (0.5, "WORSE")])
def test_gain_and_harm_are_said_before_the_planned_number_is_there(account, campaign, experiment, lift, verdict):
    call("StopExperiment", account, experiment_arn=experiment)
    did = int(300 * lift)
    cells = [
        [0, 0, 0, 300, 300, 300],
        [0, 0, None, 2700, 0, 0],
        [1, 0, 0, did, did, did],
        [1, 0, None, 3000 - did, 0, 0],
    ]
    Experiment.objects.update(counts=cells)
    told = call("GetExperimentResults", account, experiment_arn=experiment, minimum_effect=0.1)
    assert told["sample"]["usersMissing"] > 0
    assert told["verdict"] == told["always"]["verdict"] == verdict
    assert told["always"]["lift"]["low"] < told["lift"]["low"] < told["lift"]["high"] < told["always"]["lift"]["high"]
    assert told["points"][-1]["alwaysLow"] == told["always"]["lift"]["low"]


def test_a_p_value_of_one_look_alone_decides_nothing(account, campaign, experiment):
    call("StopExperiment", account, experiment_arn=experiment)
    cells = [
        [0, 0, 0, 1000, 1000, 1000],
        [0, 0, None, 9000, 0, 0],
        [1, 0, 0, 1090, 1090, 1090],
        [1, 0, None, 8910, 0, 0],
    ]
    Experiment.objects.update(counts=cells)
    told = call("GetExperimentResults", account, experiment_arn=experiment, minimum_effect=0.2)
    assert told["lift"]["pValue"] < 0.05
    assert (told["sample"]["usersMissing"], told["verdict"], told["always"]["verdict"]) == (0, "TOO_EARLY", "GO_ON")


def test_activity_before_and_guardrails_are_told_while_it_runs(account, experiment, by_hand):
    row = Experiment.objects.get()
    for user in USERS:
        bought(experiment, user, times=int(user[1:]) % 5, later=-7200)
    shown(by_hand, row)
    for user in USERS:
        bought(experiment, user, times=int(user[1:]) % 5)
        bought(experiment, user, kind="click")
    told = call("GetExperimentResults", account, experiment_arn=experiment, guardrail_event_types=["click", "none"])
    assert told["adjusted"]["correlation"] == pytest.approx(1)
    assert told["adjusted"]["varianceLeft"] == pytest.approx(0, abs=1e-9)
    clicks, nothing = told["guardrails"]
    assert (clicks["eventType"], clicks["allowedDrop"]) == ("click", 0.05)
    assert (nothing["verdict"], nothing.get("lift")) == ("OPEN", None)
    call("StopExperiment", account, experiment_arn=experiment)
    after = call("GetExperimentResults", account, experiment_arn=experiment)
    assert "adjusted" not in after


def test_promoting_serves_the_treatment_to_all_and_can_be_rolled_back(account, campaign, experiment, versions):
    assert call("PromoteExperiment", account, experiment_arn=experiment) == {
        "experimentArn": experiment, "campaignArn": campaign,
    }  # fmt: skip
    row = Campaign.objects.get()
    assert (row.solution_version.arn, row.previous_version.arn) == (versions[1], versions[0])
    assert row.config == {}  # popularity does not explore
    assert Experiment.objects.get().status == "PROMOTED"
    assert {entry.operation for entry in AuditEntry.objects.all()} >= {"PromoteExperiment", "UpdateCampaign"}
    with pytest.raises(ResourceInUseException, match="is PROMOTED; only a RUNNING one"):
        call("StopExperiment", account, experiment_arn=experiment)
    call("UpdateCampaign", account, campaign_arn=campaign, solution_version_arn=versions[0])


def test_what_would_disturb_it_is_refused_by_its_name(account, campaign, experiment, versions):
    with pytest.raises(ResourceInUseException, match="experiment e runs on the campaign c, which cannot serve another"):
        call("UpdateCampaign", account, campaign_arn=campaign, solution_version_arn=versions[1])
    follow = {"syncWithLatestSolutionVersion": True}
    with pytest.raises(ResourceInUseException, match="cannot take over new versions"):
        call("UpdateCampaign", account, campaign_arn=campaign, campaign_config=follow)
    call("UpdateCampaign", account, campaign_arn=campaign, min_provisioned_tps=3)
    for operation, members in (
        ("DeleteCampaign", {"campaign_arn": campaign}),
        ("MoveToTrash", {"resource_arn": campaign}),
        ("DeleteSolution", {"solution_arn": Solution.objects.get(recipe="aws-popularity-count").arn}),
        ("DeleteExperiment", {"experiment_arn": experiment}),
        ("MoveToTrash", {"resource_arn": experiment}),
    ):
        with pytest.raises(ResourceInUseException):
            call(operation, account, **members)
    assert Experiment.objects.get().is_running
    call("StopExperiment", account, experiment_arn=experiment)
    call("DeleteSolution", account, solution_arn=Solution.objects.get(recipe="aws-popularity-count").arn)
    assert call("GetExperimentResults", account, experiment_arn=experiment)["arms"][1]["solutionVersionArn"]


def test_an_ended_one_goes_to_the_trash_and_comes_back_with_its_campaign(account, campaign, experiment):
    call("StopExperiment", account, experiment_arn=experiment)
    entry = call("MoveToTrash", account, resource_arn=experiment)["trashId"]
    assert not Experiment.objects.exists()
    call("RestoreFromTrash", account, trash_id=entry)
    entry = call("MoveToTrash", account, resource_arn=campaign)["trashId"]
    assert not Experiment.objects.exists()
    call("RestoreFromTrash", account, trash_id=entry)
    assert call("ListExperiments", account, campaign_arn=campaign)["experiments"][0]["name"] == "e"
    call("DeleteExperiment", account, experiment_arn=experiment)
    assert not Experiment.objects.exists()


def test_what_cannot_be_tried_is_refused(account, group, campaign, experiment, versions):
    members = {"account": account, "name": "f", "campaign_arn": campaign, "treatment_version_arn": versions[1]}

    def create(**changes):
        given = members | changes
        return call("CreateExperiment", given.pop("account"), **given)

    with pytest.raises(ResourceInUseException, match="experiment e runs on the campaign c"):
        create()
    call("StopExperiment", account, experiment_arn=experiment)
    with pytest.raises(ResourceAlreadyExistsException):
        create(name="e")
    with pytest.raises(InvalidInputException, match="is what the campaign serves already"):
        create(treatment_version_arn=versions[0])
    with pytest.raises(InvalidInputException, match="trafficShare"):
        create(traffic_share=100)
    with pytest.raises(InvalidInputException, match=r"minimumEffect is 0, allowed is 0.001 to 10"):
        create(minimum_effect=0.0)
    sims = make_version(group, "aws-sims")
    with pytest.raises(InvalidInputException, match="aws-sims makes items that go with an item"):
        create(treatment_version_arn=sims)
    with pytest.raises(InvalidInputException, match="another dataset group"):
        create(treatment_version_arn=make_version(films(account, "elsewhere"), "aws-popularity-count"))
    Campaign.objects.update(config={"syncWithLatestSolutionVersion": True})
    with pytest.raises(ResourceInUseException, match="takes over each new version"):
        create()


def test_nothing_of_another_account_is_reached(account, other_account, campaign, experiment):
    assert call("ListExperiments", other_account)["experiments"] == []
    for operation in ("DescribeExperiment", "GetExperimentResults", "StopExperiment", "PromoteExperiment"):
        with pytest.raises(Exception, match="does not exist"):
            call_by_wire_names(operation, other_account, {"experimentArn": experiment})


def test_users_are_not_kept_of_what_has_ended(account, campaign, experiment, by_hand):
    row = Experiment.objects.get()
    by_hand.note(Arm(row.pk, row.arn, "u1", is_treatment=True))
    call("StopExperiment", account, experiment_arn=experiment)
    by_hand.flush()
    assert not ExperimentUser.objects.exists()
    assert REGISTER is not by_hand
