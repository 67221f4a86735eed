"""What is streamed: leniently read, held to the schema, counted once."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import pytest

from console import notices
from console.errors import InvalidInputException, ResourceNotFoundException
from console.models import Dataset, Event, Record
from console.operations.data import event_trackers
from console.operations.data import events as operations
from console.operations.data.values import event_seconds
from tests.factories import put_events
from tests.operations.worlds import dataset, group


def test_it_works(account, tracking_id):
    put_events(
        account,
        tracking_id,
        eventId="e1",
        eventValue=4.5,
        impression=["7", "8"],
        recommendationId="RID-1",
        metricAttribution={"eventAttributionSource": "newsletter"},
        properties=json.dumps({"numRatings": "12", "DEVICE": "phone", "unknown": 1}),
    )
    event = Event.objects.get()
    assert (event.user_id, event.session_id, event.is_anonymous, event.is_action) == ("bob", "s", False, False)
    assert (event.event_id, event.item_id, event.event_type, event.event_value) == ("e1", "7", "click", 4.5)
    assert (event.timestamp, event.impression, event.recommendation_id) == (1_700_000_000, ["7", "8"], "RID-1")
    assert event.attribution_source == "newsletter"
    assert event.properties == {"NUM_RATINGS": 12, "DEVICE": "phone"}


@pytest.mark.parametrize(
    "properties",
    [
        '{"itemId": "7", "eventValue": "3"}',
        json.dumps(json.dumps({"itemId": 7, "eventValue": 3})),
        '{"ITEM_ID": "7", "event_value": 3.0}',
    ],
)
def test_item_and_value_may_stand_in_the_properties(account, tracking_id, properties):
    put_events(account, tracking_id, {"properties": properties})
    event = Event.objects.get()
    assert (event.item_id, event.event_value, event.properties) == ("7", 3.0, {})


def test_an_event_that_only_says_who_the_user_is_names_the_session(account, tracking_id):
    def put(*events, **who):
        sent = [{"sentAt": 1_700_000_000, **event} for event in events]
        operations.put_events(account, tracking_id=tracking_id, session_id="s", event_list=sent, **who)

    identify = {"eventType": "Identify", "properties": '{"userId": "bob"}'}  # as Amplify sends it
    put({"eventType": "view", "itemId": "1"})
    assert Event.objects.get().is_anonymous
    put(identify)
    assert [(event.user_id, event.item_id) for event in Event.objects.all()] == [("bob", "1")]
    put(identify, {"eventType": "view", "properties": '{"itemId": "2"}'}, user_id="bob")
    assert sorted(Event.objects.values_list("user_id", "item_id")) == [("bob", "1"), ("bob", "2")]
    with pytest.raises(InvalidInputException, match="userId is not allowed"):
        put(identify | {"itemId": "3"})
    with pytest.raises(InvalidInputException, match="1 to 256"):
        put(identify | {"properties": json.dumps({"userId": "x" * 257})})


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({}, "itemId is missing"),
        ({"itemId": "7", "properties": "{"}, "not JSON"),
        ({"itemId": "7", "properties": "[1]"}, "array"),
        ({"itemId": "7", "properties": '{"UserId": "x"}'}, "UserId is not allowed"),
        ({"itemId": "7", "properties": '{"numRatings": "many"}'}, "numRatings is 'many', allowed is a whole number"),
        ({"itemId": "7", "properties": '{"numRatings": {"a": 1}}'}, "whole number"),
        ({"itemId": "7", "properties": '{"device": ["tv", "phone"]}'}, r'one text separated by \|: "tv\|phone"'),
        ({"itemId": "7", "properties": '{"device": "\\u0000"}'}, "text"),
        ({"itemId": "7", "properties": '{"eventValue": NaN}'}, "not JSON"),
        ({"itemId": "7", "properties": '{"eventValue": 1e999}'}, "number"),
        ({"properties": '{"itemId": ""}'}, "1 to 256"),
        ({"itemId": "7", "sentAt": 1e18}, "sentAt"),
        ({"itemId": "7", "sentAt": "soon"}, "sentAt"),
        ({"itemId": "7", "sentAt": -5}, "sentAt is -5; allowed are seconds from 1970"),
        ({"itemId": "7", "sentAt": time.time() + 100_000}, "at most a day ahead of the server's clock"),
        ({"itemId": "7", "sentAt": 1_700_000_000_000}, "must be a time.*it looks like milliseconds"),
        ({"itemId": "7", "sentAt": "1700000000000"}, "must be a time.*it looks like milliseconds"),
        ({"itemId": "7", "sentAt": "05/06/2026"}, "must be a time"),
        ({"itemId": "7", "sentAt": "29.11.2026 10:00"}, "must be a time"),
        ({"itemId": "7", "sentAt": "12:00"}, "must be a time"),
        ({"itemId": "7", "properties": '{"numRatings": 9223372036854775808}'}, "does not fit into 64 bits"),
        ({"itemId": "7", "properties": '{"numRatings": true}'}, "whole number"),
        ({"itemId": "7", "properties": '{"numRatings": 1.5}'}, "not a whole number"),
        ({"itemId": "7", "eventValue": 10**400}, "eventValue"),
        ({"itemId": "7", "impression": ["1"] * 26}, "impression"),
    ],
)
def test_it_says_what_is_wrong(account, tracking_id, event, message):
    with pytest.raises(InvalidInputException, match=message):
        put_events(account, tracking_id, event)
    assert not Event.objects.exists()


@pytest.mark.parametrize("sent_at", [1_700_000_000, 1_700_000_000.7, "1700000000.0", "2023-11-14T22:13:20Z", "20231114T221320Z", " 1.7e9 ",
                                     "Tue, 14 Nov 2023 22:13:20 GMT", "2023-11-14 23:13:20+01:00",
                                     datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)])  # fmt: skip
def test_times_come_in_many_ways(account, tracking_id, sent_at):
    put_events(account, tracking_id, sentAt=sent_at)
    assert Event.objects.get().timestamp == 1_700_000_000


def test_eleven_events_are_too_many(account, tracking_id):
    with pytest.raises(InvalidInputException, match="less than or equal to 10"):
        put_events(account, tracking_id, *[{"itemId": "7"}] * 11)


def test_an_event_counts_once(account, tracking_id):
    put_events(account, tracking_id, {"eventId": "e", "itemId": "1"}, {"eventId": "e", "itemId": "2"})
    put_events(account, tracking_id, {"eventId": "e", "itemId": "3"}, {"eventId": "f", "itemId": "4"})
    assert list(Event.objects.order_by("pk").values_list("event_id", "item_id")) == [("e", "1"), ("f", "4")]


def test_a_session_becomes_a_users(account, tracking_id):
    put_events(account, tracking_id, user_id=None, session_id="s1", itemId="1")
    put_events(account, tracking_id, user_id=None, session_id="s2", itemId="2")
    assert set(Event.objects.values_list("user_id", "is_anonymous")) == {("s1", True), ("s2", True)}
    put_events(account, tracking_id, user_id="bob", session_id="s1", itemId="3")
    assert set(Event.objects.values_list("user_id", "item_id", "is_anonymous")) == {
        ("bob", "1", False), ("s2", "2", True), ("bob", "3", False),
    }  # fmt: skip


def test_a_group_may_begin_with_events(account):
    arn = group(account).arn
    tracking_id = event_trackers.create_event_tracker(account, name="live", dataset_group_arn=arn)["trackingId"]
    put_events(account, tracking_id, itemId="7", properties='{"screenSize": 5}')
    assert Event.objects.get().properties == {"SCREEN_SIZE": 5}


def test_unknown_tracking_ids_are_invalid(account, other_account, tracking_id):
    for owner, used in ((account, "nope"), (other_account, tracking_id)):
        with pytest.raises(InvalidInputException, match="tracking id"):
            put_events(owner, used)


def test_it_takes_few_queries(account, tracking_id, django_assert_max_num_queries):
    with django_assert_max_num_queries(8):
        put_events(account, tracking_id, *[{"itemId": str(number)} for number in range(10)])


def test_items_are_replaced_whole(account):
    table = dataset(account, "ITEMS")
    first = {"genres": "Comedy|War", "price": "9.5", "creationTimestamp": 1_700_000_000}
    operations.put_items(account, dataset_arn=table.arn, items=[{"itemId": "9", "properties": json.dumps(first)}])
    assert Record.objects.get().values == {"GENRES": "Comedy|War", "PRICE": 9.5, "CREATION_TIMESTAMP": 1_700_000_000}
    later = [{"itemId": "9", "properties": '{"GENRES": "Drama"}'}, {"itemId": "10", "properties": '{"genres": "x"}'}]
    operations.put_items(account, dataset_arn=table.arn, items=[*later, later[1]])
    assert dict(Record.objects.values_list("entity_id", "values")) == {
        "9": {"GENRES": "Drama"}, "10": {"GENRES": "x"},
    }  # fmt: skip
    assert Dataset.objects.get().revision == 2


def test_records_are_held_to_the_schema(account, other_account):
    items, users = dataset(account, "ITEMS"), dataset(account, "USERS")
    with pytest.raises(InvalidInputException, match="lacks GENRES"):
        operations.put_items(account, dataset_arn=items.arn, items=[{"itemId": "9"}])
    with pytest.raises(InvalidInputException, match="age is 'old'"):
        operations.put_users(account, dataset_arn=users.arn, users=[{"userId": "u", "properties": '{"age": "old"}'}])
    with pytest.raises(InvalidInputException, match="of type ITEMS, expected USERS"):
        operations.put_users(account, dataset_arn=items.arn, users=[{"userId": "u"}])
    with pytest.raises(ResourceNotFoundException):
        operations.put_items(other_account, dataset_arn=items.arn, items=[{"itemId": "9"}])


def test_users_and_actions_are_put(account):
    users, actions = dataset(account, "USERS"), dataset(account, "ACTIONS")
    operations.put_users(account, dataset_arn=users.arn, users=[{"userId": "u", "properties": '{"age": 30}'}])
    operations.put_actions(account, dataset_arn=actions.arn, actions=[{"actionId": "a", "properties": '{"value": 3}'}])
    assert list(Record.objects.order_by("pk").values_list("entity_id", "values")) == [
        ("u", {"AGE": 30}),
        ("a", {"VALUE": 3}),
    ]


@pytest.mark.parametrize("word", ["Not Taken", "NOT_TAKEN", "nottaken"])
def test_action_interactions_are_put(account, word):
    table = dataset(account, "ACTION_INTERACTIONS")
    entry = {"actionId": "a", "userId": "bob", "sessionId": "s", "timestamp": 1_700_000_000, "eventType": word}
    operations.put_action_interactions(account, tracking_id=table.tracking_id, action_interactions=[entry])
    event = Event.objects.get()
    assert (event.item_id, event.user_id, event.event_type, event.is_action) == ("a", "bob", "Not Taken", True)


def test_action_interactions_have_their_own_tracking_id_and_words(account, tracking_id):
    table = dataset(account, "ACTION_INTERACTIONS")
    entry = {"actionId": "a", "sessionId": "s", "timestamp": 1, "eventType": "Viewed"}
    with pytest.raises(InvalidInputException, match="tracking id"):
        operations.put_action_interactions(account, tracking_id=tracking_id, action_interactions=[entry])
    with pytest.raises(InvalidInputException, match="Viewed, Taken, Not Taken"):
        operations.put_action_interactions(
            account, tracking_id=table.tracking_id, action_interactions=[entry | {"eventType": "Bought"}]
        )


@pytest.mark.parametrize("sent", [" click ", "click\n", "\tclick"])
def test_types_and_impressions_are_kept_without_blanks_around_them(account, tracking_id, sent):
    put_events(account, tracking_id, {"itemId": "7", "eventType": sent, "impression": [" 7 ", "8"]})
    event = Event.objects.get()
    assert (event.event_type, event.impression) == ("click", ["7", "8"])


@pytest.mark.parametrize(("ahead", "is_in_milliseconds"), [(25 * 3600, False), (10**9, False), (1.7e12, True)])
def test_a_time_ahead_is_said_to_be_in_milliseconds_only_where_it_looks_so(ahead, is_in_milliseconds):
    with pytest.raises(InvalidInputException, match="at most a day ahead") as caught:
        event_seconds(time.time() + ahead, "eventList[0].sentAt")
    assert ("milliseconds" in str(caught.value)) == is_in_milliseconds


def test_keys_that_the_schema_lacks_are_told(account):
    arn = dataset(account, "ITEMS").arn
    properties = json.dumps({"genres": "Drama", "COLOR": "red"})
    with notices.collected() as found:
        operations.put_items(account, dataset_arn=arn, items=[{"itemId": "1", "properties": properties}])
    assert found == ["The schema lacks these columns of the properties, which are not kept: COLOR."]

    long = json.dumps({"genres": "Drama"} | {f"{n}{'x' * 500}": 1 for n in range(50)})
    with notices.collected() as found:
        operations.put_items(account, dataset_arn=arn, items=[{"itemId": "1", "properties": long}])
    assert len(notices.header(found)) < notices.MAX_HEADER


@pytest.mark.parametrize("word", ["null", "None", "NaN", "undefined", r"\N", "[object Object]", " "])
def test_words_for_no_id_are_refused_as_in_files(account, tracking_id, word):
    """Else they would be one item that everybody took, and the export could not be imported again."""
    for event in ({"itemId": word}, {"properties": json.dumps({"itemId": word})}):
        with pytest.raises(InvalidInputException, match=r"itemId is .* stands for no id"):
            put_events(account, tracking_id, event)
    items, users = dataset(account, "ITEMS"), dataset(account, "USERS")
    with pytest.raises(InvalidInputException, match=r"items\[0\]\.itemId is"):
        operations.put_items(account, dataset_arn=items.arn, items=[{"itemId": word}])
    with pytest.raises(InvalidInputException, match=r"users\[0\]\.userId is"):
        operations.put_users(account, dataset_arn=users.arn, users=[{"userId": word}])
    assert not Event.objects.exists()
    assert not Record.objects.exists()


@pytest.mark.parametrize(
    ("sent", "kept"), [(" 7 ", "7"), ("007", "007"), ("1e5", "1e5"), ("0x10", "0x10"), ("nil", "nil")]
)
def test_ids_are_kept_as_in_files(account, tracking_id, sent, kept):
    put_events(account, tracking_id, {"itemId": sent})
    assert Event.objects.get().item_id == kept


@pytest.mark.parametrize(
    ("written", "kept"), [("7", "7"), ("7.0", "7"), ("1e5", "100000"), ("9148955329465708066", "9148955329465708066")]
)
def test_numbers_for_ids_are_whole_ones(account, tracking_id, written, kept):
    put_events(account, tracking_id, {"properties": f'{{"itemId": {written}}}'})
    assert Event.objects.get().item_id == kept
