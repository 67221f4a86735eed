"""What `manage.py doctor` looks at: each part tells in plain words how it is, and what to do where it is not well."""

from __future__ import annotations

import json
import os
import socket
import stat
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from urllib.error import URLError

import redis
from celery import current_app
from django.conf import settings
from django.core import checks
from django.db import DatabaseError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError

from console import health, storage
from console.disk import disk
from console.errors import JobError, ServiceError, UnavailableError
from console.management.database_copies import named_keys
from console.management.releases import unknown_migrations
from console.models import JOBS, AccessKey, Account, AuditEntry, Campaign, Event, Recommender, TwoStep
from console.web.account import provider
from recipes import integrity

WAITS_LONG = timedelta(minutes=5)
FUTURE = timedelta(minutes=2)
WORKER_PATIENCE_S = 2.0
SHORTEST_SECRET = 32


class Level(StrEnum):
    """How bad a finding is."""

    WELL = "ok"
    NOTE = "note"
    BAD = "BAD"


@dataclass(frozen=True)
class Finding:
    """What was found about one part, and what to do about it."""

    level: Level
    text: str
    remedy: str = ""


Examination = Callable[[], Iterator[Finding]]


def well(text: str) -> Finding:
    """All is as it should be."""
    return Finding(Level.WELL, text)


def note(text: str, remedy: str) -> Finding:
    """Worth knowing; nothing fails for it yet."""
    return Finding(Level.NOTE, text, remedy)


def bad(text: str, remedy: str) -> Finding:
    """Something does not work."""
    return Finding(Level.BAD, text, remedy)


def _settings() -> Iterator[Finding]:
    found = [entry for entry in checks.run_checks() if entry.level >= checks.WARNING]
    for entry in found:
        yield bad(entry.msg, entry.hint or "Change the environment variable and start again.")
    if not found:
        yield well("every environment variable can be used")


def _disk() -> Iterator[Finding]:
    left = disk()
    free, total = (filesizeformat(size).replace("\N{NO-BREAK SPACE}", " ") for size in (left.free, left.total))
    text = f"{free} of {total} are free where DATA_DIR is"
    remedy = "Delete old versions, lower KEEP_VERSIONS, or make the disk larger."
    yield bad(text, remedy) if left.is_short else well(text)


def _folder() -> Iterator[Finding]:
    folder: Path = settings.DATA_DIR
    mode = stat.S_IMODE(folder.stat().st_mode)
    open_files = [path for path in (folder / "secrets").glob("*") if stat.S_IMODE(path.stat().st_mode) & 0o077]
    if mode & 0o077 or open_files:
        shown = open_files[0] if open_files else folder
        yield bad(f"{shown} can be read by other users of this machine", f"chmod -R go-rwx {folder}")
    if not os.access(folder, os.W_OK | os.X_OK):
        yield bad(f"{folder} cannot be written to by user {os.geteuid()}", "Run as its owner, or give it to this user.")
    elif folder.stat().st_uid != os.geteuid():
        yield note(f"{folder} belongs to user {folder.stat().st_uid}, this is user {os.geteuid()}", "Run as its owner.")
    else:
        yield well(f"{folder} is this user's and can be written to")


def _database() -> Iterator[Finding]:
    where = connection.settings_dict["NAME"]
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA quick_check(1)")
            (result,) = cursor.fetchone()
            if result != "ok":
                yield bad(f"{where} is damaged: {result}", "Stop the server and restore the newest backup.")
                return
    with transaction.atomic():
        if Account._meta.db_table in connection.introspection.table_names():
            Account.objects.filter(pk=-1).update(name="")  # takes the lock of a writer and changes nothing
    yield well(f"{where} ({connection.vendor}) can be read and written to")


def _migrations() -> Iterator[Finding]:
    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if unknown := unknown_migrations():
        yield bad(
            f"the database was made by a newer release ({unknown[-1]})", "Install that release, or restore a backup."
        )
    elif waiting:
        yield bad(f"{len(waiting)} changes of the tables are to be made", "Start the server, or run manage.py migrate.")
    else:
        yield well("the tables are those of this release")


def _broker() -> Iterator[Finding]:
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2) as client:
            client.ping()
    except redis.RedisError as error:
        own = "Start the server, which starts its own broker." if not settings.HAS_BROKER else "Check REDIS_URL."
        yield bad(f"{settings.REDIS_URL.rpartition('@')[2]} does not answer: {error}", own)
    else:
        yield well("answers")


def _workers() -> Iterator[Finding]:
    try:
        answers = current_app.control.ping(timeout=WORKER_PATIENCE_S) or []
    except (OSError, redis.RedisError, BrokerError):
        answers = []
    beating = sum(
        model.objects.filter(heartbeat__gte=timezone.now() - timedelta(seconds=15)).count() for model in JOBS.values()
    )
    if answers or beating:
        yield well(f"{max(len(answers), 1)} at work, {beating} jobs run")
    else:
        yield bad("no worker answers", "Start the server; its output says why a worker ended.")


def _jobs() -> Iterator[Finding]:
    since = timezone.now() - WAITS_LONG
    waiting = sum(model.objects.filter(status=model.waiting, updated__lt=since).count() for model in JOBS.values())
    failed = sum(
        model.objects.filter(status=model.failed, finished__gte=timezone.now() - timedelta(days=1)).count()
        for model in JOBS.values()
    )
    if waiting:
        yield bad(f"{waiting} jobs wait for more than five minutes", "More WORKERS, or a worker that answers.")
    if failed:
        yield note(f"{failed} jobs failed within a day", "Their pages say why.")
    if not waiting and not failed:
        yield well("none waits long, none failed within a day")


