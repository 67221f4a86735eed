"""The management commands: what they print is what scripts read."""

from __future__ import annotations

import io
import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command, get_commands, load_command_class

from console.configuration.document import Document
from console.management import people
from console.management.command_line import WITH_ANY_DATABASE, CommandLine
from console.models import AccessKey, Account, DatasetGroup, Member, Token
from tests.configuration.answers import hosted_answers


def _output(*arguments: str) -> dict[str, str]:
    text = io.StringIO()
    call_command(*arguments, stdout=text)
    answer: dict[str, str] = json.loads(text.getvalue())
    return answer


@pytest.mark.django_db
def test_create_access_key_makes_the_account_if_need_be():
    answer = _output("create_access_key", "--account", "alice")
    key = AccessKey.objects.get(key_id=answer["aws_access_key_id"])
    assert (key.account.name, key.secret) == ("alice", answer["aws_secret_access_key"])
    assert len(key.account.number) == 12


@pytest.mark.django_db
def test_a_new_account_may_choose_its_number():
    answer = _output("create_access_key", "--account", "alice", "--number", "123456789012")
    assert AccessKey.objects.get(key_id=answer["aws_access_key_id"]).account.number == "123456789012"
    assert _output("create_access_key", "--account", "alice", "--number", "123456789012")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("account", "number", "why"),
    [
        ("bob", "123456789012", "another account's"),
        ("alice", "000000000009", "cannot be changed"),
        ("bob", "12345", "12 digits"),
        ("bob", "²23456789012", "12 digits"),
    ],
)
def test_a_number_that_cannot_be_had_is_refused(account, number, why):
    _output("create_access_key", "--account", "alice", "--number", "123456789012")
    with pytest.raises(CommandError, match=why):
        _output("create_access_key", "--account", account, "--number", number)


@pytest.mark.django_db
def test_create_token_prints_what_is_stored_only_as_a_hash():
    token = _output("create_token", "--user", "bob")["token"]
    assert Token.objects.get().digest == Token.hash(token)
    assert token not in str(Token.objects.values())


@pytest.mark.django_db
def test_create_token_says_so_where_it_makes_the_person():
    told = io.StringIO()
    call_command("create_token", "--user", "bob", stdout=io.StringIO(), stderr=told)
    assert told.getvalue() == "bob is new: made without a password, as owner of the account default.\n"
    told = io.StringIO()
    call_command("create_token", "--user", "bob", stdout=io.StringIO(), stderr=told)
    assert told.getvalue() == ""


@pytest.mark.django_db
@pytest.mark.parametrize("days", ["3000000", "36501", "0", "-4"])
@pytest.mark.parametrize("command", [["create_token", "--user", "bob"], ["create_access_key", "--account", "alice"]])
def test_days_that_end_at_once_or_beyond_all_dates_are_refused_before_anything_is_made(
    command, days, django_user_model
):
    with pytest.raises(CommandError, match=rf"--days is {days}, allowed are 1 to 36500"):
        _output(*command, f"--days={days}")
    assert not django_user_model.objects.exists()
    assert not Account.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["", " ", "bob ", "bob\n", "b\0b", "b\udcffb", "b" * 151])
@pytest.mark.parametrize("command", [["create_token", "--user"], ["create_user"], ["create_access_key", "--account"]])
def test_names_that_nobody_can_read_are_refused_before_anything_is_made(command, name, django_user_model):
    with pytest.raises(CommandError, match=r"The name of the (person|account) is .*printable characters"):
        _output(*command, name)
    assert not django_user_model.objects.exists()
    assert not Account.objects.exists()


@pytest.mark.django_db
def test_create_user_makes_an_owner_and_gives_a_new_password_each_time(django_user_model):
    first = _output("create_user", "bob", "--account", "alice")
    second = _output("create_user", "bob", "--account", "alice")
    user = django_user_model.objects.get()
    assert first["password"] != second["password"]
    assert user.check_password(second["password"])
    assert (user.member.account.name, user.member.role, second["role"]) == ("alice", "owner", "owner")


@pytest.mark.django_db
def test_create_user_gives_a_role_and_keeps_it_where_none_is_named():
    _output("create_user", "alice")
    assert _output("create_user", "bob", "--role", "viewer")["role"] == "viewer"
    assert _output("create_user", "bob")["role"] == "viewer"
    assert _output("create_user", "bob", "--role", "admin")["role"] == "owner"
    assert _output("create_user", "alice", "--role", "editor")["role"] == "editor"
    assert sorted(Member.objects.values_list("user__username", "role")) == [("alice", "editor"), ("bob", "owner")]


