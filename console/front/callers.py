"""How large a body a caller may send, looked up from the credentials in a request's head before the body is read."""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from types import SimpleNamespace
from typing import Any, cast

from django.conf import settings
from django.contrib.auth import get_user
from django.db import close_old_connections

from console.aws.sigv4 import parse_authorization
from console.aws.views import MAX_BODY_BYTES
from console.errors import ServiceError
from console.front.bodies import SMALL_BYTES
from console.models import AccessKey, Member, Token

UPLOAD_PATH = "/api/v1/uploads/"
UNLIMITED = 1 << 62  # files of people who may change something: the disk is the limit


def allowed_bytes(path: str, authorization: str, cookie: str) -> int:
    """The limit for these credentials; they are looked up, not verified in full, which the request's own thread does."""
    try:
        if authorization.startswith("AWS4-"):
            return MAX_BODY_BYTES if _is_known_key(authorization) else SMALL_BYTES
        if authorization:
            return _of_token(path, authorization.partition(" ")[2].strip())
        return _of_person(_signed_in(cookie))
    finally:
        close_old_connections()


def _is_known_key(authorization: str) -> bool:
    try:
        key_id = parse_authorization(authorization).key_id
    except ServiceError:
        return False
    return AccessKey.objects.filter(key_id=key_id).exists()


def _of_token(path: str, word: str) -> int:
    tokens = Token.objects.select_related("user__member")
    token = tokens.filter(digest=Token.hash(word), user__is_active=True).first()
    if token is None or token.is_expired:
        return SMALL_BYTES
    return min(_of_person(token.user), UNLIMITED if path == UPLOAD_PATH else MAX_BODY_BYTES)


def _of_person(user: Any) -> int:
    """Files are for those to send who may change something; others send forms."""
    if user is None or not user.is_authenticated:
        return SMALL_BYTES
    member = Member.objects.filter(user=user.pk).first()
    return UNLIMITED if member is not None and member.may_write else MAX_BODY_BYTES


def _signed_in(cookie: str) -> Any:
    """The person of a session that still counts; None or nobody without one."""
    try:
        morsel = SimpleCookie(cookie).get(settings.SESSION_COOKIE_NAME)
    except CookieError:
        return None
    if morsel is None:
        return None
    session = import_module(settings.SESSION_ENGINE).SessionStore(morsel.value)
    return get_user(cast("Any", SimpleNamespace(session=session)))
