"""What nobody gets in by: forged, foreign and stale tokens and ways back; and a provider that is away, slow or broken."""

from __future__ import annotations

import json
import threading
import time

import pytest
from authlib.common.encoding import urlsafe_b64encode
from django.contrib.auth.models import User
from django.core import signing
from django.db import connections
from django.test import Client
from joserfc import jwk, jwt

from console.web.account import provider as client_side
from tests import openid
from tests.web.account.conftest import agreed, walk, went_out

DISCOVERY = "/.well-known/openid-configuration"


@pytest.fixture(autouse=True)
def _open_door(settings, account):
    """Whoever is believed comes in."""
    settings.OIDC_ACCOUNT, settings.OIDC_ROLE = account.name, "viewer"


def is_refused(answer, status: int = 400) -> bool:
    assert openid.CLIENT_SECRET not in answer.text
    assert "sessionid" not in answer.cookies
    return bool(answer.status_code == status and "You are not signed in" in answer.text and not User.objects.exists())


NOW = time.time()


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"}, {"aud": "another"}, {"aud": "another", "azp": openid.CLIENT_ID}, {"aud": ["another"]}, {"iss": "https://evil.example"},
        {"exp": int(NOW) - 3600}, {"azp": "another"}, {"aud": [openid.CLIENT_ID, "another"], "azp": "another"}, {"iat": int(NOW) + 36_000},
        {"exp": "never"}, {"nbf": int(NOW) + 36_000},
    ],
)  # fmt: skip
def test_a_token_for_something_else_is_refused(provider, claims):
    provider.claims = claims
    assert is_refused(walk(Client()))


@pytest.mark.parametrize("name", ["nonce", "aud", "iss", "exp", "iat", "sub"])
def test_a_token_without_a_claim_is_refused(provider, name):
    provider.dropped = {name}
    assert is_refused(walk(Client()))


@pytest.mark.parametrize("subject", ["", 7, ["s-1"], "x" * 256, None, "s\x00", "\ud800"])
def test_a_subject_that_is_none_is_refused(provider, subject):
    provider.person = {"sub": subject}
    answer = walk(Client())
    assert is_refused(answer, answer.status_code)
    assert answer.status_code in {400, 503}


def unsigned(claims: dict) -> str:
    parts = (json.dumps({"alg": "none"}), json.dumps(claims), "")
    return ".".join(urlsafe_b64encode(part.encode()).decode() for part in parts)


def test_a_token_that_nobody_signed_is_refused(provider):
    provider.sign = unsigned
    assert is_refused(walk(Client()))


def test_the_public_key_is_no_secret_to_sign_with(provider):
    public = provider.key.as_pem(private=False)

    def signed(claims: dict) -> str:
        head, body = ({"alg": "HS256", "kid": "first"}, claims)
        import hashlib  # noqa: PLC0415
        import hmac  # noqa: PLC0415

        text = ".".join(urlsafe_b64encode(json.dumps(part).encode()).decode() for part in (head, body))
        return f"{text}.{urlsafe_b64encode(hmac.digest(public, text.encode(), hashlib.sha256)).decode()}"

    provider.sign = signed
    assert is_refused(walk(Client()))


def test_a_clients_secret_signs_nothing(provider):
    key = jwk.OctKey.import_key(openid.CLIENT_SECRET.ljust(32, "x"))
    provider.sign = lambda claims: jwt.encode({"alg": "HS256"}, claims, key)
    assert is_refused(walk(Client()))


def test_another_key_of_the_same_name_is_refused(provider):
    provider.published = [openid.new_key()]
    assert is_refused(walk(Client()))


def test_keys_that_were_changed_are_asked_for_anew(provider):
    assert walk(Client()).status_code == 302
    provider.key = openid.new_key("second")
    assert walk(Client()).status_code == 302
    assert provider.asked.count("/keys") == 2
    assert walk(Client()).status_code == 302
    assert provider.asked.count("/keys") == 2, "keys are kept"
    assert provider.asked.count(DISCOVERY) == 1, "the discovery document, too"


