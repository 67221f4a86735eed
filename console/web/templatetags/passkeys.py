"""The part of the sign-in page that is about passkeys."""

from __future__ import annotations

from typing import Any

from django import template
from django.urls import reverse

from console.models import Passkey
from console.web.account import sites

register = template.Library()


@register.inclusion_tag("registration/passkey.html", takes_context=True)
def passkey_sign_in(context: dict[str, Any]) -> dict[str, Any]:
    """A button for those whose browser can, or where to go for it, if anybody has a passkey for there."""
    request = context["request"]
    trouble = sites.trouble(request, reverse("login"))
    has_some = trouble is not None and bool(trouble.link) and Passkey.objects.exists()
    return {"request": request, "next": context.get("next", ""), "trouble": trouble, "leads_on": has_some}
