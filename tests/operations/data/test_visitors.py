"""Who sent an event: words that stand for no session or no user make no two visitors one person."""

from __future__ import annotations

import pytest

from console.models import Event
from console.operations.data import events
from tests.factories import put_events
from tests.operations.worlds import dataset

NO_SESSION = [
    "null", "NULL", "undefined", "None", "nil", "NaN", "0", "-", "--", "-1", "(null)", "[object Object]", '"null"', " null ", "n/a",
    "false", "00000000-0000-0000-0000-000000000000", "sessionId", "anonymous", "session", "default", "(not set)", "void 0", "string",
    "$session", "${sessionId}", "{{session}}", "%s", "xxxx-xxxx", "YOUR_SESSION_ID",
]  # fmt: skip
NO_USER = ["null", "undefined", "None", "NaN", "[object Object]", r"\N", " ", "(not set)"]


def users():
    return dict(Event.objects.values_list("item_id", "user_id"))


@pytest.mark.parametrize("session", NO_SESSION)
def test_visitors_without_a_session_stay_apart(account, tracking_id, session):
    put_events(account, tracking_id, {"itemId": "1"}, {"itemId": "2"}, user_id=None, session_id=session)
    put_events(account, tracking_id, user_id=None, session_id=session, itemId="3")
    put_events(account, tracking_id, user_id="alice", session_id=session, itemId="4")
    put_events(account, tracking_id, user_id="bob", session_id=session, itemId="5")
    found = users()
    assert len({found[item] for item in "123"}) == 3
    assert (found["4"], found["5"]) == ("alice", "bob")
    assert set(Event.objects.filter(is_anonymous=True).values_list("item_id", flat=True)) == {"1", "2", "3"}
    assert not Event.objects.filter(session_id=session).exists()


@pytest.mark.parametrize("user", NO_USER)
def test_a_user_that_is_none_is_not_signed_in(account, tracking_id, user):
    put_events(account, tracking_id, user_id=user, session_id="s1", itemId="1")
    put_events(account, tracking_id, user_id=user, session_id="s2", itemId="2")
    assert users() == {"1": "s1", "2": "s2"}
    put_events(account, tracking_id, user_id="alice", session_id="s1", itemId="3")
    assert users() == {"1": "alice", "2": "s2", "3": "alice"}


@pytest.mark.parametrize(
    "session",
    [
        "1",
        "17",
        "s",
        "nullius",
        "none-of-your-business",
        "0a",
        "3f2b8c1e-0000-4000-8000-000000000000",
        "xxl",
        "defaults",
    ],
)
def test_other_sessions_are_sessions(account, tracking_id, session):
    put_events(account, tracking_id, user_id=None, session_id=session, itemId="1")
    put_events(account, tracking_id, user_id="alice", session_id=session, itemId="2")
    assert users() == {"1": "alice", "2": "alice"}


def test_zero_is_a_users_id_like_any_other(account, tracking_id):
    put_events(account, tracking_id, user_id="0", session_id="s", itemId="1")
    assert users() == {"1": "0"}


def test_actions_without_a_session_stay_apart(account):
    actions = dataset(account, "ACTION_INTERACTIONS")
    for number in range(2):
        told = {"actionId": f"a{number}", "sessionId": "null", "eventType": "Viewed", "timestamp": 1_700_000_000}
        events.put_action_interactions(account, tracking_id=actions.tracking_id, action_interactions=[told])
    assert len(set(users().values())) == 2


def test_a_session_of_several_users_gives_none_of_them_what_strangers_did(account, tracking_id):
    """A page may send any word for all; the second who signs in shows that the session is nobody's own."""
    put_events(account, tracking_id, user_id="alice", session_id="web", itemId="1")
    put_events(account, tracking_id, user_id=None, session_id="web", itemId="2")
    put_events(account, tracking_id, user_id="bob", session_id="web", itemId="3")
    assert users() == {"1": "alice", "2": "web", "3": "bob"}
    put_events(account, tracking_id, user_id="alice", session_id="web", itemId="4")
    assert users()["2"] == "web"


def test_ids_of_users_have_no_blanks_around_them(account, tracking_id):
    put_events(account, tracking_id, user_id=" alice ", session_id="s", itemId="1")
    assert users() == {"1": "alice"}
