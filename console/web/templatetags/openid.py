"""Where pages offer the OpenID provider: nothing is shown without OIDC_ISSUER."""

from __future__ import annotations

from typing import Any

from django import template
from django.conf import settings

from console.models import Identity
from console.web.account.sign_in import has_password_to_ask

register = template.Library()


@register.inclusion_tag("registration/openid_button.html", takes_context=True)
def openid_button(context: dict[str, Any], purpose: str, **values: str) -> dict[str, Any]:
    """A button that leads to the provider, to sign in or to accept an invitation."""
    del context  # the token against forged forms is passed on by Django
    return {"name": settings.OIDC_ISSUER and settings.OIDC_NAME, "purpose": purpose, **values}


@register.inclusion_tag("account/settings/identities.html", takes_context=True)
def openid_identities(context: dict[str, Any]) -> dict[str, Any]:
    """A person's own identities, to link and to unlink."""
    if not settings.OIDC_ISSUER:
        return {}
    user = context["request"].user
    rows = Identity.objects.filter(user=user, issuer=settings.OIDC_ISSUER)
    return {"name": settings.OIDC_NAME, "identities": list(rows), "has_password": has_password_to_ask(user)}