@pytest.mark.django_db
@pytest.mark.parametrize("arguments", [[], ["--account", "charlie"], ["--account", "charlie", "--role", "viewer"]])
def test_create_user_moves_nobody_into_another_account(arguments, django_user_model):
    first = _output("create_user", "anna", "--account", "alice")
    with pytest.raises(CommandError, match=r"anna is in the account alice .* write --account alice for a new password"):
        _output("create_user", "anna", *arguments)
    user = django_user_model.objects.get()
    assert (user.member.account.name, user.member.role) == ("alice", "owner")
    assert user.check_password(first["password"])
    assert [account.name for account in Account.objects.all()] == ["alice"]


@pytest.mark.django_db
def test_create_user_leaves_an_account_its_only_owner(django_user_model):
    first = _output("create_user", "anna")
    _output("create_user", "vera", "--role", "viewer")
    with pytest.raises(CommandError, match="anna is the account's only owner; make somebody else an owner first"):
        _output("create_user", "anna", "--role", "viewer")
    anna = django_user_model.objects.get(username="anna")
    assert anna.member.role == "owner"
    assert anna.check_password(first["password"])


MAKE_ACCOUNTS = {"apply", "create_access_key", "create_user", "load_sample"}
READ_ACCOUNTS = {
    "export": [],
    "hold_location": ["s3://shop/"],
    "import_aws": ["answers.json"],
    "plan": ["document.yaml"],
}


def _that_take_an_account() -> set[str]:
    names = [name for name, app in get_commands().items() if app == "console"]
    parsers = {name: load_command_class("console", name).create_parser("manage.py", name) for name in names}
    return {name for name, parser in parsers.items() if "--account" in parser.format_help()}


def test_every_command_that_takes_an_account_is_known_to_make_it_or_not():
    assert _that_take_an_account() == MAKE_ACCOUNTS | set(READ_ACCOUNTS)


@pytest.mark.django_db
@pytest.mark.parametrize("command", sorted(READ_ACCOUNTS))
def test_commands_that_make_no_account_leave_none_and_say_that_there_is_none(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "document.yaml").write_text(Document({"datasetGroups": [{"name": "shop"}]}).to_yaml())
    (tmp_path / "answers.json").write_text(json.dumps(hosted_answers()))
    told = io.StringIO()
    try:
        call_command(command, *READ_ACCOUNTS[command], "--account", "nobody", stdout=told)
    except CommandError as error:
        told.write(str(error))
    assert "There is no account nobody" in told.getvalue()
    assert ("+ datasetGroup shop" in told.getvalue()) is (command in {"plan", "import_aws"})
    assert not Account.objects.exists()


@pytest.mark.django_db
def test_apply_makes_the_account_only_where_the_plan_can_be_carried_out(tmp_path):
    path = tmp_path / "document.yaml"
    path.write_text(Document({"filters": [{"name": "f", "datasetGroup": "shop", "filterExpression": "x"}]}).to_yaml())
    with pytest.raises(CommandError, match="names the datasetGroup shop, which is neither"):
        call_command("apply", str(path), "--account", "alice", stdout=io.StringIO())
    assert not Account.objects.exists()
    path.write_text(Document({"datasetGroups": [{"name": "shop"}]}).to_yaml())
    for told in ("There is no account alice yet; applying makes it.", "Nothing to do."):
        call_command("apply", str(path), "--account", "alice", stdout=(out := io.StringIO()))
        assert out.getvalue().startswith(told)
    assert DatasetGroup.objects.get().account.name == "alice"


