"""What a request sees within a second: live events, items put one by one, other versions; and what it leaves behind."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref

import pyarrow as pa
import pytest
import redis

from console import notices, storage
from console.errors import InvalidInputException
from console.models import Campaign, Event, Record, SolutionVersion
from console.operations.data.event_rows import new_event
from console.serving import recorder
from console.serving.caches import REQUEST_CACHE
from console.serving.history import history_of
from console.serving.live_catalog import FRESH_S, replace_rows
from console.serving.loader import ModelCache
from console.serving.targets import recommender_target  # noqa: F401  loads every module of serving
from recipes.columns import Kind, encode_column
from tests.factories import call, trained
from tests.worlds import NOW, films


@pytest.fixture
def campaign(account, run_jobs):
    version = trained(account, run_jobs, films(account), "aws-user-personalization")
    config = {"itemExplorationConfig": {"explorationWeight": "0"}, "enableMetadataWithRecommendations": True}
    return call("CreateCampaign", account, name="c", solution_version_arn=version, campaign_config=config)[
        "campaignArn"
    ]


@pytest.fixture
def group(campaign):
    return SolutionVersion.objects.get().solution.dataset_group


def listed(account, campaign, user="u1", **params):
    items = call("GetRecommendations", account, campaign_arn=campaign, user_id=user, **params)["itemList"]
    return [item["itemId"] for item in items]


def see(group, user, items, kind="click", at=NOW):
    for place, item in enumerate(items):
        Event.objects.create(
            dataset_group=group, event_id=f"{user}{item}{kind}{place}", user_id=user, session_id="s", item_id=item,
            event_type=kind, timestamp=at + place,
        )  # fmt: skip


def test_weight_0_is_deterministic_and_scores_fall(account, campaign):
    first = call("GetRecommendations", account, campaign_arn=campaign, user_id="u1")["itemList"]
    assert first == call("GetRecommendations", account, campaign_arn=campaign, user_id="u1")["itemList"]
    scores = [item["score"] for item in first]
    assert scores == sorted(scores, reverse=True)
    assert 0 < sum(scores) <= 1.0001


def test_a_stranger_becomes_known_by_live_events(account, campaign, group):
    before = listed(account, campaign, "stranger", num_results=10)
    see(group, "stranger", ["i2", "i6", "i10", "i14"])
    after = listed(account, campaign, "stranger", num_results=10)
    assert before != after
    assert sum(int(item[1:]) % 4 == 2 for item in after) >= 7


def test_filters_see_live_events_and_put_items(account, campaign, group, monkeypatch):
    see(group, "u1", ["i1"], kind="Bought")
    arn = call(
        "CreateFilter", account, name="bought", dataset_group_arn=group.arn,
        filter_expression='INCLUDE ItemID WHERE INTERACTIONS.EVENT_TYPE IN ("bought")',
    )["filterArn"]  # fmt: skip
    assert listed(account, campaign, filter_arn=arn) == ["i1"]
    genre = call(
        "CreateFilter", account, name="sport", dataset_group_arn=group.arn,
        filter_expression='INCLUDE ItemID WHERE ITEMS.GENRES IN ("Sport")',
    )["filterArn"]  # fmt: skip
    assert listed(account, campaign, filter_arn=genre) == []
    monkeypatch.setattr("console.serving.live_catalog.FRESH_S", 0)
    values = {"GENRES": "Sport|Comedy", "TITLE": "Final", "PRICE": 3.5, "CREATION_TIMESTAMP": 5}
    Record.objects.create(dataset=group.datasets.get(type="ITEMS"), entity_id="i5", values=values)
    answer = call(
        "GetRecommendations", account, campaign_arn=campaign, user_id="u1", filter_arn=genre,
        metadata_columns={"ITEMS": ["GENRES", "PRICE", "CREATION_TIMESTAMP"]},
    )["itemList"]  # fmt: skip
    assert [item["itemId"] for item in answer] == ["i5"]
    assert answer[0]["metadata"] == {"genres": "Sport|Comedy", "price": "3.5", "creationTimestamp": "5"}
    assert FRESH_S <= 1
    with notices.collected() as told:
        call(
            "GetRecommendations", account, campaign_arn=campaign, user_id="u1",
            metadata_columns={"ITEMS": ["genres", "NOPE"]},
        )  # fmt: skip
    assert [sentence.partition(" in the data")[0] for sentence in told] == ["The items have no column NOPE"]


def test_a_filter_of_the_current_user(account, campaign, group):
    arn = call(
        "CreateFilter", account, name="gold", dataset_group_arn=group.arn,
        filter_expression='EXCLUDE ItemID WHERE ITEMS.GENRES IN ("Comedy") IF CurrentUser.TIER = "gold"',
    )["filterArn"]  # fmt: skip
    assert not any(int(item[1:]) % 4 == 1 for item in listed(account, campaign, "u1", filter_arn=arn))
    assert any(int(item[1:]) % 4 == 0 for item in listed(account, campaign, "u0", filter_arn=arn))
    users = group.datasets.get(type="USERS")
    Record.objects.create(dataset=users, entity_id="u1", values={"TIER": "free", "AGE": 3})
    assert any(int(item[1:]) % 4 == 1 for item in listed(account, campaign, "u1", filter_arn=arn))


def test_a_filter_of_another_group_is_refused(account, campaign):
    other = films(account, "other")
    arn = call(
        "CreateFilter", account, name="f", dataset_group_arn=other.arn,
        filter_expression='INCLUDE ItemID WHERE ITEMS.GENRES IN ("Comedy")',
    )["filterArn"]  # fmt: skip
    with pytest.raises(InvalidInputException, match="another dataset group"):
        listed(account, campaign, filter_arn=arn)


def test_events_in_the_snapshot_are_not_counted_twice(account, run_jobs, campaign, group):
    see(group, "u1", ["i2"])
    solution = SolutionVersion.objects.get().solution
    call("CreateSolutionVersion", account, solution_arn=solution.arn)
    run_jobs()
    shelf = ModelCache(2, 10**9)
    old, new = (shelf.get(row.artefact) for row in solution.versions.order_by("pk"))
    assert len(history_of(old, group.pk, "u1").item) == len(history_of(new, group.pk, "u1").item) == 25
    assert history_of(old, group.pk, "u1").num_live == 1
    assert history_of(new, group.pk, "u1").num_live == 0


def test_the_shelf_keeps_what_was_used_last(account, run_jobs):
    group = films(account)
    for name in ("a", "b", "c"):
        trained(account, run_jobs, group, "aws-popularity-count", name=name)
    keys = list(SolutionVersion.objects.order_by("pk").values_list("artefact", flat=True))
    shelf = ModelCache(2, 10**9)
    first = shelf.get(keys[0])
    assert shelf.get(keys[0]) is first
    shelf.get(keys[1])
    shelf.get(keys[0])
    shelf.get(keys[2])
    assert shelf.get(keys[0]) is first
    assert ModelCache(2, 1).get(keys[0]).size_bytes > 1
    impatient = ModelCache(2, 10**9, idle_s=0)
    kept = weakref.ref(impatient.get(keys[0]))
    impatient.get(keys[1])
    gc.collect()
    assert kept() is None, "a model that nobody asks for goes when another is loaded"
    manifest = storage.local_folder(keys[0]) / "manifest.json"
    manifest.write_text(manifest.read_text() + " ")
    REQUEST_CACHE.forget()  # as a web process does by itself a quarter of a second later
    assert shelf.get(keys[0]) is not first


def test_a_deleted_solution_leaves_nothing_behind(account, campaign, django_capture_on_commit_callbacks):
    row = SolutionVersion.objects.get()
    folder = storage.local_folder(row.artefact)
    call("DeleteCampaign", account, campaign_arn=campaign)
    with django_capture_on_commit_callbacks(execute=True):
        call("DeleteSolution", account, solution_arn=row.solution.arn)
    assert not folder.exists()


def test_answers_are_recorded_and_recalled(account, campaign, monkeypatch):
    kept: dict[str, str] = {}

    class Broker:
        def set(self, key, value, ex):
            kept[key] = value

        def get(self, key):
            return kept.get(key)

    monkeypatch.setattr(recorder, "_client", Broker)
    monkeypatch.setattr(recorder, "_away_until", 0.0)
    answer = call("GetRecommendations", account, campaign_arn=campaign, user_id="u1")
    told = recorder.recall(answer["recommendationId"])
    assert told["source"] == campaign
    assert told["items"] == [item["itemId"] for item in answer["itemList"]]
    assert recorder.recall("RID-unknown") is None


def test_serving_goes_on_without_a_broker(account, campaign, monkeypatch):
    def away():
        raise redis.ConnectionError("gone")

    monkeypatch.setattr(recorder, "_client", away)
    monkeypatch.setattr(recorder, "_away_until", 0.0)
    assert len(listed(account, campaign)) == 25


def test_a_request_takes_few_queries(account, campaign, django_assert_max_num_queries):
    listed(account, campaign)
    with django_assert_max_num_queries(3):
        listed(account, campaign)


@pytest.mark.parametrize("sender", ["u1", "others"])
def test_a_list_costs_the_database_as_much_among_many_events_as_among_few(
    account, campaign, group, instructions, sender
):
    def fill(start, end):
        Event.objects.bulk_create(
            new_event(
                group, event_id=f"e{n}", item_id=f"i{n % 20}", event_type="click", timestamp=NOW + n, session_id="s",
                user_id="u1" if sender == "u1" else f"v{n}",
            )
            for n in range(start, end)
        )  # fmt: skip

    def cost():
        listed(account, campaign)
        return instructions(lambda: listed(account, campaign))

    fill(0, 2_000)
    few = cost()
    fill(2_000, 10_000)
    many = cost()
    assert many <= 1.5 * few + 10


def test_serving_does_not_need_torch():
    code = (
        "import django, sys; django.setup(); import console.operations, console.urls; "
        "from recipes import catalogue; catalogue.get('aws-user-personalization'); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("before", "value", "after"),
    [(["a|b", "c", ""], "b|d", [["a", "b"], ["b", "d"], []]), (["a|b", "c", ""], None, [["a", "b"], [], []])],
)
def test_rows_of_a_column_are_replaced(before, value, after):
    column = replace_rows(encode_column(pa.array(before), Kind.CATEGORICAL), [1], [value])
    words = [column.categories[code] for code in column.codes]
    assert [words[low:high] for low, high in zip(column.offsets, column.offsets[1:], strict=False)] == after


@pytest.mark.parametrize(("kind", "empty"), [(Kind.TEXT, ""), (Kind.NUMERIC, None)])
def test_the_last_value_of_a_row_counts(kind, empty):
    column = replace_rows(encode_column(pa.array(["1", "2", "3", "4"]), kind), [3, 1, 3], ["7", None, "9"])
    shown = [None if value != value else value for value in column.values.tolist()]  # noqa: PLR0124  NaN
    assert shown == ([1, empty, 3, 9] if kind is Kind.NUMERIC else ["1", empty, "3", "9"])


def test_an_update_has_no_gap(account, run_jobs, campaign):
    solution = SolutionVersion.objects.get().solution
    version = call("CreateSolutionVersion", account, solution_arn=solution.arn)["solutionVersionArn"]
    run_jobs()
    call("UpdateCampaign", account, campaign_arn=campaign, solution_version_arn=version)
    assert listed(account, campaign)
    row = Campaign.objects.get()
    assert row.previous_version is not None
    assert row.solution_version.arn == version
