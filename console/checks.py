"""Mistakes in the settings, found at start, each with a hint."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from console import environment, tracing
from console.engine import ENGINES
from console.models.people import Member
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
    found += [Error(mistake, hint=hint, id="console.E010") for mistake, hint in _openid()]
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


def _openid() -> Iterator[tuple[str, str]]:
    """What is wrong with the variables of OpenID Connect, and what is allowed."""
    if settings.OIDC_ISSUER and not _is_issuer(settings.OIDC_ISSUER):
        yield (
            f"OIDC_ISSUER is {settings.OIDC_ISSUER!r}.",
            "Allowed is https://…, and http://… of this machine, without /.well-known/…",
        )
    if bool(settings.OIDC_ISSUER) != bool(settings.OIDC_CLIENT_ID):
        lacking = "OIDC_CLIENT_ID" if settings.OIDC_ISSUER else "OIDC_ISSUER"
        yield f"{lacking} is missing.", "OIDC_ISSUER and OIDC_CLIENT_ID go together."
    for name in ("OIDC_CLIENT_SECRET", "OIDC_ACCOUNT", "OIDC_ROLE", "OIDC_ROLES", "OIDC_ONLY"):
        if getattr(settings, name) and not (settings.OIDC_ISSUER or settings.OIDC_CLIENT_ID):
            yield f"{name} is set without OIDC_ISSUER.", "Set OIDC_ISSUER and OIDC_CLIENT_ID, too."
    if "openid" not in settings.OIDC_SCOPES.split():
        yield f"OIDC_SCOPES is {settings.OIDC_SCOPES!r}.", "openid must be among them, with blanks between."
    yield from _openid_roles()


def _openid_roles() -> Iterator[tuple[str, str]]:
    """What is wrong with who comes in as what."""
    allowed = ", ".join(Member.Role.values)
    if bool(settings.OIDC_ACCOUNT) != bool(settings.OIDC_ROLE or settings.OIDC_ROLES):
        lacking = "OIDC_ROLE" if settings.OIDC_ACCOUNT else "OIDC_ACCOUNT"
        yield f"{lacking} is missing.", "OIDC_ACCOUNT needs OIDC_ROLE or OIDC_ROLES, and they need it."
    if settings.OIDC_ROLE and settings.OIDC_ROLES:
        yield "OIDC_ROLE and OIDC_ROLES are both set.", "With OIDC_ROLES the groups give the role; leave OIDC_ROLE out."
    if settings.OIDC_ROLE and settings.OIDC_ROLE not in Member.Role.values:
        yield f"OIDC_ROLE is {settings.OIDC_ROLE!r}.", f"Allowed are {allowed}."
    for pair in settings.OIDC_ROLES:
        group, _, role = pair.rpartition(":")
        if not group or role not in Member.Role.values:
            yield f"OIDC_ROLES holds {pair!r}.", f"Allowed is GROUP:ROLE with commas between; roles are {allowed}."


def _is_issuer(address: str) -> bool:
    try:
        found = urlsplit(address)
    except ValueError:
        return False
    is_local = found.scheme == "http" and found.hostname in {"localhost", "127.0.0.1", "::1"}
    has_more = found.query or found.fragment or "/.well-known/" in found.path
    return bool(found.hostname) and (found.scheme == "https" or is_local) and not has_more
