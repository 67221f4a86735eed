"""Signing in: Django's form in our clothes, which after some wrong passwords has people wait."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis
from django import forms
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext

from console.addresses import network_of
from console.models import TwoStep
from console.web.forms import style
from console.web.languages import lazily

logger = logging.getLogger(__name__)

ATTEMPTS = 10  # wrong passwords for one name from one address, or one network of IPv6
WAIT_MINUTES = 15


class SignInForm(AuthenticationForm):
    """Asks for name, password and, of who set it up, a second step; wrong ones are counted in the broker, for all processes."""

    code = forms.CharField(
        required=False,
        max_length=20,
        label=lazily("Code of your authenticator"),
        help_text=lazily("Only if you set up a second step; or one of your recovery words."),
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "text"}),
    )

    def __init__(self, *args: object, **kwargs: object) -> None:
        """Give the controls their classes."""
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        style(self)

    def clean(self) -> dict[str, Any]:
        """Who it is.

        Raises:
            ValidationError: the password is wrong, or was too often.
        """
        if settings.OIDC_ONLY:
            raise ValidationError(
                gettext("Passwords open nothing here; sign in with {name}.").format(name=settings.OIDC_NAME)
            )
        with guess(self.request, self.cleaned_data.get("username", "")[:150]):
            cleaned = super().clean()
            self._take_second_step()
        return cleaned

    def _take_second_step(self) -> None:
        second = TwoStep.objects.filter(user=self.get_user(), is_confirmed=True).first()
        if second is not None and not second.takes(self.cleaned_data.get("code", "")):
            self.add_error("code", gettext("The code is missing, wrong, or was used already."))
            raise ValidationError(
                gettext("A second step is set up for this name: enter the code of your authenticator.")
            )


@contextmanager
def guess(request: HttpRequest | None, name: str, refusal: str = "") -> Iterator[None]:
    """Hold who tries a password for a name to a number of wrong ones; who is right raises nothing, and is not counted.

    A try counts before it is made, so that tries side by side gain nothing.

    Args:
        request: tells visitors apart; None of who is signed in, wherever that is.
        name: of the person, or of what else is tried.
        refusal: what is said when too many were wrong, with {minutes}; that it were passwords, unless given.

    Raises:
        ValidationError: too many were wrong.
    """
    if has_used_up(request, name):
        refusal = refusal or gettext("Too many wrong passwords for this name. Wait {minutes} minutes, then try again.")
        raise ValidationError(refusal.format(minutes=WAIT_MINUTES))
    yield
    _count(request, name, -1)


def has_password_to_ask(user: User) -> bool:
    """Whether somebody who is signed in has a password that opens something, to be asked for before another way in is made."""
    return user.has_usable_password() and not settings.OIDC_ONLY


def confirm_password(user: User, password: str) -> None:
    """Ask somebody who is signed in for the password again.

    Raises:
        ValidationError: it is wrong, or was too often.
    """
    with guess(None, user.get_username()):
        if not user.check_password(password):
            raise ValidationError(gettext("That is not your password; nothing was changed."))


def has_used_up(request: HttpRequest | None, name: str, most: int = ATTEMPTS) -> bool:
    """Whether an address had used up its tries for a name before this one, which counts, too."""
    return _count(request, name, 1) > most


def _count(request: HttpRequest | None, name: str, more: int) -> int:
    """How often an address tried a name lately, with so many more; 0 while the broker is away."""
    key = tries_key(network_of(request.META) if request else "", name)
    try:
        cache.add(key, 0, WAIT_MINUTES * 60)
        return int(cache.incr(key, more))
    except (redis.RedisError, ValueError) as error:
        logger.warning("Wrong passwords are not counted: %s", error)
        return 0


def tries_key(network: str, name: str) -> str:
    """Under which tries of a network for a name are counted; the name may hold what no key may."""
    return f"sign-in:{network}:{hashlib.sha256(name.encode(errors='replace')).hexdigest()}"
