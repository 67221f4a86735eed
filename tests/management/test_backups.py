"""Backups: whole or refused, consistent whatever goes on meanwhile, and put back only where they fit."""

from __future__ import annotations

import io
import os
import shutil
import sqlite3
import subprocess
import sys
import tarfile

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from console import storage
from console.management import archive, backing_up, database_copies
from console.management.archive import ArchiveError
from console.models import DatasetGroup, Solution, SolutionVersion
from tests.factories import call


def written(manifest=None, **files: bytes) -> bytes:
    """A backup's bytes."""
    stream = io.BytesIO()
    with archive.writing(stream, manifest or {"made": "today"}, compressed=False) as writer:
        for name, content in files.items():
            writer.add(name, io.BytesIO(content), len(content))
    return stream.getvalue()


def members(path) -> dict[str, bytes]:
    """The files of a backup."""
    with tarfile.open(path) as tar:
        return {entry.name: tar.extractfile(entry).read() for entry in tar}


@pytest.fixture
def store(settings, tmp_path):
    """A DATA_DIR of the test's own, so that a backup holds nothing of other tests."""
    settings.DATA_DIR = tmp_path / "data"
    settings.DATA_DIR.mkdir()
    return settings.DATA_DIR


@pytest.fixture
def version(transactional_db, store, account, tmp_path) -> SolutionVersion:
    """A version with a model in the store, as a training leaves it."""
    group = DatasetGroup.objects.create(account=account, name="films")
    solution = Solution.objects.create(
        account=account, name="films", dataset_group=group, recipe="aws-popularity-count"
    )
    publish(tmp_path, "artefacts/first")
    return SolutionVersion.objects.create(
        account=account, solution=solution, identifier="a1", status="ACTIVE", artefact="artefacts/first"
    )


def publish(folder, key: str) -> None:
    """A model in the store."""
    draft = folder / "draft"
    draft.mkdir()
    (draft / "model.safetensors").write_bytes(b"weights")
    storage.publish_folder(draft, key)


def backed_up(tmp_path, *options: str):
    path = tmp_path / "backup.tar"
    call_command("backup", str(path), *options, stdout=io.StringIO(), stderr=io.StringIO())
    return path


def test_it_holds_database_models_data_and_secrets(version, store, tmp_path):
    (store / "secrets").mkdir()
    (store / "secrets" / "encryption_key").write_text("of this server")
    storage.put_file(_file(tmp_path, b"USER_ID\n1\n"), storage.parse_location("s3://shop/users.csv"))
    path = backed_up(tmp_path)
    found = members(path)
    assert f"store/{version.artefact}/model.safetensors" in found
    assert found["buckets/shop/users.csv"] == b"USER_ID\n1\n"
    assert found["secrets/encryption_key"] == b"of this server"
    assert path.stat().st_mode & 0o077 == 0
    assert database_copies.member() in found
    if database_copies.member() == database_copies.SQLITE:
        (tmp_path / "copy.sqlite3").write_bytes(found["database.sqlite3"])
        with sqlite3.connect(tmp_path / "copy.sqlite3") as rows:
            assert rows.execute("SELECT artefact FROM console_solutionversion").fetchone() == (version.artefact,)


def test_secrets_are_left_out_on_request_and_that_is_said(version, store, tmp_path):
    (store / "secrets").mkdir()
    (store / "secrets" / "encryption_key").write_text("of this server")
    said = io.StringIO()
    call_command("backup", str(tmp_path / "b.tar"), "--without-secrets", stdout=io.StringIO(), stderr=said)
    assert "secrets/encryption_key" not in members(tmp_path / "b.tar")
    assert "ENCRYPTION_KEY" in said.getvalue()


