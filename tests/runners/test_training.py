"""Trainings as jobs: stages, stopping, every recipe on its own kind of data, and what an update keeps."""

from __future__ import annotations

import json

import numpy as np
import pytest

from console import jobs, storage, tasks
from console.ingest.snapshot import training_tables
from console.models import Record, SolutionVersion, Status
from console.runners import refreshing
from console.runners.append_update import grown
from console.runners.fitting import Watch, read
from console.runners.training_selection import Choice
from recipes import artefact, catalogue
from recipes.data import TrainingData
from recipes.run import Progress
from tests.factories import RECIPE, call, put_object, trained
from tests.recipes import worlds
from tests.worlds import NOW, dataset, films

ALL = ["aws-user-personalization-v2", "aws-personalized-ranking", "aws-trending-now", "aws-similar-items",
       "aws-semantic-similarity", "aws-item-affinity", "aws-hrnn"]  # fmt: skip
ROLE = "arn:aws:iam::000000000001:role/Personalize"


@pytest.mark.parametrize("recipe", ALL)
def test_every_recipe_is_trained(account, run_jobs, recipe):
    params = {}
    if "mode" in {parameter.name for parameter in catalogue.get(recipe).hyperparameters()}:
        params["solution_config"] = {"algorithmHyperParameters": {"mode": "fast"}}
    trained(account, run_jobs, films(account), recipe, **params)
    row = SolutionVersion.objects.get()
    assert row.status == "ACTIVE", (row.failure_reason, row.traceback)
    assert row.metrics
    json.dumps(row.report, allow_nan=False)


def test_actions_are_suggested(account, run_jobs, monkeypatch):
    group = films(account)
    data = worlds.actions()
    events = data.interactions
    actions = {
        "ACTION_ID": data.item_ids.array.to_pylist(),
        "VALUE": list(range(data.num_items)),
    }
    done = {
        "USER_ID": data.user_ids.take(events.user_index),
        "ACTION_ID": data.item_ids.take(events.item_index),
        "EVENT_TYPE": [events.event_types[code] for code in events.event_type],
        "TIMESTAMP": events.timestamp.tolist(),
    }
    dataset(group, "ACTIONS", actions, [("ACTION_ID", "string", {}), ("VALUE", "long", {})])
    names = [(name, "long" if name == "TIMESTAMP" else "string", {}) for name in done]
    dataset(group, "ACTION_INTERACTIONS", done, names)
    version = trained(account, run_jobs, group, "aws-next-best-action")
    row = SolutionVersion.objects.get()
    assert row.status == "ACTIVE", (row.failure_reason, row.traceback)
    campaign = call("CreateCampaign", account, name="c", solution_version_arn=version)["campaignArn"]
    told = call("GetActionRecommendations", account, campaign_arn=campaign, user_id=data.user_ids[0], num_results=3)
    scores = [action["score"] for action in told["actionList"]]
    assert 0 < len(scores) <= 3
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    dear = call(
        "CreateFilter", account, name="dear", dataset_group_arn=group.arn,
        filter_expression="INCLUDE ActionID WHERE ACTIONS.VALUE > 100",
    )["filterArn"]  # fmt: skip
    asked = {"campaign_arn": campaign, "user_id": data.user_ids[0], "filter_arn": dear}
    assert call("GetActionRecommendations", account, **asked)["actionList"] == []
    monkeypatch.setattr("console.serving.live_catalog.FRESH_S", 0)
    best = told["actionList"][0]["actionId"]
    Record.objects.create(dataset=group.datasets.get(type="ACTIONS"), entity_id=best, values={"VALUE": 500})
    assert [action["actionId"] for action in call("GetActionRecommendations", account, **asked)["actionList"]] == [best]