def test_a_key_that_is_not_published_is_refused(provider):
    provider.key, provider.published = openid.new_key("unknown"), [openid.new_key("first")]
    assert is_refused(walk(Client()))
    assert provider.asked.count("/keys") == 2


def test_a_way_back_works_once(provider):
    client = Client()
    back = agreed(went_out(client))
    kept = client.cookies.copy()
    assert client.get(back).status_code == 302
    replayed = client.get(back)
    assert replayed.status_code == 400
    other = Client()
    other.cookies = kept  # somebody who copied the cookie, too: the code is used up
    answer = other.get(back)
    assert (answer.status_code, "sessionid" in answer.cookies) == (400, False)


def test_another_browsers_way_back_opens_nothing(provider):
    back = agreed(went_out(Client()))
    assert is_refused(Client().get(back))
    victim = Client()
    went_out(victim)
    assert is_refused(victim.get(back))


@pytest.mark.parametrize("state", ["", "x", "é", "x" * 5000, "%00"])
def test_a_state_that_is_none_is_refused(provider, state):
    client = Client()
    went_out(client)
    assert is_refused(client.get(f"/accounts/openid/back/?code=x&state={state}"))


def test_an_attempt_ends_after_a_while(provider, monkeypatch):
    client = Client()
    back = agreed(went_out(client))
    later = time.time() + 601
    monkeypatch.setattr("django.core.signing.time.time", lambda: later)
    assert is_refused(client.get(back))


def test_a_code_of_another_attempt_is_refused_by_pkce(provider):
    stolen = agreed(went_out(Client())).partition("code=")[2].partition("&")[0]
    client = Client()
    own = agreed(went_out(client))
    code = own.partition("code=")[2].partition("&")[0]
    assert is_refused(client.get(own.replace(code, stolen)))


def test_who_does_not_agree_reads_why_and_nothing_of_it_is_a_page(provider):
    provider.error = {"error": "access_denied", "error_description": "<script>alert(1)</script>" + "x" * 500}
    answer = walk(Client())
    assert is_refused(answer)
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;" in answer.text
    assert "x" * 300 not in answer.text


def test_what_a_link_says_is_not_shown(provider):
    answer = Client().get("/accounts/openid/back/?error=x&error_description=Call+this+number&state=y")
    assert "Call this number" not in answer.text
    assert is_refused(answer)


def test_a_wrong_secret_is_refused_and_shown_nowhere(provider, caplog):
    provider.secret = "changed"
    assert is_refused(walk(Client()), 503)
    assert openid.CLIENT_SECRET not in caplog.text


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://evil.example"}, {"issuer": None}, {"token_endpoint": None}, {"authorization_endpoint": "javascript:alert(1)"}, {"authorization_endpoint": "http://x\r\nSet-Cookie: a=b"},
        {"jwks_uri": "file:///etc/passwd"}, {"id_token_signing_alg_values_supported": ["HS256", "none"]},
    ],
)  # fmt: skip
def test_a_discovery_document_that_cannot_be_is_not_used(provider, metadata):
    provider.metadata = metadata
    assert is_refused(Client().post("/accounts/openid/"), 503)
    provider.metadata = {}
    assert walk(Client()).status_code == 302, "what was wrong is not kept"


FAULTS = [500, 404, 302, "huge", b"", b"[]", b"null", b'"x"', b"{", b"\xff\xfe", b"{}"]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
@pytest.mark.parametrize("path", [DISCOVERY, "/token", "/keys", "/userinfo"])
def test_a_provider_that_answers_nonsense_opens_nothing_and_is_not_asked_for_ever(provider, path, fault):
    provider.faults = {path: fault}
    client = Client()
    if path == DISCOVERY:
        answer = client.post("/accounts/openid/")
        assert is_refused(answer, 503)
        assert answer["Retry-After"]
        assert "Example ID does not answer as it should" in answer.text
        return
    answer = walk(client)
    if path == "/userinfo" and fault in {b"{}", b"[]"}:
        assert answer.status_code == 302, "nothing more is known"
    else:
        assert is_refused(answer, answer.status_code)
        assert answer.status_code in {400, 503}


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(client_side, "TIMEOUTS_S", (0.3, 0.5))
    monkeypatch.setattr(client_side, "PATIENCE_S", 1.0)


