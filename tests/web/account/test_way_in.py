"""`manage.py way_in`: a link that signs in once."""

from __future__ import annotations

import io
import json
import time

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from console.models import AuditEntry, Member


def printed(name: str = "alice") -> str:
    """The path of a new link."""
    call_command("way_in", name, stdout=(said := io.StringIO()))
    return str(json.loads(said.getvalue())["link"]).partition(":8000")[2]


def is_in(client: Client) -> bool:
    return client.get("/settings/you/").status_code == 200


def test_it_signs_in_once_by_a_button(alice, settings):
    settings.OIDC_ONLY, settings.OIDC_ISSUER = True, "http://127.0.0.1:9"
    path, client = printed(), Client()
    assert "Sign in" in client.get(path).text
    assert not is_in(client)
    assert client.post(path).status_code == 302
    assert is_in(client)
    assert AuditEntry.objects.get(operation="UseWayIn").actor == "alice"
    answer = Client().post(path)
    assert (answer.status_code, "was used" in answer.text, "sessionid" in answer.cookies) == (404, True, False)


def test_a_new_sign_in_ends_links_that_are_older(alice):
    path = printed()
    Client().post("/accounts/login/", {"username": "alice", "password": "right-password"})
    assert Client().post(path).status_code == 404


def test_it_ends_after_a_quarter_of_an_hour(alice, monkeypatch):
    path, later = printed(), time.time() + 901
    monkeypatch.setattr("django.core.signing.time.time", lambda: later)
    assert Client().post(path).status_code == 404


def test_who_was_removed_and_guesses_open_nothing(alice, account):
    path = printed()
    User.objects.filter(username="alice").update(is_active=False)
    assert Client().post(path).status_code == 404
    User.objects.filter(username="alice").update(is_active=True)
    Member.objects.all().delete()
    assert Client().post(path).status_code == 404
    assert Client().post("/accounts/way-in/guess/").status_code == 404
    with pytest.raises(CommandError, match="There is no person alice"):
        printed()


def test_it_leads_to_where_others_reach_the_server(alice, settings):
    settings.PUBLIC_URL = "https://recommend.example.org/"
    call_command("way_in", "alice", stdout=(said := io.StringIO()))
    assert json.loads(said.getvalue())["link"].startswith("https://recommend.example.org/accounts/way-in/")