def test_progress_is_one_bar(account):
    group = films(account)
    solution = call("CreateSolution", account, name="s", dataset_group_arn=group.arn, recipe_arn=RECIPE + "aws-sims")
    call("CreateSolutionVersion", account, solution_arn=solution["solutionArn"])
    held = jobs.claim("SolutionVersion", SolutionVersion.objects.get().pk)
    assert held is not None
    watch = Watch(held)
    try:
        watch.begin("evaluated")
        watch(Progress("training", 0.5, epoch=1, metrics={"loss": 2.0, "validation_ndcg": 0.1}))
        watch.begin("served")
        watch(Progress("training", 1.0, epoch=1, metrics={"loss": 1.0}, message="done"))
    finally:
        held.release()
    progress = SolutionVersion.objects.get().progress
    assert progress["epochs"] == [{"epoch": 1, "loss": 2.0, "validation_ndcg": 0.1}]
    assert progress["fraction"] == pytest.approx(0.97)
    told = call("GetSolutionVersionReport", account, solution_version_arn=SolutionVersion.objects.get().arn)
    assert told["stage"] == "training on all data: training"
    assert told["bestEpoch"] == 1
    again = [{"epoch": n, "validation_ndcg": value} for n, value in ((1, 0.1), (2, 0.2), (1, 0.4), (2, 0.3))]
    SolutionVersion.objects.update(progress={"epochs": again})
    told = call("GetSolutionVersionReport", account, solution_version_arn=SolutionVersion.objects.get().arn)
    assert [(epoch["epoch"], epoch["round"]) for epoch in told["epochs"]] == [(1, 1), (2, 1), (3, 2), (4, 2)]
    assert told["bestEpoch"] == 3


def test_a_running_training_stops(account, monkeypatch):
    group = films(account)
    solution = call("CreateSolution", account, name="s", dataset_group_arn=group.arn, recipe_arn=RECIPE + "aws-sims")
    version = call("CreateSolutionVersion", account, solution_arn=solution["solutionArn"])["solutionVersionArn"]
    monkeypatch.setattr(jobs, "HEARTBEAT_S", 0.05)

    def stop_in_the_middle(*_):
        call("StopSolutionVersionCreation", account, solution_version_arn=version)
        row = SolutionVersion.objects.get()
        assert row.status == Status.CREATE_STOPPING
        raise jobs.Stopped

    monkeypatch.setattr("console.runners.fitting.check_enough", stop_in_the_middle)
    tasks.run("SolutionVersion", SolutionVersion.objects.get().pk)
    assert SolutionVersion.objects.get().status == Status.CREATE_STOPPED


def test_events_are_mapped_while_they_are_learned_from(account, settings):
    """Files are gone by then, and the arrays are nobody's memory."""
    snapshot = read(films(account), Choice(), catalogue.get("aws-sims"))
    for events in (snapshot.everything.interactions, snapshot.learned.interactions):
        assert not events.timestamp.flags.writeable
        assert not events.item_index.flags.owndata
    assert list((settings.DATA_DIR / "scratch").iterdir()) == []


def test_columns_are_left_out_of_learning_but_not_of_filters(account, run_jobs):
    group = films(account)
    choice = Choice.of({"trainingDataConfig": {"excludedDatasetColumns": {"ITEMS": ["GENRES"]}}}, None)
    snapshot = read(group, choice, catalogue.get("aws-sims"))
    assert "GENRES" in snapshot.everything.items
    assert "GENRES" not in snapshot.learned.items
    included = Choice.of({"trainingDataConfig": {"includedDatasetColumns": {"Items": ["PRICE"]}}}, None)
    assert read(group, included, catalogue.get("aws-sims")).learned.items.keys() == {"PRICE", "CREATION_TIMESTAMP"}