@pytest.mark.parametrize("path", [DISCOVERY, "/token", "/keys"])
@pytest.mark.parametrize("fault", ["hang", "drip"])
def test_nobody_waits_long_for_a_provider(provider, impatient, path, fault):
    provider.faults = {path: fault}
    began = time.monotonic()
    client = Client()
    answer = client.post("/accounts/openid/") if path == DISCOVERY else walk(client)
    assert is_refused(answer, 503)
    assert time.monotonic() - began < 3
    assert client.get("/accounts/login/").status_code == 200


def test_passwords_work_while_the_provider_is_away(alice, settings, provider):
    settings.OIDC_ISSUER = "http://127.0.0.1:9"
    answer = Client().post("/accounts/openid/")
    assert answer.status_code == 503
    assert Client().post("/accounts/login/", {"username": "alice", "password": "right-password"}).status_code == 302


def test_a_provider_that_hangs_holds_two_sign_ins_and_no_more(provider, impatient, monkeypatch):
    monkeypatch.setattr(client_side, "SLOTS", threading.BoundedSemaphore(2))
    monkeypatch.setattr(client_side, "SLOT_PATIENCE_S", 0.05)
    provider.faults = {DISCOVERY: "hang"}

    def ask() -> None:
        Client().post("/accounts/openid/")
        connections.close_all()

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    time.sleep(0.2)
    began = time.monotonic()
    assert Client().post("/accounts/openid/").status_code == 503
    assert time.monotonic() - began < 0.4
    for thread in threads:
        thread.join()


def test_who_goes_out_waits_for_nobody_once_the_provider_is_known(provider, monkeypatch):
    client = Client()
    address = went_out(client)
    monkeypatch.setattr(client_side, "SLOTS", threading.BoundedSemaphore(1))
    client_side.SLOTS.acquire()
    began = time.monotonic()
    went_out(Client())
    assert time.monotonic() - began < client_side.SLOT_PATIENCE_S
    assert client.get(agreed(address)).status_code == 503


def test_codes_that_are_invented_are_counted_and_those_of_a_provider_that_is_away_are_not(provider, counting):
    def came_back(**faults: object) -> int:
        provider.faults = faults
        client = Client()
        own = agreed(went_out(client))
        return client.get(own if faults else own.replace("code=", "code=x")).status_code

    assert {came_back(**{"/token": 500}) for _ in range(12)} == {503}
    provider.faults = {}
    assert walk(Client()).status_code == 302
    assert [came_back() for _ in range(12)] == [400] * 10 + [429] * 2
    assert provider.asked.count("/token") == 12 + 1 + 10
    assert walk(Client()).status_code == 429


def test_nothing_of_a_sign_in_is_logged(provider, caplog):
    caplog.set_level("DEBUG")
    client = Client()
    address = went_out(client)
    kept = signing.loads(next(iter(client.cookies.values())).value, salt="console.openid")
    assert client.get(agreed(address)).status_code == 302
    assert "/token" in caplog.text
    for word in ("code_verifier", "nonce", "state"):
        assert kept[word] not in caplog.text
    assert openid.CLIENT_SECRET not in caplog.text


@pytest.mark.parametrize("path", [DISCOVERY, "/token", "/keys"])
def test_answers_that_trickle_in_for_ever_hold_no_sign_in_of_later(provider, monkeypatch, path):
    monkeypatch.setattr(client_side, "SLOTS", threading.BoundedSemaphore(2))
    monkeypatch.setattr(client_side, "SLOT_PATIENCE_S", 5.0)
    provider.faults = {path: "drip"}
    monkeypatch.setattr(client_side, "PATIENCE_S", 1.0)
    for _ in range(2):
        client = Client()
        answer = client.post("/accounts/openid/") if path == DISCOVERY else walk(client)
        assert answer.status_code == 503
    monkeypatch.setattr(client_side, "PATIENCE_S", 5.0)
    provider.faults = {}
    assert walk(Client()).status_code == 302