@pytest.mark.parametrize(
    "arguments",
    [
        ["create_access_key"],
        ["create_token", "--user", "bob"],
        ["create_user", "bob"],
        ["load_sample", "movielens-100k"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_command_before_the_first_start_says_to_start_the_server(tmp_path, arguments):
    variables = {"DATA_DIR": str(tmp_path), "DATABASE_URL": "", "DJANGO_SETTINGS_MODULE": "console.settings"}
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(
        command, cwd=settings.BASE_DIR, env=os.environ | variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert f"{tmp_path / 'console.sqlite3'} has no tables yet. Start the server once" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "begin"), [(["create_user", "bob"], "IMMEDIATE"), (["backup", "."], "EXCLUSIVE")]
)
def test_a_command_that_meets_a_passing_fault_says_so_in_a_line(tmp_path, arguments, begin):
    variables = {"DATA_DIR": str(tmp_path), "DATABASE_URL": "", "DJANGO_SETTINGS_MODULE": "console.settings"}
    variables |= {"SOCKET_TIMEOUT_S": "0.1", "SECRET_KEY": "s" * 50, "ENCRYPTION_KEY": "e" * 50}

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(settings.BASE_DIR / "manage.py"), *words]
        return subprocess.run(
            command, cwd=tmp_path, env=os.environ | variables, capture_output=True, text=True, check=False
        )

    assert run("migrate").returncode == 0
    with closing(sqlite3.connect(tmp_path / "console.sqlite3", isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode=DELETE")
        other.execute(f"BEGIN {begin}")
        done = run(*arguments)
    assert done.returncode == 1
    assert done.stderr == "The database is busy. Try again when that is over; --traceback says more.\n"


def _run_on_a_newer_releases_database(folder, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command where a newer release was; the database is as it was afterwards."""
    variables = {"DATA_DIR": str(folder), "DATABASE_URL": "", "DJANGO_SETTINGS_MODULE": "console.settings", "PORT": "0"}
    with closing(sqlite3.connect(folder / "console.sqlite3")) as database:
        database.execute("CREATE TABLE django_migrations (id integer PRIMARY KEY, app text, name text, applied text)")
        database.execute("INSERT INTO django_migrations VALUES (1, 'console', '9999_future', '2099-01-01')")
        database.commit()
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(
        command,
        cwd=settings.BASE_DIR,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    with closing(sqlite3.connect(folder / "console.sqlite3")) as database:
        assert database.execute("SELECT count(*) FROM sqlite_master WHERE type = 'table'").fetchone() == (1,)
    assert "Traceback" not in done.stderr
    return done


@pytest.mark.parametrize(
    "arguments", [["serve"], ["create_user", "bob"], ["migrate"], ["changepassword", "bob"]], ids=lambda words: words[0]
)
def test_a_command_refuses_a_newer_releases_database(tmp_path, arguments):
    done = _run_on_a_newer_releases_database(tmp_path, *arguments)
    assert done.returncode == 1
    assert "was made by a newer release (it has the migration 9999_future). Install that release" in done.stderr


@pytest.mark.parametrize("arguments", [["help"], ["create_user", "--help"], ["help", "create_user"]], ids=" ".join)
def test_help_is_given_whatever_the_database_is(tmp_path, arguments):
    done = _run_on_a_newer_releases_database(tmp_path, *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert "create_user" in done.stdout


def test_doctor_says_that_a_newer_release_made_the_database(tmp_path):
    done = _run_on_a_newer_releases_database(tmp_path, "doctor")
    assert done.returncode == 1
    assert "the database was made by a newer release (9999_future)" in done.stdout


def test_what_needs_no_database_is_a_command():
    assert set(get_commands()) >= WITH_ANY_DATABASE


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(get_commands()))
def test_every_command_looks_whose_the_database_is_or_is_known_to_need_none(name, monkeypatch):
    monkeypatch.setattr("console.management.releases.unknown_migrations", lambda: ["9999_future"])
    command = CommandLine(["manage.py", name]).fetch_command(name)
    if name in WITH_ANY_DATABASE:
        assert "execute" not in vars(command)
        return
    with pytest.raises(CommandError, match="newer release"):
        command.execute()


@pytest.mark.django_db
def test_the_first_person_is_made_once():
    assert people.ensure_first_person() is not None
    assert people.ensure_first_person() is None


@pytest.mark.django_db
def test_demo_credentials_are_for_their_owner_alone_and_kept(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    first = people.write_demo_credentials("http://127.0.0.1:1")
    second = people.write_demo_credentials("http://127.0.0.1:2")
    assert first | {"url": ""} == second | {"url": ""}
    assert second["url"] == "http://127.0.0.1:2"
    assert (tmp_path / "demo-credentials.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.django_db
def test_load_sample_names_the_samples_there_are():
    with pytest.raises(CommandError, match="streaming-demo"):
        call_command("load_sample", "books")
