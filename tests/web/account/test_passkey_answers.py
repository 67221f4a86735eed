"""Made-up answers of browsers and devices: whatever stands in them, they are refused in a sentence and sign nobody in."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from fido2 import cbor
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.models import Passkey
from console.shapes import JSONDict
from console.web.account import webauthn
from console.web.account.sites import Site
from console.web.account.webauthn import decoded, encoded
from tests.web.account.authenticator import AT, ORIGIN, Authenticator, added, asked, options, sent

SITE = Site(ORIGIN, "localhost")
CHALLENGE = encoded(bytes(32))
OPTIONS = {"challenge": CHALLENGE, "user": {"id": encoded(bytes(32))}}
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=20),
    st.binary(max_size=40).map(encoded),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)
NUMBERS = st.integers(-300, 300) | st.integers(-(2**64), 2**64 - 1)
CBOR = st.recursive(
    st.one_of(NUMBERS, st.booleans(), st.text(max_size=9), st.binary(max_size=70)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NUMBERS | st.text(max_size=9), inner, max_size=5),
    max_leaves=8,
)
DEVICE = Authenticator()
MADE, SIGNED = DEVICE.make(OPTIONS), DEVICE.sign(OPTIONS)
KEY = webauthn.registration(MADE, CHALLENGE, SITE).public_key


def refused(read, answer: JSONDict) -> None:
    with pytest.raises(ValidationError) as told:
        read(answer)
    assert len(told.value.message) > 20


def registered(answer: JSONDict) -> webauthn.Registration:
    return webauthn.registration(answer, CHALLENGE, SITE)


def asserted(answer: JSONDict) -> int:
    return webauthn.assertion(answer, CHALLENGE, SITE, KEY)


@given(st.sampled_from(sorted(MADE)), VALUES)
def test_any_value_in_a_field_of_a_registration(name, value):
    refused(registered, MADE | {name: value})


@given(st.sampled_from(sorted(set(SIGNED) - {"id", "userHandle"})), VALUES)
def test_any_value_in_a_field_of_an_assertion(name, value):
    refused(asserted, SIGNED | {name: value})


@given(st.sampled_from(sorted(MADE)), st.integers(0, 400), st.binary(min_size=1, max_size=4))
def test_any_bytes_within_a_registration(name, place, put):
    raw = decoded(MADE[name])
    place %= len(raw)
    changed = raw[:place] + put + raw[place + len(put) :]
    with suppress(ValidationError):  # nothing else; what attests to the device means nothing here, and may be changed
        registered(MADE | {name: encoded(changed)})


@given(CBOR, CBOR)
def test_any_structure_as_attestation(statement, key):
    refused(registered, MADE | {"attestationObject": encoded(cbor.encode(statement))})
    device = Authenticator(cose={-99: key} if not isinstance(key, dict) else key or {1: 2})
    with suppress(ValidationError):
        registered(device.make(OPTIONS))


@given(
    st.sampled_from([b"\x81", b"\x9b" + b"\xff" * 8, b"\xa1\x01", b"\xa1\x80\x01", b"\xff", b"\x5b" + b"\xff" * 8]),
    st.integers(1, 12_000),
)
def test_structures_that_go_deep_or_promise_much(part, times):
    data = (part * times)[:12_000]
    refused(registered, MADE | {"attestationObject": encoded(data)})
    refused(asserted, SIGNED | {"authenticatorData": encoded(data)})


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(st.dictionaries(st.sampled_from([*SIGNED, *MADE, "name", "next", "password"]), VALUES), st.binary(max_size=30))
def test_any_body_of_any_request(alice, body, raw):
    visitor = Client()
    for text in (json.dumps(body), raw):
        options(alice)
        asked(visitor)
        for client, path in ((visitor, "/accounts/passkey/"), (alice, "/settings/you/passkeys/add/")):
            answer = sent(client, path, text)
            assert (answer.status_code, bool(answer.json()["message"])) == (400, True), (path, text)
    answer = alice.post("/settings/you/passkeys/1/remove/", {"answer": json.dumps(body)}, **AT)
    assert answer.status_code == 302
    assert not Passkey.objects.exists()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(st.sampled_from(["id", "userHandle", "next"]), VALUES)
def test_any_value_beside_a_good_signature(alice, name, value):
    Passkey.objects.all().delete()
    device = Authenticator()  # a new one, as failures of one are counted
    assert added(alice, device).status_code == 200
    visitor = Client()
    answer = sent(visitor, "/accounts/passkey/", device.sign(asked(visitor)) | {name: value})
    assert answer.status_code == (200 if name == "next" else 400)
    if name == "next":
        assert answer.json()["next"].startswith("/")