def _store() -> Iterator[Finding]:
    health.CHECKS["storage"]()
    lost = sorted(key for key in named_keys() if not _is_there(key))
    if lost:
        yield bad(
            f"{len(lost)} files that rows name are missing, such as {lost[0]}",
            "Restore them from a backup, or train and import anew.",
        )
    else:
        yield well("can be written to, and holds every file that rows name")


def _is_there(key: str) -> bool:
    return storage.exists(storage.store(key)) or bool(storage.list_objects(storage.store(f"{key}/"), recursive=True))


def _models() -> Iterator[Finding]:
    served = [
        (campaign.solution_version, campaign.arn)
        for campaign in Campaign.objects.select_related("solution_version", "account")
    ]
    served += [(row, row.arn) for row in Recommender.objects.exclude(artefact="").select_related("account")]
    count = 0
    for row, arn in served:
        try:
            integrity.read_manifest(storage.local_folder(row.artefact))
            count += 1
        except (integrity.DamagedError, JobError, UnavailableError, OSError) as error:
            yield bad(f"the model of {arn} cannot be read: {error}", "Train a new version, or restore a backup.")
    if count == len(served):
        yield well(f"{count} served models are as they were written")


def _clock() -> Iterator[Finding]:
    now = timezone.now()
    newest = [
        AuditEntry.objects.order_by("-pk").values_list("time", flat=True).first(),
        Event.objects.order_by("-pk").values_list("created", flat=True).first(),
    ]
    ahead = max((moment - now for moment in newest if moment), default=timedelta())
    if ahead > FUTURE:
        yield bad(f"the newest rows are {ahead} in the future: the clock was set back", "Set the clock (timedatectl).")
        return
    yield well(f"{now:%Y-%m-%d %H:%M:%S} UTC, not behind what the database holds")


def _secrets() -> Iterator[Finding]:
    short = [name for name in ("SECRET_KEY", "ENCRYPTION_KEY") if len(getattr(settings, name)) < SHORTEST_SECRET]
    if short:
        yield bad(f"{' and '.join(short)} is shorter than {SHORTEST_SECRET} characters", "Take a longer random text.")
    lost = [key.key_id for key in AccessKey.objects.all() if not key.secret]
    if lost:
        yield bad(
            f"the secrets of {len(lost)} access keys cannot be decrypted, such as that of {lost[0]}",
            "Put back the ENCRYPTION_KEY they were made with (DATA_DIR/secrets, or the variable), or make new keys.",
        )
    unread = [step.user.get_username() for step in TwoStep.objects.select_related("user") if not step.secret]
    if unread:
        yield bad(
            f"the second step of {len(unread)} people cannot be decrypted, such as that of {unread[0]}",
            "Put back the ENCRYPTION_KEY, or have them sign in with a recovery word, or an owner drop it under People.",
        )
    if not short and not lost and not unread:
        yield well("keys are long enough, every access key and second step can be decrypted")


def _openid() -> Iterator[Finding]:
    if not settings.OIDC_ISSUER:
        yield well("by passwords; no OpenID provider is set")
        return
    name = settings.OIDC_ACCOUNT
    if name and not Account.objects.filter(name=name).exists():
        yield bad(f"OIDC_ACCOUNT names {name}, which is no account", f"manage.py create_user NAME --account {name}")
    provider.begin("http://localhost/")
    yield well(f"{settings.OIDC_ISSUER} answers")


def _port() -> Iterator[Finding]:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.HOST, settings.HOST)  # noqa: S104
    where = f"{host}:{settings.PORT}"
    try:
        with urllib.request.urlopen(
            f"http://{f'[{host}]' if ':' in host else host}:{settings.PORT}/livez", timeout=5
        ) as answer:
            is_ours = json.load(answer) == {"status": "ok"}
    except (ValueError, URLError, OSError):
        is_ours = False
    if is_ours:
        yield well(f"the server answers at {where}")
    elif _listens(host):
        yield bad(f"another program listens at {where}", "End it, or choose another PORT.")
    else:
        yield bad(f"nothing listens at {where}", "Start the server.")


def _listens(host: str) -> bool:
    with suppress(OSError), socket.create_connection((host, settings.PORT), timeout=2):
        return True
    return False


EXAMINATIONS: dict[str, Examination] = {
    "settings": _settings, "disk": _disk, "folder": _folder, "secrets": _secrets, "database": _database, "migrations": _migrations,
    "clock": _clock, "store": _store, "models": _models, "broker": _broker, "workers": _workers, "jobs": _jobs, "sign-in": _openid,
    "port": _port,
}  # fmt: skip
NEEDS_TABLES = {"secrets", "clock", "store", "models", "workers", "jobs", "sign-in"}


def examine() -> Iterator[tuple[str, Finding]]:
    """All findings, part by part; what a part fails with is its finding, and the others go on."""
    has_tables = _has_tables()
    for name, examination in EXAMINATIONS.items():
        if name in NEEDS_TABLES and not has_tables:
            continue
        try:
            for finding in examination():
                yield name, finding
        except (DatabaseError, OSError, ServiceError, JobError, UnavailableError, health.Unhealthy) as error:
            connection.close()
            yield name, bad(f"{type(error).__name__}: {error}", "See the server's log.")


def _has_tables() -> bool:
    try:
        return JOBS["SampleLoad"]._meta.db_table in connection.introspection.table_names()
    except DatabaseError:
        return False