def test_an_update_keeps_the_old_indexes(account):
    group = films(account)
    tables = training_tables(group)
    old = TrainingData.from_tables(tables.interactions.slice(200), tables.items.slice(3), tables.users, tables.kinds)
    new = grown(tables, old, tables.kinds)
    assert new.item_ids.array.to_pylist()[: old.num_items] == old.item_ids.array.to_pylist()
    assert new.user_ids.array.to_pylist()[: old.num_users] == old.user_ids.array.to_pylist()
    plain = TrainingData.from_tables(tables.interactions, tables.items, tables.users, tables.kinds)
    assert _events(new) == _events(plain)
    assert np.all(np.diff(new.interactions.user_index) >= 0)
    place, other = new.item_ids.index("i7"), plain.item_ids.index("i7")
    assert new.items["PRICE"].values[place] == plain.items["PRICE"].values[other]


@pytest.mark.parametrize("way", ["UPDATE", "refresh"])
def test_deleted_users_stay_gone_when_new_items_are_taken_up(account, run_jobs, settings, way):
    group = films(account)
    version = trained(account, run_jobs, group, "aws-user-personalization")
    call("CreateCampaign", account, name="c", solution_version_arn=version)
    source = {"dataLocation": put_object("gone.csv", "USER_ID\nu1\nu5\n")}
    job = {"job_name": "forget", "data_source": source, "role_arn": ROLE}
    call("CreateDataDeletionJob", account, dataset_group_arn=group.arn, **job)
    run_jobs()
    values = {"TITLE": "New", "GENRES": "Comedy", "PRICE": 1.0, "CREATION_TIMESTAMP": NOW}
    Record.objects.create(dataset=group.datasets.get(type="ITEMS"), entity_id="brand-new", values=values)
    if way == "UPDATE":
        solution = version.rpartition("/")[0]
        version = call("CreateSolutionVersion", account, solution_arn=solution, training_mode=way)["solutionVersionArn"]
        run_jobs()
    else:
        settings.REFRESH_HOURS = 0
        assert refreshing.refresh_due() == 1

    kept = artefact.load(storage.local_folder(SolutionVersion.objects.first().artefact))
    gone = kept.manifest["forgotten_users"]
    assert kept.data.item_ids.index("brand-new") >= 0
    assert kept.data.user_ids.indexes(["u1", "u5"]).tolist() == [-1, -1]
    assert len(gone) == 2
    assert not np.diff(kept.data.offsets)[gone].any()
    told = call("SearchUsers", account, solution_version_arn=version, max_results=100)
    assert told["total"] == 58


def test_an_artefact_holds_everything(account, run_jobs):
    trained(account, run_jobs, films(account), "aws-sims", event_type="click")
    row = SolutionVersion.objects.get()
    kept = artefact.load(storage.local_folder(row.artefact))
    assert len(kept.data.interactions) == 60 * 24
    assert kept.manifest["event_types_learned"] == ["click"]


def _events(data: TrainingData) -> set[tuple[str, str, int]]:
    events = data.interactions
    users, items = data.user_ids.take(events.user_index), data.item_ids.take(events.item_index)
    return set(zip(users, items, events.timestamp.tolist(), strict=True))


def test_an_objective_lifts_what_is_worth_more(account, run_jobs):
    group = films(account)
    prices = {}
    for sensitivity in ("OFF", "HIGH"):
        objective = {"itemAttribute": "PRICE", "objectiveSensitivity": sensitivity}
        config = {"algorithmHyperParameters": {"mode": "fast"}, "optimizationObjective": objective}
        version = trained(
            account, run_jobs, group, "aws-user-personalization", name=sensitivity, solution_config=config
        )
        row = SolutionVersion.objects.first()
        assert row.status == "ACTIVE", (row.failure_reason, row.traceback)
        assert 0 < row.metrics["average_rewards_at_k"] <= 1
        told = [
            call(
                "TestRecommendations", account, solution_version_arn=version, user_id=f"u{user}", exploration_weight=0.0
            )
            for user in range(5)
        ]
        items = [item for answer in told for item in answer["items"][:10]]
        prices[sensitivity] = np.mean([float(item["metadata"]["price"]) for item in items])
    assert prices["HIGH"] > prices["OFF"] + 0.2
