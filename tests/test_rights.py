"""Every page and every operation, asked by each role: what writes is refused to those whose role does not open it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User

from console.api.routes import routes
from console.front import callers
from console.models import Member, Token
from console.operations import rights
from console.operations.base import OPERATIONS, is_read
from console.shapes import OPERATION_MODELS
from tests.addresses import patterns
from tests.api.conftest import caller  # noqa: F401  a fixture
from tests.conftest import person

Role = Member.Role

# Pages whose POST is open to everybody who is signed in, by name: why
OPEN = {
    "yourself": "one's own address",
    "yourself-sign-out": "one's own sign-ins",
    "second-step": "one's own second step",
    "second-step-remove": "one's own second step",
    "identity-link": "one's own identity",
    "identity-unlink": "one's own identity",
    "passkey-options": "one's own passkeys",
    "passkey-add": "one's own passkeys",
    "passkey-confirm": "one's own passkeys",
    "passkey-rename": "one's own passkeys",
    "passkey-remove": "one's own passkeys",
    "settings-access-make": "one's own tokens; keys are refused within",
    "settings-access-revoke": "one's own tokens; keys are refused within",
    "list-columns": "how one likes a list",
}
ANALYSIS = {"compare-together", "data-insights-jobs-create"}
OWNERS = {
    "people", "people-role", "people-remove", "people-reset", "people-second-step", "people-passkeys", "people-sign-out",
    "people-withdraw",
}  # fmt: skip
# What is not behind the console's guard, by the beginning of its address: why
ELSEWHERE = {
    "accounts/": "signing in, invitations and passwords are for those who are not signed in",
    "language/": "a cookie of one's own, before signing in, too",
    "aws": "signed by an access key",
    "api/": "its own rights, below",
    "ingest/": "an ingest key",
    "healthz": "reads only", "livez": "reads only", "metrics": "reads only; its own guard", "op.js": "reads only",
}  # fmt: skip


def example(pattern: str) -> str:
    """An address that a pattern matches: the first alternative of a group, x for text, 1 for numbers.

    >>> example("^campaigns/(?P<name>[^/]+)/(?P<action>stop|promote)/$"), example("jobs/<str:label>/<int:pk>/")
    ('campaigns/x/stop/', 'jobs/x/1/')
    """
    plain = pattern.replace("^", "").replace("$", "")
    filled = re.sub(r"\(\?P<\w+>([^()]*)\)", lambda found: found[1].split("|")[0].replace("[/]+", "x"), plain)
    return re.sub(r"<int:\w+>", "1", re.sub(r"<(?:str:|path:|slug:)?\w+>", "x", filled))


PAGES = [(n, f"/{example(p)}") for n, p in patterns() if not example(p).lstrip("^").startswith(tuple(ELSEWHERE))]


def test_the_pages_are_found():
    assert len(PAGES) > 100
    assert OPEN.keys() | ANALYSIS | OWNERS <= {name for name, _ in PAGES}


@pytest.mark.parametrize("role", [Role.VIEWER, Role.ANALYST, Role.EDITOR])
def test_no_page_lets_a_role_write_that_must_not(account, role):
    client = person(account, "somebody", role)
    client.raise_request_exception = False
    allowed = set(OPEN) | (set() if role == Role.VIEWER else ANALYSIS)
    for name, address in PAGES:
        status = client.post(address).status_code
        is_refused = status in {403, 405}
        if role == Role.EDITOR:
            assert (name in OWNERS) <= is_refused, (name, address, status)
        else:
            assert is_refused or name in allowed or reads_only(name), (name, address, status)


# A POST that changes nothing: a preview, a question, a test request
READING = {"datasets-preview-check", "filters-check", "filters-fields", "filters-values", "filters-users"}


def reads_only(name: str) -> bool:
    return name in READING


def test_a_stranger_is_sent_to_sign_in_by_every_page(client, db):
    for name, address in PAGES:
        answer = client.post(address)
        assert answer.status_code in {302, 405}, (name, address, answer.status_code)
        if answer.status_code == 302:
            assert answer["Location"].startswith("/accounts/login/"), (name, address)


def test_each_operation_is_open_to_whom_it_should_be():
    for name in OPERATION_MODELS:
        opened = {role for role in Role if rights.may_call(Member(role=role), name)}
        if is_read(name):
            assert opened == set(Role), name
        elif name in rights.ANALYSES:
            assert opened == set(Role) - {Role.VIEWER}, name
        else:
            assert opened == {Role.OWNER, Role.EDITOR}, name


@pytest.mark.parametrize("role", [Role.VIEWER, Role.ANALYST])
def test_rest_refuses_every_operation_that_writes(account, caller, role):  # noqa: F811
    made = caller(account, role)
    for route in routes():
        path = re.sub(r"<str:\w+>", "x", f"/api/v1/{route.path}")
        answer = getattr(made, route.method)(path, {} if route.method not in {"get", "delete"} else None, format="json")
        expected = not rights.may_call(Member(role=role), route.operation)
        assert (answer.status_code == 403) == expected, (route, answer.status_code)


def test_every_operation_has_a_way_in_that_was_tried():
    assert {route.operation for route in routes()} >= OPERATIONS.keys() - {"GetRecommendations"}


def test_a_token_may_do_what_its_person_may(account, caller):  # noqa: F811
    user = User.objects.create(username="ana")
    member = Member.objects.create(user=user, account=account, role=Role.ANALYST)
    client = caller(account, Role.OWNER)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {Token.issue(user)}")
    body = {"name": "films"}
    answer = client.post("/api/v1/dataset-groups/", body, format="json")
    assert (answer.status_code, "role is analyst" in answer.json()["message"]) == (403, True)
    Member.objects.filter(pk=member.pk).update(role=Role.EDITOR)
    assert client.post("/api/v1/dataset-groups/", body, format="json").status_code == 201


@pytest.fixture
def allowed(monkeypatch) -> Callable[[str, str, str], int]:
    """How much a caller may send; the connection stays open, as it is the test's own."""
    monkeypatch.setattr(callers, "close_old_connections", lambda: None)
    return callers.allowed_bytes


