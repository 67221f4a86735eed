"""A provider that the server signs in by, people who walk through it, and a device with a passkey."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import pytest
import redis
from django.core.cache import cache
from django.test import Client

from console.web.account import provider as client_side
from console.web.account.sign_in import tries_key
from tests import openid
from tests.web.account.authenticator import Authenticator, added

PASSWORD = "a-long-new-password"


def link(text: str) -> str:
    """The path of the link that a page or a letter shows."""
    found = re.search(r"http://[^/\s]+(/accounts/[^\s<\"]+)", text)
    assert found, text
    return found[1]


def invited(owner: Client, role: str = "editor", email: str = "") -> str:
    return link(owner.post("/settings/people/", {"role": role, "email": email}, follow=True).text)


def accepted(path: str, name: str = "bob") -> Client:
    client = Client()
    answer = client.post(path, {"username": name, "password": PASSWORD})
    assert answer.status_code == 302, answer.text
    return client


@pytest.fixture
def provider(settings) -> Iterator[openid.Provider]:
    """A provider, and the server set to it: only who was invited or linked an identity comes in."""
    with openid.provider() as found:
        settings.OIDC_ISSUER, settings.OIDC_NAME = found.issuer, "Example ID"
        settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = openid.CLIENT_ID, openid.CLIENT_SECRET
        client_side._app_of.cache.clear()
        yield found
        client_side._app_of.cache.clear()


@pytest.fixture
def device(alice) -> Authenticator:
    """Alice's phone, which has her passkey."""
    made = Authenticator()
    assert added(alice, made).status_code == 200
    return made


def went_out(client: Client, path: str = "/accounts/openid/", **form: str) -> str:
    """The address at the provider that a form leads to."""
    answer = client.post(path, form)
    assert answer.status_code == 200, answer.text
    return answer["Refresh"].removeprefix("0; url=")


def agreed(address: str) -> str:
    """The way back, as the provider's page offers it."""
    with urlopen(address) as page:
        found = re.search('href="([^"]+)"', page.read().decode())
    assert found
    place = urlsplit(html.unescape(found[1]))
    return f"{place.path}?{place.query}"


def walk(client: Client, path: str = "/accounts/openid/", **form: str) -> Any:
    """Out to the provider and back; the answer to that."""
    return client.get(agreed(went_out(client, path, **form)))


def query(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


@pytest.fixture(autouse=True)
def _tries_of_other_tests_do_not_count() -> None:
    """Where tests share a broker, it has counted the wrong passwords of every Alice."""
    names = (("", "alice"), *(("127.0.0.1", name) for name in ("alice", "passkeys", "openid:")))
    with suppress(redis.RedisError):
        cache.delete_many(tries_key(*each) for each in names)
