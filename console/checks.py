"""Mistakes in the settings, found at start, each with a hint."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from console import environment, tracing
from console.engine import ENGINES
from console.quotas import mistakes


@register()
def variables(**_kwargs: Any) -> list[CheckMessage]:
    """Environment variables that cannot work."""
    found: list[CheckMessage] = []
    if settings.ENGINE not in ENGINES:
        hint = "Allowed are local (threads of the Celery workers) and ray (the workers of a Ray cluster, RAY_ADDRESS)."
        found.append(Error(f"ENGINE is {settings.ENGINE!r}.", hint=hint, id="console.E001"))
    if settings.ENGINE == "ray" and find_spec("ray") is None:
        hint = "Install the extra: pip install 'openpersonalize[ray]'."
        found.append(Error("ENGINE is 'ray', but Ray is not installed.", hint=hint, id="console.E005"))
    if tracing.is_wanted(os.environ) and not tracing.is_installed():
        hint = "Install the extra: pip install 'openpersonalize[otel]', or set OTEL_SDK_DISABLED=true."
        found.append(
            Error("OTEL_ variables ask for traces, but OpenTelemetry is missing.", hint=hint, id="console.E009")
        )
    if settings.STORAGE_URL and urlsplit(settings.STORAGE_URL).scheme != "s3":
        found.append(
            Error(f"STORAGE_URL is {settings.STORAGE_URL!r}.", hint="Allowed is s3://BUCKET/PREFIX.", id="console.E002")
        )
    found += _places()
    hint = "docs/operations.md lists the quotas."
    found += [Error(mistake, hint=hint, id="console.E004") for mistake in mistakes(os.environ)]
    return found


def _places() -> list[CheckMessage]:
    """Addresses that nothing can be sent to."""
    found: list[CheckMessage] = []
    if settings.ALERT_WEBHOOK_URL and urlsplit(settings.ALERT_WEBHOOK_URL).scheme not in {"http", "https"}:
        hint = "Allowed is https://… or http://…, to which JSON can be posted."
        found.append(Error(f"ALERT_WEBHOOK_URL is {settings.ALERT_WEBHOOK_URL!r}.", hint=hint, id="console.E006"))
    if (mail := environment.text("EMAIL_URL")) and urlsplit(mail).scheme not in {"smtp", "smtp+tls", "smtps"}:
        hint = "Allowed is smtp://, smtp+tls:// (STARTTLS) or smtps:// and user:password@host:port."
        found.append(Error(f"EMAIL_URL begins with {mail.partition(':')[0]!r}.", hint=hint, id="console.E007"))
    if urlsplit(settings.REDIS_URL).scheme not in {"redis", "rediss", "unix"}:
        hint = "Allowed is redis://, rediss:// (TLS) or unix:// and what follows."
        found.append(
            Error(f"REDIS_URL begins with {settings.REDIS_URL.partition(':')[0]!r}.", hint=hint, id="console.E003")
        )
    if settings.ALERT_EMAILS and not settings.EMAIL_HOST:
        found.append(Error("ALERT_EMAILS needs EMAIL_URL.", hint="smtp://user:password@host:587", id="console.E008"))
    return found
