"""Who may see a page and who may change something: signed in, a member of an account, and not a viewer when writing."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django_htmx.middleware import HtmxDetails

from console.models import Account, Member
from console.operations.auditing import acting_as
from console.web.languages import lazily

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
NO_MEMBER = lazily("Your user belongs to no account. Ask an administrator to add you to one.")
VIEWERS_READ = lazily(
    "Viewers may look at everything and change nothing. Ask an administrator of the account for the admin role."
)


class Request(HttpRequest):
    """A request of a signed-in member, as the views behind `@page` get it."""

    account: Account
    member: Member
    htmx: HtmxDetails


View = Callable[..., HttpResponseBase]


def page(view: View) -> View:
    """Let only members in, put `account` and `member` on the request, and keep viewers from every method that writes."""
    return _guard(view, writes=True)


def reading_page(view: View) -> View:
    """As `page`, for a view whose POST changes nothing (a preview, a test request), so that viewers may use it."""
    return _guard(view, writes=False)


def _guard(view: View, *, writes: bool) -> View:
    @login_required
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        member = Member.objects.select_related("account").filter(user_id=cast("int", request.user.pk)).first()
        if member is None:
            raise PermissionDenied(NO_MEMBER)
        if writes and request.method not in SAFE_METHODS and not member.may_write:
            raise PermissionDenied(VIEWERS_READ)
        known = cast("Request", request)
        known.account, known.member = member.account, member
        acting_as(request.user.get_username(), "console")
        return view(known, *args, **kwargs)

    return guarded


def writing_page(view: View) -> View:
    """As `page`, for a form that only makes sense for those who may write: viewers get 403 on GET as well."""

    @wraps(view)
    def guarded(request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.member.may_write:
            raise PermissionDenied(VIEWERS_READ)
        return view(request, *args, **kwargs)

    return page(guarded)
