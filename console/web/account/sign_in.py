"""Signing in: Django's form in our clothes, which after some wrong passwords has people wait."""

from __future__ import annotations

import logging
from typing import Any

import redis
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext

from console.web.forms import style

logger = logging.getLogger(__name__)

ATTEMPTS = 10  # wrong passwords for one name from one address
WAIT_MINUTES = 15


class SignInForm(AuthenticationForm):
    """Asks for name and password; wrong ones are counted in the broker, for all web processes together."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        """Give the controls their classes."""
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        style(self)

    def clean(self) -> dict[str, Any]:
        """Who it is.

        Raises:
            ValidationError: the password is wrong, or was too often.
        """
        key = f"sign-in:{address_of(self.request)}:{self.cleaned_data.get('username', '')[:150]}"
        if _count(key) >= ATTEMPTS:
            raise ValidationError(
                gettext("Too many wrong passwords for this name. Wait {minutes} minutes, then try again.").format(
                    minutes=WAIT_MINUTES
                )
            )
        try:
            return super().clean()
        except ValidationError:
            _count(key, more=1)
            raise


def address_of(request: HttpRequest | None) -> str:
    """Where a request comes from; behind a proxy, what the proxy next to us says."""
    if request is None:
        return ""
    forwarded = request.headers.get("X-Forwarded-For", "") if settings.BEHIND_HTTPS else ""
    return forwarded.rpartition(",")[2].strip() or request.META.get("REMOTE_ADDR", "")


def _count(key: str, more: int = 0) -> int:
    """How often a key was counted lately, after counting it `more` times; 0 while the broker is away."""
    try:
        cache.add(key, 0, WAIT_MINUTES * 60)
        return int(cache.incr(key, more))
    except (redis.RedisError, ValueError) as error:
        logger.warning("Wrong passwords are not counted: %s", error)
        return 0
