"""Log records name the request, the account and the job they belong to."""

from __future__ import annotations

import json
import logging
import sys

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import DisallowedHost, PermissionDenied
from django.test import Client

from console import logs, tasks, transient
from console.models import Invitation, SampleLoad, Token
from tests.fronting import send


@pytest.fixture(autouse=True)
def _nowhere():
    """No request, account or job of the test before."""
    for variable in logs.CONTEXT.values():
        variable.set("")


class Kept(logging.Handler):
    """Keeps records as a formatter writes them."""

    def __init__(self, formatter: logging.Formatter) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.setFormatter(formatter)

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def kept():
    handler = Kept(logs.Json())
    logging.getLogger().addHandler(handler)
    yield handler
    logging.getLogger().removeHandler(handler)


def record(text: str, **more) -> logging.LogRecord:
    return logging.LogRecord("console.x", logging.WARNING, "x.py", 1, text, (), more.get("exc_info"))


def test_a_line_for_people_ends_with_where_it_belongs():
    formatter = logs.Lines(
        **{key: value for key, value in settings.LOGGING["formatters"]["line"].items() if key != "()"}
    )
    assert formatter.format(record("Hello")).endswith("WARNING console.x: Hello")
    logs.account_number.set("000000000001")
    logs.job_name.set("SolutionVersion 7")
    assert formatter.format(record("Hello")).endswith("Hello [account=000000000001 job=SolutionVersion 7]")


@pytest.mark.django_db
def test_links_and_keys_that_open_something_stand_in_no_line(account, kept):
    word = Invitation.issue(account, "editor", "alice")
    client = Client()
    assert client.post(f"/accounts/invitation/{word}/", {"username": "", "password": "short"}).status_code == 400
    assert client.post("/ingest/a-key-of-a-page/events", b"{", content_type="text/plain").status_code == 403
    text = "\n".join(kept.lines)
    assert "/accounts/invitation/…/" in text
    assert "/ingest/…/events" in text
    assert word not in text
    assert "a-key-of-a-page" not in text
    lines = logs.Lines("{message}", style="{")
    assert lines.format(record("Not Found: /accounts/reset/MQ/c9x-0a1b/")) == "Not Found: /accounts/reset/MQ/…/"


@pytest.mark.parametrize("error", [PermissionDenied("a viewer"), DisallowedHost("a forged name")])
def test_a_refusal_is_a_line_without_a_traceback(error):
    found = record("Refused", exc_info=(type(error), error, None))
    assert transient.OneLine().filter(found)
    assert found.exc_info is None


def test_json_is_one_line_with_its_traceback():
    try:
        int("bad\nvalue")
    except ValueError:
        text = logs.Json().format(record("Two\nlines", exc_info=sys.exc_info()))
    assert "\n" not in text
    told = json.loads(text)
    assert (told["message"], told["level"]) == ("Two\nlines", "WARNING")
    assert "ValueError: invalid literal" in told["exception"]


def test_what_a_request_writes_names_it_and_its_account(transactional_db, account, alice, kept):
    token = Token.issue(_user(alice))
    send("/api/v1/dataset-groups/none/", HTTP_AUTHORIZATION=f"Bearer {token}")
    told = [json.loads(line) for line in kept.lines if "request" in json.loads(line)]
    assert told, kept.lines
    assert told[0]["account"] == account.number
    assert len({entry["request"] for entry in told}) == 1


def _user(client):
    return User.objects.get(pk=client.session["_auth_user_id"])


def test_what_a_job_writes_names_it(account, kept):
    row = SampleLoad.objects.create(account=account, name="no such sample")
    tasks.run("SampleLoad", row.pk)
    told = [json.loads(line) for line in kept.lines]
    assert any(entry.get("job") == f"SampleLoad {row.pk}" and entry["account"] == account.number for entry in told), (
        told
    )
    assert logs.job_name.get() == ""
