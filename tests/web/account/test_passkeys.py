"""Passkeys over HTTP with an authenticator in software: the way in, and each way that must not lead in."""

from __future__ import annotations

import json
import logging
import time
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone
from fido2.cose import ES256, ES384, RS256, EdDSA

from console import tasks
from console.errors import InvalidInputException
from console.models import AuditEntry, Identity, Member, Passkey, SignIn, TwoStep
from console.operations.account import identities, passkeys
from console.web.account import passkeys as pages
from console.web.account import webauthn
from console.web.account.webauthn import encoded
from tests.conftest import person
from tests.web.account.authenticator import (
    AT,
    ATTESTED,
    PASSWORD,
    PRESENT,
    VERIFIED,
    Authenticator,
    added,
    asked,
    options,
    sent,
)


def signed_in(device: Authenticator, client: Client | None = None, next_page: str = "", **changes: str):
    client = client or Client()
    return sent(client, "/accounts/passkey/", device.sign(asked(client), **changes) | {"next": next_page})


def is_in(client: Client) -> bool:
    return bool(client.get("/settings/you/", **AT).status_code == 200)


@pytest.fixture
def device(alice) -> Authenticator:
    """Alice's phone, which has her passkey."""
    made = Authenticator()
    assert added(alice, made).status_code == 200
    return made


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


REGISTRATIONS = {
    "another origin": ({"origin": "http://localhost:8000"}, {}, "another address"),
    "another scheme": ({"origin": "https://localhost"}, {}, "another address"),
    "a page of another site around it": ({}, {"crossOrigin": True}, "another address"),
    "another server's": ({"rp_id": "example.org"}, {}, "of another server"),
    "another challenge": ({}, {"challenge": encoded(bytes(32))}, "another question"),
    "no challenge": ({}, {"challenge": ""}, "another question"),
    "an assertion": ({}, {"type": "webauthn.get"}, "cannot be read"),
    "nobody verified": ({"flags": PRESENT}, {}, "did not check that it is you"),
    "nobody present": ({"flags": VERIFIED}, {}, "did not check that it is you"),
}
KEYS = {
    "not offered": (dict(ES384.from_cryptography_key(ec.generate_private_key(ec.SECP384R1()).public_key())), "not known here"),
    "unknown": ({1: 2, 3: -9999}, "not known here"),
    "of no algorithm": ({1: 2}, "cannot be read"),
    "not on the curve": ({1: 2, 3: -7, -1: 1, -2: bytes(32), -3: bytes(32)}, "cannot be read"),
    "without a point": ({1: 2, 3: -7, -1: 1}, "cannot be read"),
    "huge": ({1: 3, 3: -257, -1: b"\xff" * 4096, -2: b"\1\0\1"}, "cannot be read"),
}  # fmt: skip


@pytest.mark.parametrize("case", REGISTRATIONS)
def test_a_registration_that_breaks_a_rule_is_refused(alice, case):
    said, changes, sentence = REGISTRATIONS[case]
    answer = added(alice, Authenticator(**said), **changes)
    assert (answer.status_code, sentence in answer.json()["message"]) == (400, True), answer.text
    assert not Passkey.objects.exists()


@pytest.mark.parametrize("case", KEYS)
def test_a_key_that_cannot_be_checked_is_refused(alice, case):
    cose, sentence = KEYS[case]
    answer = added(alice, Authenticator(cose=cose))
    assert (answer.status_code, sentence in answer.json()["message"]) == (400, True), answer.text


def test_keys_of_each_algorithm_that_is_offered_are_taken(alice):
    rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    made = [
        ES256.from_cryptography_key(ec.generate_private_key(ec.SECP256R1()).public_key()),
        EdDSA.from_cryptography_key(ed25519.Ed25519PrivateKey.generate().public_key()),
        RS256.from_cryptography_key(rsa_key),
    ]
    assert {key[3] for key in made} == set(webauthn.ALGORITHMS)
    for key in made:
        assert added(alice, Authenticator(cose=dict(key))).status_code == 200


def test_an_answer_is_taken_once_and_not_later(alice, monkeypatch):
    device = Authenticator()
    answer = device.make(options(alice).json()) | {"name": "phone"}
    assert sent(alice, "/settings/you/passkeys/add/", answer).status_code == 200
    assert "answered already" in sent(alice, "/settings/you/passkeys/add/", answer).json()["message"]
    visitor = Client()
    answer = device.sign(asked(visitor))
    assert sent(visitor, "/accounts/passkey/", answer).status_code == 200
    visitor.post("/accounts/logout/")
    assert sent(visitor, "/accounts/passkey/", answer).status_code == 400
    assert sent(Client(), "/accounts/passkey/", answer).status_code == 400
    visitor = Client()
    answer = device.sign(asked(visitor))
    now = time.time()
    monkeypatch.setattr(webauthn.time, "time", lambda: now + webauthn.VALID_S + 1)
    assert "too long" in sent(visitor, "/accounts/passkey/", answer).json()["message"]
    assert not is_in(visitor)


def test_a_failed_answer_uses_its_challenge_up(device):
    visitor = Client()
    asks = asked(visitor)
    wrong = device.sign(asks, origin="https://evil.example")
    assert sent(visitor, "/accounts/passkey/", wrong).status_code == 400
    assert sent(visitor, "/accounts/passkey/", device.sign(asks)).status_code == 400