@pytest.mark.parametrize("when", ["before the copy of the database", "after it"])
def test_what_is_deleted_meanwhile_is_in_it_as_far_as_its_rows_are(version, tmp_path, monkeypatch, when):
    copy = database_copies.copy_database

    def with_a_deletion(target):
        if when == "after it":
            named = copy(target)
            storage.delete(storage.store(f"{version.artefact}/"))
            return named
        call("DeleteSolution", version.account, solution_arn=version.solution.arn)
        storage.delete(storage.store(f"{version.artefact}/"))
        return copy(target)

    monkeypatch.setattr(database_copies, "copy_database", with_a_deletion)
    with (tmp_path / "backup.tar").open("wb") as file:
        made = backing_up.back_up(file, compressed=False)
    assert made.missing == []
    assert f"store/{version.artefact}/model.safetensors" in members(tmp_path / "backup.tar")


def test_a_model_that_is_published_during_the_copy_is_in_it(version, tmp_path, monkeypatch):
    copy = database_copies.copy_database

    def with_a_training(target):
        publish(tmp_path, "artefacts/new")
        SolutionVersion.objects.update(artefact="artefacts/new")
        return copy(target)

    monkeypatch.setattr(database_copies, "copy_database", with_a_training)
    with (tmp_path / "backup.tar").open("wb") as file:
        made = backing_up.back_up(file, compressed=False)
    assert made.missing == []
    assert "store/artefacts/new/model.safetensors" in members(tmp_path / "backup.tar")


def test_a_damaged_store_is_backed_up_as_it_is_and_told(version, tmp_path):
    storage.delete(storage.store(f"{version.artefact}/"))
    said = io.StringIO()
    call_command("backup", str(tmp_path / "b.tar"), stdout=io.StringIO(), stderr=said)
    assert version.artefact in said.getvalue()


def test_a_backup_that_fails_leaves_no_file(version, store, tmp_path, monkeypatch):
    monkeypatch.setattr(archive.Writer, "add_file", _full)
    with pytest.raises(CommandError, match="No space left"):
        call_command("backup", str(tmp_path / "b.tar"))
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_folder_gets_a_dated_file(version, tmp_path):
    call_command("backup", f"{tmp_path}/nightly/", stdout=io.StringIO(), stderr=io.StringIO())
    (path,) = (tmp_path / "nightly").iterdir()
    assert path.name.startswith("openpersonalize-20")
    assert backing_up.check(path)["database"] in {"sqlite", "postgresql"}


@pytest.mark.parametrize("name", ["backup.zip", "missing/backup.tar"])
def test_a_name_that_cannot_be_written_is_refused(version, tmp_path, name):
    with pytest.raises(CommandError, match=r"no name of a backup|no folder"):
        call_command("backup", str(tmp_path / name))


@pytest.mark.parametrize(
    "target", ["store/", "store/b.tar", "buckets/films/b.tar", "buckets", "linked/b.tar", "run/b.tar"]
)
def test_a_place_that_backups_contain_or_the_server_empties_is_refused(version, store, tmp_path, target):
    data = tmp_path / "data"
    (data / "run").mkdir(parents=True, exist_ok=True)
    (tmp_path / "disk" / "films").mkdir(parents=True)
    (data / "buckets").symlink_to(tmp_path / "disk")
    (data / "linked").symlink_to(data / "store")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(CommandError, match=r"a folder of the server's own.*such as .*backups/"):
        call_command("backup", str(data / target) + ("/" if target.endswith("/") else ""))
    with pytest.raises(CommandError, match="the server's own"):
        call_command("backup", str(tmp_path / "disk" / "films" / "b.tar"))
    assert sorted(tmp_path.rglob("*")) == before
    call_command("backup", str(data / "backups") + "/", stdout=io.StringIO(), stderr=io.StringIO())
    assert len(list((data / "backups").iterdir())) == 1


