"""Which faults pass by themselves, decided in one place: jobs are tried again, interfaces answer 503 with Retry-After.

A locked database, a lost connection, a full disk, an absent broker or object store are transient. All else is lasting: a
wrong value, a missing table, a bug.
"""

from __future__ import annotations

import errno
import logging
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis
from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as StoreConnectionError
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import DatabaseError, InterfaceError, connection
from kombu.exceptions import OperationalError as BrokerError

from console import telemetry
from console.errors import JobError, ServiceUnavailableException, UnavailableError

logger = logging.getLogger(__name__)

# https://www.sqlite.org/rescode.html: busy, locked, out of memory, read-only, input/output, full, cannot open, protocol
SQLITE_CODES = {5, 6, 7, 8, 10, 13, 14, 15}
# https://www.postgresql.org/docs/current/errcodes-appendix.html: connections, rollbacks such as deadlocks, resources,
# operators such as a shutdown, the system around it
POSTGRES_CLASSES = {"08", "40", "53", "57", "58"}
POSTGRES_CODES = {"55P03", "25006"}  # a lock was not available; the server is read-only, as during a failover
DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO}
EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.EAGAIN}
NETWORK = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN}
STORE_CODES = {"SlowDown", "ServiceUnavailable", "InternalError", "RequestTimeout", "Throttling", "ThrottlingException"}
# https://valkey.io/topics/protocol/: it cannot save, a replica was asked or has lost its primary, a script runs
BROKER_WORDS = ("MISCONF", "OOM", "READONLY", "LOADING", "MASTERDOWN", "NOREPLICAS", "CLUSTERDOWN", "TRYAGAIN", "BUSY ")
RUSTS = re.compile(r"\(os error (\d+)\)")
LOG_EVERY_S = 5.0

_logged: dict[str, tuple[float, int]] = {}
_lock = threading.Lock()


def fault(error: BaseException) -> str | None:
    """What is wrong at the moment, as a sentence; None if trying again later would not help."""
    match error:
        case ServiceUnavailableException() | UnavailableError():
            return str(error)
        case InterfaceError() | DatabaseError():
            return _database(error)
        case redis.ConnectionError() | redis.TimeoutError() | BrokerError():
            return "The broker does not answer."
        case redis.ResponseError():
            return _broker(error)
        case HTTPClientError() | StoreConnectionError() | ClientError():
            return _store(error)
        case OSError():
            return _system(error)
        case _:
            return _written_by_rust(error)


def unavailable(error: BaseException) -> ServiceUnavailableException | None:
    """A transient fault as callers get it; None if it is lasting."""
    reason = fault(error)
    return None if reason is None else ServiceUnavailableException(f"{reason} Try again in a moment.")


def log(what: str, error: BaseException) -> None:
    """Write one line about a transient fault; the same fault is written every few seconds at most, with its count."""
    reason = fault(error) or type(error).__name__
    telemetry.FAULTS.labels(reason).inc()
    with _lock:
        last, suppressed = _logged.get(reason, (0.0, 0))
        now = time.monotonic()
        if last and now - last < LOG_EVERY_S:
            _logged[reason] = last, suppressed + 1
            return
        _logged[reason] = now, 0
    again = f" (+{suppressed})" if suppressed else ""
    logger.warning("%s: %s %s: %s%s", what, reason, type(error).__name__, " ".join(str(error).split()), again)


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Turn a transient fault of the block into ServiceUnavailableException; `what` names it in the log."""
    try:
        yield
    except ServiceUnavailableException:
        raise
    except Exception as error:
        found = unavailable(error)
        if found is None:
            raise
        log(what, error)
        raise found from error


@contextmanager
def survived(what: str) -> Iterator[None]:
    """Log a transient fault of the block and go on after it, with a new connection to the database next time."""
    try:
        yield
    except Exception as error:
        if not passed_over(what, error):
            raise


def passed_over(what: str, error: BaseException) -> bool:
    """Whether an error is a transient fault; it is logged then, and the database gets a new connection next time."""
    if fault(error) is None:
        return False
    log(what, error)
    if not connection.in_atomic_block:
        connection.close()
    return True


class OneLine(logging.Filter):
    """Take the traceback off a record about a transient fault or a refusal; for Django's own log of failed requests."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Pass every record on."""
        error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
        if error is not None and (fault(error) or isinstance(error, PermissionDenied | SuspiciousOperation)):
            record.exc_info, record.levelno, record.levelname = None, logging.WARNING, "WARNING"
        return True


def _database(error: DatabaseError | InterfaceError) -> str | None:
    cause: Any = error.__cause__
    code = getattr(cause, "sqlite_errorcode", None)
    if code is not None:
        return _sqlite(code & 0xFF)
    if not hasattr(cause, "sqlstate"):
        return None
    state: str | None = cause.sqlstate
    lost = state is None and type(cause).__name__ in {"OperationalError", "InterfaceError", "ConnectionTimeout"}
    if lost or (state and (state[:2] in POSTGRES_CLASSES or state in POSTGRES_CODES)):
        return "The database's disk is full." if state == "53100" else "The database does not answer or is busy."
    return None


def _sqlite(code: int) -> str | None:
    if code not in SQLITE_CODES:
        return None
    return {13: "The disk is full.", 8: "The disk is read-only."}.get(code, "The database is busy.")


def _store(error: HTTPClientError | StoreConnectionError | ClientError) -> str | None:
    if not isinstance(error, ClientError):
        return "The object store does not answer."
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    is_passing = error.response["Error"]["Code"] in STORE_CODES or status >= 500 or status == 429
    return "The object store is busy." if is_passing else None


def _broker(error: redis.ResponseError) -> str | None:
    is_passing = isinstance(error, redis.ReadOnlyError | redis.OutOfMemoryError) or str(error).startswith(BROKER_WORDS)
    return "The broker takes nothing at the moment." if is_passing else None


def _written_by_rust(error: BaseException) -> str | None:
    """What the system refused to a library that tells it in its message alone, as safetensors does."""
    found = RUSTS.search(str(error)) if type(error).__name__ == "SafetensorError" else None
    return _system(OSError(int(found[1]), "")) if found else None


def _system(error: OSError) -> str | None:
    if error.errno in DISK:
        return "The disk is full or cannot be written to."
    if error.errno in EXHAUSTED:
        return "The server has too many files open."
    if error.errno in NETWORK or isinstance(error, ConnectionError | TimeoutError):
        return "A connection that is needed was lost."
    return None


def job_error(message: str, error: BaseException) -> JobError | UnavailableError:
    """An error for the user to read, of the kind that is tried again if its cause is transient."""
    return UnavailableError(message) if fault(error) else JobError(message)