DEEP = [
    b"[" * 200_000,
    b'{"a":' * 80_000,
    b"1" * 5000,
    b'{"expires_in": 1e999, "id_token": "a.b.c"}',
    b'{"keys": Infinity}',
]


@pytest.mark.parametrize("fault", DEEP, ids=lambda body: body[:12])
@pytest.mark.parametrize("path", [DISCOVERY, "/token", "/keys", "/userinfo"])
def test_json_that_no_reader_takes_is_no_fault_of_the_server(provider, path, fault):
    provider.faults = {path: fault}
    client = Client()
    answer = client.post("/accounts/openid/") if path == DISCOVERY else walk(client)
    assert answer.status_code in {302, 400, 503}
    assert answer.status_code != 302 or path == "/userinfo"


@pytest.mark.parametrize(
    "other",
    [
        {"kty": "EC", "crv": "P-256K", "x": "A" * 43, "y": "A" * 43}, {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}, {"kty": "new"}, {},
        {"kty": "oct", "k": "AA"}, {"kty": "RSA", "n": "!", "e": "AQAB"}, {"kty": ["RSA"]}, {"kty": "OKP", "crv": "Ed25519", "x": "AA"}, 5, None,
    ],
)  # fmt: skip
def test_keys_that_are_of_no_use_here_stand_beside_the_one_that_is(provider, monkeypatch, other):
    own = provider.keys()["keys"]
    monkeypatch.setattr(openid.Provider, "keys", lambda _self: {"keys": [other, *own]})
    assert walk(Client()).status_code == 302


@pytest.mark.parametrize("error", ["invalid_client", "unauthorized_client"])
def test_a_secret_that_is_wrong_or_too_old_is_no_guess_of_the_person(provider, counting, error, monkeypatch):
    monkeypatch.setattr(openid.Provider, "token", lambda *_args: (401, {"error": error}))
    assert {walk(Client()).status_code for _ in range(12)} == {503}


def test_attempts_that_come_to_nothing_do_not_fill_the_cookies(provider):
    client = Client()
    addresses = [went_out(client, next=f"/?{'x' * 900}") for _ in range(12)]
    left = [cookie for name, cookie in client.cookies.items() if name.startswith("openid-") and cookie.value]
    assert len(left) == 5
    assert sum(len(cookie.value) for cookie in left) < 8000
    assert client.get(agreed(addresses[0])).status_code == 400
    assert client.get(agreed(addresses[-2])).status_code == 302


def test_each_cookie_is_one_that_browsers_keep(provider):
    for letter in ("ü", "😀", "x", '"', "\\"):
        client = Client()
        went_out(client, next="/" + letter * 990, invitation=letter * 990)
        assert max(len(cookie.value) for cookie in client.cookies.values()) < 3800


@pytest.mark.parametrize(
    ("known", "origin", "status", "text"),
    [
        ("https://recommend.example.org", "https://recommend.example.org", 200, "On to"), ("https://recommend.example.org", "https://10.0.0.5", 400, "leads back to https://recommend.example.org: open"),
        ("", "https://recommend.example.org", 400, "set PUBLIC_URL"), ("", "http://testserver", 200, "On to"), ("https://recommend.example.org", "null", 200, "On to"),
    ],
)  # fmt: skip
def test_nobody_is_led_out_who_would_come_back_without_the_cookie(provider, settings, known, origin, status, text):
    settings.PUBLIC_URL, settings.CSRF_TRUSTED_ORIGINS = known, [origin]
    answer = Client().post("/accounts/openid/", headers={"Origin": origin})
    assert answer.status_code == status
    assert text in answer.text