@pytest.mark.parametrize("role", Role)
def test_files_of_any_size_are_taken_from_those_who_may_write_and_from_nobody_else(account, role, allowed):
    client = person(account, "bob", role)
    bob = User.objects.get(username="bob")
    cookie = f"sessionid={client.cookies['sessionid'].value}"
    expected = callers.UNLIMITED if role in {Role.OWNER, Role.EDITOR} else callers.MAX_BODY_BYTES
    assert allowed("/create/datasets/", "", cookie) == expected
    assert allowed(callers.UPLOAD_PATH, f"Bearer {Token.issue(bob)}", "") == expected
    assert allowed("/api/v1/solutions/", f"Bearer {Token.issue(bob)}", "") == callers.MAX_BODY_BYTES
    strangers = [("", "sessionid=nobody"), (f"Bearer {Token.issue(bob, days=-1)}", ""), ("Bearer nobody", "")]
    for authorization, session in strangers:
        assert allowed(callers.UPLOAD_PATH, authorization, session) == callers.SMALL_BYTES


def test_a_session_that_counts_no_more_opens_the_way_for_no_file(account, allowed):
    cookie = f"sessionid={person(account, 'bob', Role.OWNER).cookies['sessionid'].value}"
    bob = User.objects.get(username="bob")
    bob.set_password("another-password")  # as after a reset: it ends all sessions
    bob.save()
    assert allowed("/create/datasets/", "", cookie) == callers.SMALL_BYTES
    cookie = f"sessionid={person(account, 'carol', Role.OWNER).cookies['sessionid'].value}"
    User.objects.filter(username="carol").update(is_active=False)
    assert allowed("/create/datasets/", "", cookie) == callers.SMALL_BYTES
