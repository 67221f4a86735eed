"""`doctor` finds each fault that is inflicted, says it in words with a remedy, and its status tells scripts."""

from __future__ import annotations

import json
import socket
import threading
from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from console import storage
from console.management import examination
from console.management.examination import Level, examine
from console.models import AccessKey, AuditEntry, SampleLoad, SolutionVersion, TwoStep
from tests.factories import call, trained
from tests.web.account.conftest import provider  # noqa: F401  a fixture
from tests.worlds import films


@pytest.fixture(autouse=True)
def _own_folder(settings, tmp_path, monkeypatch):
    settings.DATA_DIR = tmp_path
    tmp_path.chmod(0o700)
    monkeypatch.setattr(examination, "WORKER_PATIENCE_S", 0.1)


def bad(part: str) -> list[str]:
    """What is wrong with a part."""
    return [f"{one.text} {one.remedy}" for one in examination.EXAMINATIONS[part]() if one.level is Level.BAD]


@pytest.fixture
def campaign(account, run_jobs) -> SolutionVersion:
    arn = trained(account, run_jobs, films(account), "aws-popularity-count")
    call("CreateCampaign", account, name="c", solution_version_arn=arn)
    return SolutionVersion.objects.get()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "part", ["settings", "folder", "secrets", "database", "migrations", "clock", "store", "models", "jobs"]
)
def test_a_healthy_part_is_well(part):
    assert [one.level for one in examination.EXAMINATIONS[part]()] == [Level.WELL]


def test_a_damaged_model_and_a_missing_one_are_named(campaign):
    path = storage.local_folder(campaign.artefact) / "model.safetensors"
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1])
    assert "campaign/c" in bad("models")[0]
    storage.delete(storage.store(f"{campaign.artefact}/"))
    assert "campaign/c" in bad("models")[0]
    assert campaign.artefact in bad("store")[0]


def test_a_secret_that_cannot_be_decrypted_and_a_short_one_are_found(account, settings):
    key = AccessKey.issue(account)
    TwoStep.objects.create(user=User.objects.create(username="bob"), secret="A" * 32, is_confirmed=True)
    settings.ENCRYPTION_KEY = "short"
    short, lost, unread = bad("secrets")
    assert "ENCRYPTION_KEY is shorter" in short
    assert key.key_id in lost
    assert "second step of 1 people cannot be decrypted, such as that of bob" in unread


def test_files_that_others_can_read_are_found(settings):
    secrets = settings.DATA_DIR / "secrets"
    secrets.mkdir()
    (secrets / "secret_key").write_text("x")
    (secrets / "secret_key").chmod(0o644)
    assert "secret_key can be read by other users" in bad("folder")[0]
    (secrets / "secret_key").chmod(0o600)
    settings.DATA_DIR.chmod(0o755)
    assert "can be read by other users" in bad("folder")[0]


@pytest.mark.django_db
def test_a_disk_that_is_nearly_full_is_found(settings):
    settings.DISK_WARNING_PERCENT = 100
    assert "GB of" in bad("disk")[0]


def test_a_clock_that_was_set_back_is_found(account):
    AuditEntry.objects.create(
        account=account, actor="a", door="api", operation="X", arn="", time=timezone.now() + timedelta(hours=2)
    )
    assert "set back" in bad("clock")[0]


def test_jobs_that_nobody_takes_up_are_found(account):
    SampleLoad.objects.create(account=account, name="movielens-100k")
    SampleLoad.objects.update(updated=timezone.now() - timedelta(minutes=9))
    assert "wait for more than five minutes" in bad("jobs")[0]


@pytest.mark.django_db
def test_tables_of_another_release_are_found():
    recorder = MigrationRecorder(connection)
    recorder.record_applied("console", "9999_later")
    assert "newer release" in bad("migrations")[0]
    recorder.record_unapplied("console", "9999_later")
    newest = max(name for app, name in recorder.applied_migrations() if app == "console")
    recorder.record_unapplied("console", newest)
    assert "to be made" in bad("migrations")[0]


@pytest.mark.django_db
def test_a_broker_and_workers_that_are_away_are_found(settings, tmp_path):
    settings.REDIS_URL = f"unix://{tmp_path}/nobody.sock"
    assert "does not answer" in bad("broker")[0]
    assert "no worker answers" in bad("workers")[0]


def test_a_port_of_nobody_and_of_another_program_are_told_apart(settings):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        settings.HOST, settings.PORT = probe.getsockname()
        assert "nothing listens" in bad("port")[0]
        probe.listen()
        threading.Thread(target=_hang_up, args=(probe,), daemon=True).start()
        assert "another program" in bad("port")[0]


def _hang_up(listener: socket.socket) -> None:
    for _ in range(2):
        listener.accept()[0].close()


@pytest.mark.django_db
def test_a_part_that_fails_does_not_end_the_others(settings, tmp_path):
    settings.DATA_DIR = tmp_path / "gone"
    found = list(examine())
    assert {part for part, _ in found} == examination.EXAMINATIONS.keys()
    assert "FileNotFoundError" in next(one.text for part, one in found if part == "folder")


@pytest.mark.django_db
def test_the_command_says_what_to_do_and_its_status_tells(settings):
    settings.ENCRYPTION_KEY = "short"
    said = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("doctor", stdout=said)
    assert ended.value.code == 1
    assert "BAD   secrets     ENCRYPTION_KEY is shorter" in said.getvalue()
    assert "→ Take a longer random text." in said.getvalue()
    said = StringIO()
    with pytest.raises(SystemExit):
        call_command("doctor", "--json", stdout=said)
    assert {"part", "level", "text", "remedy"} == json.loads(said.getvalue())[0].keys()


def test_a_provider_that_is_away_and_an_account_that_is_not_there_are_told(db, settings, provider):  # noqa: F811
    assert [one.text for one in examination.EXAMINATIONS["sign-in"]()] == [f"{provider.issuer} answers"]
    settings.OIDC_ACCOUNT = "nowhere"
    assert "OIDC_ACCOUNT names nowhere" in bad("sign-in")[0]
    settings.OIDC_ISSUER = "http://127.0.0.1:9"
    found = [one.text for part, one in examine() if part == "sign-in" and one.level is Level.BAD]
    assert "does not answer as it should" in found[1]
