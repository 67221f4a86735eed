"""Passkeys over HTTP with an authenticator in software: the way in, the page of a person, and who may do what with them."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from console import tasks
from console.errors import InvalidInputException
from console.models import AuditEntry, Identity, Member, Passkey, SignIn, TwoStep
from console.operations.account import identities, passkeys
from console.web.account import passkeys as pages
from console.web.account.webauthn import encoded
from tests.conftest import person
from tests.web.account.authenticator import (
    AT,
    PASSWORD,
    Authenticator,
    added,
    asked,
    is_in,
    options,
    sent,
    signed_in,
)


def test_a_passkey_signs_in_without_name_password_and_second_step(alice, device):
    user = User.objects.get(username="alice")
    TwoStep.objects.create(user=user, secret="A" * 32, is_confirmed=True)
    visitor = Client()
    asked(visitor)
    before = visitor.cookies["sessionid"].value
    answer = signed_in(device, visitor, "/trash/")
    assert (answer.status_code, answer.json()) == (200, {"next": "/trash/"})
    assert visitor.cookies["sessionid"].value != before
    assert is_in(visitor)
    assert SignIn.objects.filter(user=user, session_key=visitor.cookies["sessionid"].value).exists()
    assert Passkey.objects.get().last_used is not None


def test_what_is_asked_of_devices(alice, device):
    found = options(alice).json()
    assert found["rp"] == {"id": "localhost", "name": "OpenPersonalize"}
    assert found["authenticatorSelection"] == {
        "residentKey": "required", "requireResidentKey": True, "userVerification": "required",
    }  # fmt: skip
    assert found["attestation"] == "none"
    assert [row["id"] for row in found["excludeCredentials"]] == [encoded(device.credential_id)]
    assert found["user"]["id"] == device.handle
    asks = asked(Client())
    assert (asks["rpId"], asks["userVerification"], "allowCredentials" in asks) == ("localhost", "required", False)
    assert asks["challenge"] != asked(Client())["challenge"]


def test_the_page_lists_renames_and_removes(alice, device, account):
    page = alice.get("/settings/you/", **AT).text
    assert "phone" in page
    assert "never used" in page
    pk = Passkey.objects.get().pk
    assert (
        "<b>key ring</b>" in alice.post(f"/settings/you/passkeys/{pk}/rename/", {"name": "key ring"}, follow=True).text
    )
    for name in ("", " ", "x" * 61, "a\0b", "\u202eb"):
        answer = alice.post(f"/settings/you/passkeys/{pk}/rename/", {"name": name}, follow=True)
        assert "printable characters" in answer.text, name
    wrong = alice.post(f"/settings/you/passkeys/{pk}/remove/", {"password": "guess"}, follow=True)
    assert "not your password" in wrong.text
    assert Passkey.objects.exists()
    alice.post(f"/settings/you/passkeys/{pk}/remove/", {"password": PASSWORD})
    assert not Passkey.objects.exists()
    answer = signed_in(device)
    assert (answer.status_code, "not known here" in answer.json()["message"]) == (400, True)
    assert [row.operation for row in AuditEntry.objects.filter(account=account)] == ["RemovePasskey", "AddPasskey"]


def test_adding_one_asks_for_the_password(alice):
    assert options(alice, "guess").status_code == 400
    assert options(alice, "").status_code == 400
    answer = Authenticator().make({"challenge": encoded(bytes(32)), "user": {"id": "x"}})
    assert sent(alice, "/settings/you/passkeys/add/", answer | {"name": "x"}).status_code == 400
    assert not Passkey.objects.exists()


def test_one_passkey_is_of_one_person(account, device):
    bob = person(account, "bob", Member.Role.VIEWER)
    answer = added(bob, device)
    assert (answer.status_code, "registered already" in answer.json()["message"]) == (400, True)
    pk = Passkey.objects.get().pk
    for action in ("rename", "remove"):
        answer = bob.post(f"/settings/you/passkeys/{pk}/{action}/", {"name": "x", "password": PASSWORD}, follow=True)
        assert "no such passkey" in answer.text
    assert Passkey.objects.get().name == "phone"


def test_there_is_a_limit_of_passkeys(alice, monkeypatch):
    monkeypatch.setattr(passkeys, "MAX_PASSKEYS", 2)
    assert [added(alice, Authenticator()).status_code for _ in range(3)] == [200, 200, 400]
    assert "which is the limit" in alice.get("/settings/you/", **AT).text


def test_who_was_removed_or_set_inactive_is_not_let_in(alice, account):
    bob, device = person(account, "bob", Member.Role.EDITOR), Authenticator()
    assert added(bob, device).status_code == 200
    user = User.objects.get(username="bob")
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert "not known here" in signed_in(device).json()["message"]
    User.objects.filter(pk=user.pk).update(is_active=True)
    assert signed_in(device).status_code == 200
    kept = Member.objects.get(user=user)
    Member.objects.filter(user=user).delete()
    assert "not known here" in signed_in(device).json()["message"]
    kept.save(force_insert=True)
    alice.post(f"/settings/people/{kept.pk}/remove/")
    assert not Passkey.objects.exists()


def test_another_password_leaves_passkeys(alice, device):
    passwords = {"old_password": PASSWORD, "new_password1": "another-password", "new_password2": "another-password"}
    assert alice.post("/accounts/password/", passwords).status_code == 302
    assert signed_in(device).status_code == 200


def test_an_owner_sees_and_drops_the_passkeys_of_who_lost_a_device(alice, account):
    bob, device = person(account, "bob", Member.Role.VIEWER), Authenticator()
    added(bob, device)
    row = Member.objects.get(user__username="bob")
    assert "Drop passkeys" in alice.get("/settings/people/").text
    assert bob.post(f"/settings/people/{row.pk}/passkeys/").status_code == 403
    assert "Dropped 1 passkeys of bob" in alice.post(f"/settings/people/{row.pk}/passkeys/", follow=True).text
    assert "Drop passkeys" not in alice.get("/settings/people/").text
    assert signed_in(device).status_code == 400
    assert AuditEntry.objects.filter(operation="DropPasskeys", account=account).count() == 1


def test_owners_remove_their_own_passkeys_where_the_password_is_asked_for(alice, device):
    row = Member.objects.get(user__username="alice")
    assert "Drop passkeys" not in alice.get("/settings/people/").text
    assert "on the page You" in alice.post(f"/settings/people/{row.pk}/passkeys/", follow=True).text
    assert Passkey.objects.exists()


def test_an_identity_of_the_provider_is_a_way_in_as_well(alice, device, settings):
    settings.OIDC_ISSUER = "https://sso.example"
    user = User.objects.get(username="alice")
    user.set_unusable_password()
    user.save()
    member = Member.objects.get(user=user)
    identity = Identity.objects.create(user=user, issuer="https://sso.example", subject="1")
    settings.OIDC_ONLY = True
    with pytest.raises(InvalidInputException, match="only way in"):  # passkeys open nothing then
        identities.unlink(member, pk=identity.pk, host="localhost")
    settings.OIDC_ONLY = False
    identities.unlink(member, pk=identity.pk, host="localhost")
    with pytest.raises(InvalidInputException, match="only way in"):
        passkeys.remove(member, pk=Passkey.objects.get().pk, host="localhost")
    Identity.objects.create(user=user, issuer="https://sso.example", subject="1")
    passkeys.remove(member, pk=Passkey.objects.get().pk, host="localhost")
    assert not Passkey.objects.exists()


def test_sign_ins_that_are_begun_are_counted_and_leave_nothing_for_ever(db, counting, monkeypatch):
    monkeypatch.setattr(pages, "MAX_ASKED", 2)
    answers = [sent(Client(), "/accounts/passkey/options/", {}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 400]
    assert Session.objects.count() == 2
    Session.objects.filter(pk=Session.objects.first().pk).update(expire_date=timezone.now() - timedelta(seconds=1))
    tasks.empty_trash()
    assert Session.objects.count() == 1


def test_owners_of_another_account_drop_nothing(device, charlie):
    row = Member.objects.get(user__username="alice")
    assert "no such member" in charlie.post(f"/settings/people/{row.pk}/passkeys/", follow=True).text
    assert Passkey.objects.exists()


def test_who_has_no_password_confirms_by_a_passkey_and_keeps_a_way_in(alice, device):
    user = User.objects.get(username="alice")
    user.set_unusable_password()
    user.save()
    alice.force_login(user)
    second = Authenticator()

    def removed(pk: int, by: Authenticator, **changes: str) -> str:
        asks = sent(alice, "/settings/you/passkeys/confirm/", {}).json()
        answer = json.dumps(by.sign(asks, **changes))
        return alice.post(f"/settings/you/passkeys/{pk}/remove/", {"answer": answer}, follow=True, **AT).text

    first = Passkey.objects.get().pk
    assert "only way in" in removed(first, device)
    assert added(alice, second, "key").status_code == 200
    for sentence, answer in (("answered already", ""), ("too long", "{}"), ("object", "[]"), ("bytes", "x" * 20_000)):
        page = alice.post(f"/settings/you/passkeys/{first}/remove/", {"answer": answer}, follow=True, **AT).text
        assert sentence in page
    assert "another address" in removed(first, second, origin="https://evil.example")
    assert Passkey.objects.count() == 2
    assert "Removed the passkey" in removed(first, second)
    assert "only way in" in removed(Passkey.objects.get().pk, second)


@pytest.mark.parametrize("only", [False, True])
def test_what_opens_nothing_is_no_other_way_in_and_may_always_go(alice, device, settings, only):
    settings.OIDC_ISSUER, settings.OIDC_CLIENT_ID, settings.OIDC_ONLY = "https://id.example.org", "console", only
    user = User.objects.get(username="alice")
    user.set_unusable_password()
    user.save()
    member = Member.objects.get(user=user)
    identity = Identity.objects.create(user=user, issuer=settings.OIDC_ISSUER, subject="s-1")
    other = Identity.objects.create(user=user, issuer="https://old.example.org", subject="s-1")
    with pytest.raises(InvalidInputException, match="only way in"):  # the passkey was made before the server moved
        identities.unlink(member, pk=identity.pk, host="new.example.org")
    passkeys.remove(member, pk=Passkey.objects.get().pk, host="new.example.org")
    identities.unlink(member, pk=other.pk, host="new.example.org")
    assert Identity.objects.get() == identity


PLACES = {
    "localhost": ({}, "localhost", False, ""),
    "a name below localhost": ({"ALLOWED_HOSTS": ["op.localhost"]}, "op.localhost", False, ""),
    "https": ({}, "testserver", True, ""),
    "PUBLIC_URL": ({"PUBLIC_URL": "https://op.example/"}, "op.example", True, ""),
    "a name of the list": ({"ALLOWED_HOSTS": ["op.example"]}, "op.example", True, ""),
    "loopback": ({}, "127.0.0.1:8123", False, "http://localhost:8123/settings/you/"),
    "loopback of IPv6": ({}, "[::1]:8123", False, "http://localhost:8123/settings/you/"),
    "another address": ({"ALLOWED_HOSTS": ["10.1.2.3"]}, "10.1.2.3", True, "in place of an IP address"),
    "http": ({"ALLOWED_HOSTS": ["op.example"]}, "op.example", False, "by HTTPS"),
    "a name out of a header": ({}, "evil.example", True, "PUBLIC_URL"),
    "passwords and passkeys closed": (
        {"OIDC_ONLY": True, "OIDC_NAME": "Example"},
        "localhost",
        False,
        "sign in with Example",
    ),
    "elsewhere": ({"PUBLIC_URL": "https://op.example"}, "localhost", False, "https://op.example/settings/you/"),
}


@pytest.mark.parametrize("case", PLACES)
def test_the_pages_say_where_passkeys_work(alice, settings, case):
    changed, host, is_secure, sentence = PLACES[case]
    for name, value in changed.items():
        setattr(settings, name, value)
    settings.ALLOWED_HOSTS = changed.get("ALLOWED_HOSTS", ["*"])
    page = alice.get("/settings/you/", HTTP_HOST=host, secure=is_secure).text
    assert ("data-passkey-add" in page) == (not sentence)
    assert sentence in page
    login = Client().get("/accounts/login/", HTTP_HOST=host, secure=is_secure).text
    assert ("data-passkey-sign-in" in login) == (not sentence)
    answer = Client().post(
        "/accounts/passkey/options/", {}, content_type="application/json", HTTP_HOST=host, secure=is_secure
    )
    assert answer.status_code == (400 if sentence else 200)
    if not sentence:
        assert answer.json()["rpId"] == host.partition(":")[0]


def test_a_port_is_part_of_the_origin(alice):
    host = {"HTTP_HOST": "localhost:8123"}
    body = json.dumps({"password": PASSWORD})
    found = alice.post("/settings/you/passkeys/options/", body, content_type="application/json", **host).json()
    answer = Authenticator(origin="http://localhost:8123").make(found) | {"name": "x"}
    done = alice.post("/settings/you/passkeys/add/", json.dumps(answer), content_type="application/json", **host)
    assert done.status_code == 200, done.text


def test_the_sign_in_page_leads_to_where_somebody_has_a_passkey(alice):
    at = {"HTTP_HOST": "127.0.0.1:8123"}
    assert "passkey" not in Client().get("/accounts/login/", **at).text
    added(alice, Authenticator())
    page = Client().get("/accounts/login/", **at).text
    assert "http://localhost:8123/accounts/login/" in page