@pytest.mark.parametrize(
    "damage", ["a bit", "cut", "cut in the last member", "a member more", "not a backup", "another format"]
)
def test_what_is_not_a_whole_backup_is_refused(tmp_path, damage):
    content = written(**{"store/a": b"a" * 5000, "store/b": b"b" * 5000})
    assert archive.read(io.BytesIO(content))["files"].keys() == {"store/a", "store/b"}
    match damage:
        case "a bit":
            content = content.replace(b"aaaa", b"aaab", 1)
        case "cut":
            content = content[:7000]
        case "cut in the last member":
            content = content[: content.index(b'"files"')]
        case "a member more":
            with tarfile.open(fileobj=(stream := io.BytesIO()), mode="w") as tar:
                tar.addfile(tarfile.TarInfo("store/c"), io.BytesIO())
            content = stream.getvalue()[:512] + content
        case "not a backup":
            content = os.urandom(4000)
        case "another format":
            content = written({"format": 99}, a=b"a")
    with pytest.raises(ArchiveError):
        archive.read(io.BytesIO(content), tmp_path)


@pytest.mark.parametrize("name", ["../outside", "/outside", "store/../../outside"])
def test_no_member_leaves_the_folder(tmp_path, name):
    folder = tmp_path / "in"
    folder.mkdir()
    with pytest.raises(ArchiveError, match="would leave"):
        archive.read(io.BytesIO(written(**{name: b"x"})), folder)
    assert list(tmp_path.iterdir()) == [folder]


FIRST = """
from pathlib import Path
from django.conf import settings
from console.models import AccessKey, Account

call_command("migrate", verbosity=0)
key = AccessKey.issue(Account.objects.create(number="000000000001", name="alice"))
part = settings.DATA_DIR / "store" / "parts" / "one"
part.parent.mkdir(parents=True)
part.write_bytes(b"1" * 100)
part.chmod(0o400)
call_command("backup", sys.argv[1])
print(key.secret)
"""
SECOND = """
import fcntl, io
from django.conf import settings
from django.core.management import CommandError
from console.management import archive
from console.models import AccessKey

def refused(*arguments):
    try:
        call_command("restore", *arguments)
    except CommandError as error:
        return str(error)
    return "not refused"

data, path = settings.DATA_DIR, sys.argv[1]
call_command("restore", "--check", path)
assert not (data / "console.sqlite3").exists()
call_command("restore", path)
assert (data / "store" / "parts" / "one").stat().st_mode & 0o777 == 0o400
assert "--replace" in refused(path)
(data / "store" / "parts" / "two").write_bytes(b"2")
call_command("restore", "--replace", path)
(kept,) = data.glob("before-restore-*")
assert [item.name for item in (data / "store" / "parts").iterdir()] == ["one"]
assert (kept / "store" / "parts" / "two").read_bytes() == b"2"
assert (kept / "console.sqlite3").exists()
with (data / "run" / "serve.lock").open("a") as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
    assert "stop it first" in refused("--replace", path)
newer = path + ".newer.tar"
with open(newer, "wb") as file, archive.writing(
    file, {"made": "later", "database": "sqlite", "migrations": ["9999_later"]}, compressed=False
) as writer:
    writer.add("database.sqlite3", io.BytesIO(b""), 0)
assert "newer release" in refused("--replace", newer)
settings.ENCRYPTION_KEY = (data / "secrets" / "encryption_key").read_text()  # as the next process reads it
print(AccessKey.objects.get().secret)
"""


def run(folder, script: str, path) -> str:
    """Run a script in a process whose server has its own folder; the last line that it prints."""
    variables = {"DATA_DIR": str(folder), "DATABASE_URL": "", "DJANGO_SETTINGS_MODULE": "console.settings"}
    start = "import sys, django; django.setup(); from django.core.management import call_command"
    command = [sys.executable, "-c", f"{start}\n{script}", str(path)]
    done = subprocess.run(
        command, cwd=settings.BASE_DIR, env=os.environ | variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


def test_the_way_back(tmp_path):
    """From one folder to another, over one that is in use, and never under a server or into an older release."""
    path = tmp_path / "b.tar.gz"
    secret = run(tmp_path / "first", FIRST, path)
    shutil.rmtree(tmp_path / "first")
    assert run(tmp_path / "second", SECOND, path) == secret


def _file(folder, content: bytes):
    path = folder / "file"
    path.write_bytes(content)
    return path


def _full(*_args, **_kwargs):
    raise OSError(28, "No space left on device")
