"""What somebody signs in with, so that nobody gives up the last of it."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import User

from console.models import Identity, Passkey


def has_another(user: User, but: Identity | Passkey, *, host: str) -> bool:
    """Whether a person who gives up an identity or a passkey can still sign in, or could not by it anyway.

    Args:
        user: whose it is.
        but: what is given up.
        host: for which browsers have passkeys now; those that were made for another one open nothing.
    """
    ways: set[Identity | Passkey] = set(Identity.objects.filter(user=user, issuer=settings.OIDC_ISSUER))
    if not settings.OIDC_ONLY:
        ways |= set(Passkey.objects.filter(user=user, rp_id=host))
    has_password = user.has_usable_password() and not settings.OIDC_ONLY
    return has_password or but not in ways or len(ways) > 1
