"""Log records say in which request, account and job they were written; as lines for people or, with LOG_FORMAT=json, for programs."""

from __future__ import annotations

import json
import logging
import logging.config
import re
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

request_id: ContextVar[str] = ContextVar("request_id", default="")
account_number: ContextVar[str] = ContextVar("account_number", default="")
job_name: ContextVar[str] = ContextVar("job_name", default="")
CONTEXT = {"request": request_id, "account": account_number, "job": job_name}

KEYS = re.compile(r"(/accounts/(?:invitation|reset/[^/\s]+)/|/ingest/)[^/\s]+")  # addresses that open something


def without_keys(text: str) -> str:
    """A text in which addresses that open something to whoever reads them open nothing.

    >>> without_keys("Bad Request: /accounts/invitation/dGhlIHdvcmQ/")
    'Bad Request: /accounts/invitation/…/'
    """
    return KEYS.sub(r"\1…", text)


def here() -> dict[str, str]:
    """The request, account and job of this moment, as far as there are any."""
    return {name: value for name, variable in CONTEXT.items() if (value := variable.get())}


def configure_plainly(config: dict[str, Any]) -> None:
    """Log as the settings say in a process without Django, whose filters are about what this one does not do."""
    handlers = {name: handler | {"filters": []} for name, handler in config["handlers"].items()}
    logging.config.dictConfig(config | {"filters": {}, "handlers": handlers})


class Lines(logging.Formatter):
    """`time LEVEL logger: message [request=… account=… job=…]`."""

    def format(self, record: logging.LogRecord) -> str:
        """One record; its traceback follows."""
        first, *rest = without_keys(super().format(record)).split("\n")
        context = " ".join(f"{name}={value}" for name, value in here().items())
        return "\n".join([f"{first} [{context}]" if context else first, *rest])


class Json(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and request, account, job, exception where there are any."""

    def format(self, record: logging.LogRecord) -> str:
        """One record."""
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": without_keys(record.getMessage()),
        }
        if record.exc_info:
            entry["exception"] = without_keys(self.formatException(record.exc_info))
        return json.dumps(entry | here(), ensure_ascii=False)
