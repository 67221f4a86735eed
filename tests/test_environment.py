"""Settings from the environment: what means nothing is refused in a sentence, what files of variables leave around values is not read."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import pytest

from console import checks

SETTINGS = Path(__file__).resolve().parents[1] / "console" / "settings.py"
NAMES = {
    name: reader
    for reader, name in re.findall(r'\b(whole|number|flag|choice)\(\s*"([A-Z_0-9]+)"', SETTINGS.read_text())
}
WRONG = {
    "whole": ["x", "1.5", "-1", "4GiB", "²", "1e3", "9" * 30],
    "number": ["x", "nan", "inf", "-4"],
    "flag": ["maybe", "2"],
    "choice": ["foo"],
}
URLS = [
    "mysql://u:topsecret@host/db", "postgresql://u:topsecret@host:99999/db", "postgresql://u:topsecret@host/db?schema=public", "nothing", "sqlite:",
    "postgresql://u:topsecret?x@host/db",
]  # fmt: skip


@pytest.fixture
def read(monkeypatch, tmp_path):
    """The settings with some variables."""
    monkeypatch.setenv("DATA_DIR", str(tmp_path))

    def read(**variables: str) -> dict[str, Any]:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(SETTINGS))

    return read


@pytest.mark.parametrize("name", NAMES)
def test_what_means_nothing_is_refused_by_name(read, name):
    for value in WRONG[NAMES[name]]:
        with pytest.raises(SystemExit) as refused:
            read(**{name: value})
        assert f"{name} is {value!r}; allowed are " in str(refused.value)


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_variable_is_none(read, monkeypatch, name):
    monkeypatch.delenv(name, raising=False)
    usual = read()
    found = read(**{name: ' "" '})
    same = {key for key, value in usual.items() if key.isupper() and value == found[key]}
    assert {key for key in usual if key.isupper()} == same


@pytest.mark.parametrize("url", URLS)
def test_a_database_that_cannot_be_is_refused_without_its_password(read, url):
    with pytest.raises(SystemExit) as refused:
        read(DATABASE_URL=url)
    assert "DATABASE_URL is " in str(refused.value)
    assert "topsecret" not in str(refused.value)


def test_how_the_database_is_reached_goes_to_its_client(read):
    url = "postgresql://u:p%3F%25%2F@host:5433/a%20b?sslmode=verify-full&sslrootcert=/etc/ca.pem&connect_timeout=7"
    found = read(DATABASE_URL=url)["DATABASES"]["default"]
    assert (found["USER"], found["PASSWORD"], found["HOST"], found["PORT"], found["NAME"]) == (
        "u", "p?%/", "host", 5433, "a b",
    )  # fmt: skip
    assert (
        found["OPTIONS"] | {"sslmode": "verify-full", "sslrootcert": "/etc/ca.pem", "connect_timeout": "7"}
        == (found["OPTIONS"])
    )
    found = read(DATABASE_URL="postgresql:///x?options=-c%20work_mem%3D8MB")["DATABASES"]["default"]["OPTIONS"][
        "options"
    ]
    assert found.startswith("-c lock_timeout=")
    assert found.endswith(" -c work_mem=8MB")
    assert read(DATABASE_URL="postgresql:///x?host=/run/pg")["DATABASES"]["default"]["HOST"] == "/run/pg"


def test_what_files_of_variables_leave_is_not_read(read):
    found = read(
        HOST="", BEHIND_HTTPS='"1"', PORT="'8201'", ALLOWED_HOSTS=" a.example, b.example ,", LOG_LEVEL="debug", WORKERS=" 2 "
    )  # fmt: skip
    assert (found["HOST"], found["PORT"], found["WORKERS"]) == ("127.0.0.1", 8201, 2)
    assert found["ALLOWED_HOSTS"] == ["a.example", "b.example"]
    assert found["SESSION_COOKIE_SECURE"] is True
    assert found["LOGGING"]["root"]["level"] == "DEBUG"


def test_a_broker_behind_a_socket_is_found_by_pages_and_by_celery(read):
    found = read(REDIS_URL="unix:///run/redis.sock?db=3")
    assert found["REDIS_URL"] == found["CACHES"]["default"]["LOCATION"] == "unix:///run/redis.sock?db=3"
    assert found["CELERY_BROKER_URL"] == "redis+socket:///run/redis.sock?db=3"


def test_a_secret_is_what_its_file_holds_but_for_the_end_of_the_line(read, tmp_path, monkeypatch):
    monkeypatch.delenv("ENCRYPTION_KEY", raising=False)
    made = read()["ENCRYPTION_KEY"]
    file = tmp_path / "secrets" / "encryption_key"
    assert file.read_text() == made != ""
    file.write_text(f"{made}\n")
    assert read()["ENCRYPTION_KEY"] == made
    file.write_text("")
    with pytest.raises(SystemExit, match="encryption_key is empty"):
        read()


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_a_folder_of_data_is_no_file(read, tmp_path, place):
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit, match="DATA_DIR is "):
        read(DATA_DIR=str(tmp_path / place))


OPENID = {"OIDC_ISSUER": "https://id.example.org/", "OIDC_CLIENT_ID": "console"}
HALF = [
    ({"OIDC_ISSUER": "https://id.example.org"}, "OIDC_CLIENT_ID is missing"),
    ({"OIDC_CLIENT_ID": "console"}, "OIDC_ISSUER is missing"),
    ({"OIDC_CLIENT_SECRET": "topsecret"}, "OIDC_CLIENT_SECRET is set without OIDC_ISSUER"),
    ({"OIDC_ONLY": "yes"}, "OIDC_ONLY is set without OIDC_ISSUER"),
    (OPENID | {"OIDC_ISSUER": "http://id.example.org"}, "OIDC_ISSUER is 'http://id.example.org'"),
    (OPENID | {"OIDC_ISSUER": "id.example.org"}, "OIDC_ISSUER is 'id.example.org'"),
    (OPENID | {"OIDC_ISSUER": "http://[x"}, "OIDC_ISSUER is 'http://[x'"),
    (OPENID | {"OIDC_ISSUER": "https://id.example.org?x=1"}, "OIDC_ISSUER is 'https://id.example.org?x=1'"),
    (
        OPENID | {"OIDC_ISSUER": "https://id.example.org/.well-known/openid-configuration"},
        "OIDC_ISSUER is 'https://id.example.org/.well-known/openid-configuration'",
    ),
    (OPENID | {"OIDC_SCOPES": "email"}, "OIDC_SCOPES is 'email'"),
    (OPENID | {"OIDC_ACCOUNT": "default"}, "OIDC_ROLE is missing"),
    (OPENID | {"OIDC_ROLE": "viewer"}, "OIDC_ACCOUNT is missing"),
    (OPENID | {"OIDC_ROLES": "a:viewer"}, "OIDC_ACCOUNT is missing"),
    (OPENID | {"OIDC_ACCOUNT": "default", "OIDC_ROLE": "king"}, "OIDC_ROLE is 'king'"),
    (OPENID | {"OIDC_ACCOUNT": "default", "OIDC_ROLES": "a:king"}, "OIDC_ROLES holds 'a:king'"),
    (OPENID | {"OIDC_ACCOUNT": "default", "OIDC_ROLES": "viewer"}, "OIDC_ROLES holds 'viewer'"),
    (OPENID | {"OIDC_ACCOUNT": "d", "OIDC_ROLES": "a:viewer", "OIDC_ROLE": "viewer"}, "both set"),
]  # fmt: skip
WHOLE = [
    {}, OPENID, OPENID | {"OIDC_ISSUER": "http://127.0.0.1:8080/realms/x"}, OPENID | {"OIDC_ISSUER": "http://localhost"},
    OPENID | {"OIDC_ACCOUNT": "default", "OIDC_ROLE": "viewer", "OIDC_ONLY": "yes", "OIDC_CLIENT_SECRET": "topsecret"},
    OPENID | {"OIDC_ACCOUNT": "default", "OIDC_ROLES": "a:viewer, b:c:owner"},
]  # fmt: skip


def mistakes(read, settings, variables: dict[str, str]) -> str:
    """What the system checks say about some variables of OpenID Connect."""
    for name, value in read(**variables).items():
        if name.startswith("OIDC_"):
            setattr(settings, name, value)
    return " ".join(found.msg for found in checks.variables() if found.id == "console.E010")


@pytest.mark.parametrize(("variables", "sentence"), HALF)
def test_a_provider_that_is_set_by_half_is_refused_by_name(read, settings, variables, sentence):
    found = mistakes(read, settings, variables)
    assert sentence in found
    assert "topsecret" not in found


@pytest.mark.parametrize("variables", WHOLE)
def test_a_provider_that_is_set_is_taken(read, settings, variables):
    assert mistakes(read, settings, variables) == ""