def test_a_challenge_holds_for_what_it_was_made_for(alice, device):
    asks = sent(alice, "/settings/you/passkeys/confirm/", {}).json()
    assert sent(alice, "/accounts/passkey/", device.sign(asks)).status_code == 400
    answer = Authenticator().make(asks | {"user": {"id": device.handle}}) | {"name": "x"}
    assert sent(alice, "/settings/you/passkeys/add/", answer).status_code == 400


ASSERTIONS = {
    "another origin": ({"origin": "https://localhost"}, {}, "another address"),
    "another port": ({"origin": "http://localhost:1"}, {}, "another address"),
    "a longer host": ({"origin": "http://localhost.evil.example"}, {}, "another address"),
    "a page of another site around it": ({}, {"crossOrigin": True}, "another address"),
    "another server's": ({"rp_id": "example.org"}, {}, "of another server"),
    "another challenge": ({}, {"challenge": encoded(bytes(32))}, "another question"),
    "a registration": ({}, {"type": "webauthn.create"}, "cannot be read"),
    "nobody verified": ({"flags": PRESENT}, {}, "did not check that it is you"),
    "nobody present": ({"flags": VERIFIED}, {}, "did not check that it is you"),
    "a promise that is not kept": ({"flags": PRESENT | VERIFIED | ATTESTED}, {}, "cannot be read"),
    "another key": ({"key": ec.generate_private_key(ec.SECP256R1())}, {}, "signature is wrong"),
    "another person's name": ({"handle": encoded(bytes(32))}, {}, "another person"),
    "no person's name": ({"handle": ""}, {}, "another person"),
    "an unknown passkey": ({"credential_id": b"unknown"}, {}, "not known here"),
}  # fmt: skip


@pytest.mark.parametrize("case", ASSERTIONS)
def test_an_assertion_that_breaks_a_rule_signs_nobody_in(device, case):
    said, changes, sentence = ASSERTIONS[case]
    for name, value in said.items():
        setattr(device, name, value)
    visitor = Client()
    answer = signed_in(device, visitor, **changes)
    assert (answer.status_code, sentence in answer.json()["message"]) == (400, True), answer.text
    assert not is_in(visitor)


def test_each_part_is_signed(device):
    for part in ("clientDataJSON", "authenticatorData", "signature"):
        visitor = Client()
        answer = device.sign(asked(visitor))
        raw = bytearray(webauthn.decoded(answer[part]))
        raw[-1] ^= 1
        assert sent(visitor, "/accounts/passkey/", answer | {part: encoded(bytes(raw))}).status_code == 400, part
        assert not is_in(visitor)


def test_a_counter_that_goes_back_is_refused_logged_and_written_down(account, device, caplog):
    device.counter = 7
    assert signed_in(device).status_code == 200
    for counter in (7, 6, 0):
        device.counter = counter
        with caplog.at_level(logging.WARNING):
            answer = signed_in(device)
        assert (answer.status_code, "counter went back" in answer.json()["message"]) == (400, True)
        assert f"from 7 to {counter}" in caplog.text
    entry = AuditEntry.objects.filter(operation="RefusePasskey")[0]
    assert (entry.actor, entry.before, entry.after) == ("alice", {"counter": 7}, {"counter": 0})
    device.counter = 8
    assert signed_in(device).status_code == 200


def test_devices_that_do_not_count_are_taken_again(device):
    assert [signed_in(device).status_code for _ in range(2)] == [200, 200]


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


def test_somebody_elses_passkey_confirms_nothing(alice, account, device):
    bob = person(account, "bob", Member.Role.VIEWER)
    User.objects.filter(username="bob").update(password="!")
    bob.force_login(User.objects.get(username="bob"))
    own = Authenticator()
    assert added(bob, own).status_code == 200
    pk = Passkey.objects.get(user__username="bob").pk
    asks = sent(bob, "/settings/you/passkeys/confirm/", {}).json()
    answer = json.dumps(device.sign(asks))
    page = bob.post(f"/settings/you/passkeys/{pk}/remove/", {"answer": answer}, follow=True, **AT).text
    assert "somebody else" in page
    assert Passkey.objects.count() == 2


@pytest.mark.parametrize(
    "wanted", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example", "", "\0", "trash"]
)
def test_the_way_on_stays_on_this_server(device, wanted):
    assert signed_in(device, None, wanted).json() == {"next": "/"}


def test_failures_are_counted_as_wrong_passwords_are(device, counting):
    good, device.key = device.key, ec.generate_private_key(ec.SECP256R1())
    for _ in range(10):
        assert "signature" in signed_in(device).json()["message"]
    device.key = good
    assert "failed too often" in signed_in(device).json()["message"]


def test_the_script_is_asked_to_prove_that_it_is_this_servers(device):
    visitor = Client(enforce_csrf_checks=True)
    assert visitor.post("/accounts/passkey/options/", "{}", content_type="application/json", **AT).status_code == 403


def test_only_small_json_is_taken(alice, device):
    paths = (
        "/accounts/passkey/options/",
        "/accounts/passkey/",
        "/settings/you/passkeys/options/",
        "/settings/you/passkeys/add/",
    )
    for path in paths:
        for body in ("", "[]", "1", "null", "{", "[" * 10_000, b"\xff", '{"id": NaN', "{}" + " " * 20_000):
            answer = sent(alice, path, body)
            assert (answer.status_code, len(answer.json()["message"]) > 10) == (400, True), (path, body)
        assert alice.post(path, {"id": "x"}, **AT).status_code == 400
        assert alice.get(path, **AT).status_code == 405


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
