"""Where a person is signed in: noted as pages are asked for, listed on the person's page, and ended from there."""

from __future__ import annotations

import time
from importlib import import_module
from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from console.addresses import address_of
from console.models import SignIn
from console.transient import survived

NOTED = "noted"  # when, in the session
EVERY_S = 300


def note(request: HttpRequest) -> None:
    """Keep that this browser was seen, every few minutes."""
    session = request.session
    if time.time() - session.get(NOTED, 0) < EVERY_S or session.session_key is None:
        return
    with survived("Noting where somebody is signed in"):
        SignIn.objects.update_or_create(
            session_key=session.session_key,
            defaults={
                "user_id": cast("int", request.user.pk),
                "seen": timezone.now(),
                "address": address_of(request.META)[:64],
                "browser": request.headers.get("User-Agent", "")[:300],
            },
        )
        session[NOTED] = int(time.time())


def list_of(user_id: int) -> list[SignIn]:
    """Where a person is signed in now; those that ended are forgotten."""
    found = list(SignIn.objects.filter(user_id=user_id))
    gone = [row.pk for row in found if not _store().exists(row.session_key)]
    SignIn.objects.filter(pk__in=gone).delete()
    return [row for row in found if row.pk not in gone]


def end(user_id: int, pk: int | None = None, *, but: str | None = None) -> int:
    """End one of a person's sign-ins, or all of them but the one of a session; returns how many."""
    rows = SignIn.objects.filter(user_id=user_id).exclude(session_key=but or "")
    rows = rows if pk is None else rows.filter(pk=pk)
    count = 0
    for row in rows:
        _store().delete(row.session_key)
        row.delete()
        count += 1
    return count


def _store() -> Any:
    return import_module(settings.SESSION_ENGINE).SessionStore()
