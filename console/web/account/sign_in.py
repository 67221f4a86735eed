"""Signing in: Django's form in our clothes, which after some wrong passwords has people wait."""

from __future__ import annotations

import logging
from typing import Any

import redis
from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext

from console.addresses import address_of
from console.models import TwoStep
from console.web.forms import style
from console.web.languages import lazily

logger = logging.getLogger(__name__)

ATTEMPTS = 10  # wrong passwords for one name from one address
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
        name = self.cleaned_data.get("username", "")[:150]
        if has_tried_too_often(self.request, name):
            raise ValidationError(
                gettext("Too many wrong passwords for this name. Wait {minutes} minutes, then try again.").format(
                    minutes=WAIT_MINUTES
                )
            )
        try:
            cleaned = super().clean()
            self._take_second_step()
        except ValidationError:
            has_tried_too_often(self.request, name, more=1)
            raise
        return cleaned

    def _take_second_step(self) -> None:
        second = TwoStep.objects.filter(user=self.get_user(), is_confirmed=True).first()
        if second is not None and not second.takes(self.cleaned_data.get("code", "")):
            self.add_error("code", gettext("The code is missing, wrong, or was used already."))
            raise ValidationError(
                gettext("A second step is set up for this name: enter the code of your authenticator.")
            )


def has_tried_too_often(request: HttpRequest | None, name: str, more: int = 0) -> bool:
    """Whether wrong passwords for a name from an address have used up their number, after `more` have been counted."""
    address = address_of(request.META) if request else ""
    return _count(f"sign-in:{address}:{name}", more) >= ATTEMPTS


def _count(key: str, more: int = 0) -> int:
    """How often a key was counted lately, after counting it `more` times; 0 while the broker is away."""
    try:
        cache.add(key, 0, WAIT_MINUTES * 60)
        return int(cache.incr(key, more))
    except (redis.RedisError, ValueError) as error:
        logger.warning("Wrong passwords are not counted: %s", error)
        return 0
