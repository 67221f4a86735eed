"""What somebody signs in with, so that nobody gives up the last of it."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import User

from console.models import Identity, Passkey


def has_another(user: User, but: Identity | Passkey) -> bool:
    """Whether a person could still sign in without one of their identities or passkeys."""
    identities = Identity.objects.filter(user=user, issuer=settings.OIDC_ISSUER)
    passkeys = Passkey.objects.filter(user=user)
    if isinstance(but, Identity):
        identities = identities.exclude(pk=but.pk)
    else:
        passkeys = passkeys.exclude(pk=but.pk)
    if settings.OIDC_ONLY:
        return identities.exists()
    return user.has_usable_password() or identities.exists() or passkeys.exists()
