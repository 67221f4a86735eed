"""What opens doors: readable by the server's user alone, encrypted or hashed in the database, with an end and a last use."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from console import settings as source
from console.aws import sigv4
from console.errors import UnrecognizedClientException
from console.models import AccessKey, Member, Token


def manage(folder: Path, *arguments: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "SECRET_KEY"}}
    command = f"umask 022; exec {sys.executable} manage.py {' '.join(arguments)}"
    environment |= {"DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "console.settings"}
    subprocess.run(["sh", "-c", command], cwd=settings.BASE_DIR, env=environment, check=True, timeout=120)


def open_to_others(folder: Path) -> list[str]:
    return [str(path) for path in (folder, *folder.rglob("*")) if stat.S_IMODE(path.stat().st_mode) & 0o077]


def test_an_earlier_versions_secrets_are_encrypted_and_its_files_closed(tmp_path):
    folder = tmp_path / "var"
    manage(folder, "migrate", "console", "0006", "-v", "0")
    database = folder / "console.sqlite3"
    with sqlite3.connect(database) as rows:
        rows.execute("INSERT INTO console_account VALUES (1, '000000000001', 'alice', '2026-01-01')")
        row = (1, "AKIAOLD", "in-clear-text", "2026-01-01")
        rows.execute("INSERT INTO console_accesskey (account_id, key_id, secret, created) VALUES (?, ?, ?, ?)", row)
    assert b"in-clear-text" in b"".join(path.read_bytes() for path in folder.glob("console.sqlite3*"))
    for path in (folder, database):
        path.chmod(path.stat().st_mode | 0o055)
    manage(folder, "migrate", "-v", "0")
    assert b"in-clear-text" not in b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert open_to_others(folder) == []


def test_a_folder_that_is_not_the_servers_own_is_left_open(tmp_path):
    tmp_path.chmod(0o755)
    source.shut(tmp_path)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


def test_the_database_holds_secret_keys_encrypted(account, settings):
    key = AccessKey.issue(account)
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM console_accesskey")
        assert key.secret not in cursor.fetchone()[0]
    assert AccessKey.objects.get().secret == key.secret
    settings.ENCRYPTION_KEY = "another"
    with pytest.raises(UnrecognizedClientException, match="cannot be decrypted"):
        sigv4._key(key.key_id)


def test_a_secret_that_is_yet_to_be_shown_is_encrypted_too(alice):
    alice.post("/settings/access/make/", {"what": "key", "days": ""})
    secret = AccessKey.objects.get().secret
    assert secret not in str([row.get_decoded() for row in Session.objects.all()])
    assert secret in alice.get("/settings/access/").text


def test_keys_expire_also_while_they_are_remembered(account):
    key = AccessKey.issue(account, days=30)
    assert sigv4._key(key.key_id).account == account
    AccessKey.objects.update(expires=timezone.now() - timedelta(seconds=1))
    sigv4._keys.clear()
    with pytest.raises(UnrecognizedClientException, match="expired"):
        sigv4._key(key.key_id)
    with pytest.raises(UnrecognizedClientException, match="expired"):
        sigv4._key(key.key_id)


def test_tokens_expire(account):
    user = User.objects.create(username="alice")
    Member.objects.create(user=user, account=account)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {Token.issue(user, days=1)}")
    assert client.get("/api/v1/recipes/").status_code == 200
    Token.objects.update(expires=timezone.now() - timedelta(seconds=1))
    assert "expired" in client.get("/api/v1/recipes/").json()["message"]


def test_the_page_says_when_each_was_last_used_and_until_when_it_may_be(alice, account):
    alice.post("/settings/access/make/", {"what": "key", "days": "30"}, follow=True)
    assert "never used" in alice.get("/settings/access/").text
    sigv4._key(AccessKey.objects.get().key_id)
    page = alice.get("/settings/access/").text
    assert "last used" in page
    assert "expires" in page
