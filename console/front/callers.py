"""How large a body a caller may send, looked up from the credentials in a request's head before the body is read."""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie
from importlib import import_module

from django.conf import settings
from django.db import close_old_connections

from console.aws.sigv4 import parse_authorization
from console.aws.views import MAX_BODY_BYTES
from console.errors import ServiceError
from console.front.bodies import SMALL_BYTES
from console.models import AccessKey, Token

UPLOAD_PATH = "/api/v1/uploads/"
UNLIMITED = 1 << 62  # files of people who are signed in: the disk is the limit


def allowed_bytes(path: str, authorization: str, cookie: str) -> int:
    """The limit for these credentials; they are looked up, not verified in full, which the request's own thread does."""
    try:
        if authorization.startswith("AWS4-"):
            return MAX_BODY_BYTES if _is_known_key(authorization) else SMALL_BYTES
        if authorization:
            return _of_token(path, authorization.partition(" ")[2].strip())
        return UNLIMITED if _is_signed_in(cookie) else SMALL_BYTES
    finally:
        close_old_connections()


def _is_known_key(authorization: str) -> bool:
    try:
        key_id = parse_authorization(authorization).key_id
    except ServiceError:
        return False
    return AccessKey.objects.filter(key_id=key_id).exists()


def _of_token(path: str, word: str) -> int:
    if not Token.objects.filter(digest=Token.hash(word), user__is_active=True).exists():
        return SMALL_BYTES
    return UNLIMITED if path == UPLOAD_PATH else MAX_BODY_BYTES


def _is_signed_in(cookie: str) -> bool:
    try:
        morsel = SimpleCookie(cookie).get(settings.SESSION_COOKIE_NAME)
    except CookieError:
        return False
    engine = import_module(settings.SESSION_ENGINE)
    return morsel is not None and "_auth_user_id" in engine.SessionStore(morsel.value)
