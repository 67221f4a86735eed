"""Attacks on passkeys over HTTP: each rule of an answer is broken alone, by an authenticator in software."""

from __future__ import annotations

import json
import logging
import time

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from django.contrib.auth.models import User
from django.test import Client
from fido2.cose import ES256, ES384, RS256, EdDSA

from console.models import AuditEntry, Member, Passkey
from console.web.account import webauthn
from console.web.account.webauthn import encoded
from tests.conftest import person
from tests.web.account.authenticator import (
    AT,
    ATTESTED,
    PRESENT,
    VERIFIED,
    Authenticator,
    added,
    asked,
    is_in,
    options,
    sent,
    signed_in,
)

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
