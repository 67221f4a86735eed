"""Who calls: a program with a bearer token, or a person's browser session."""

from __future__ import annotations

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from console.models import Member, Token
from console.models.base import JSONDict

SCHEME = "bearer"


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer TOKEN`."""

    def authenticate(self, request: Request) -> tuple[object, Token] | None:
        scheme, _, word = request.headers.get("Authorization", "").strip().partition(" ")
        if scheme.lower() != SCHEME:
            return None
        tokens = Token.objects.select_related("user__member__account").filter(user__is_active=True)
        token = tokens.filter(digest=Token.hash(word.strip())).first()
        if token is None:
            raise AuthenticationFailed("The bearer token is not known here.")
        if token.is_expired:
            raise AuthenticationFailed("The bearer token expired; create a new one under API access.")
        token.used()
        return token.user, token

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002  DRF's signature
        return 'Bearer realm="OpenPersonalize"'


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[misc]
    """How the token is documented."""

    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: object) -> JSONDict:  # noqa: ARG002
        return {"type": "http", "scheme": SCHEME}


def member_of(user: object) -> Member | None:
    """The person's place in an account; None for one who has none."""
    member = getattr(user, "member", None)
    return member if isinstance(member, Member) else None
