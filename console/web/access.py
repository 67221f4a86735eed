"""Who may see a page and who may change something: signed in, a member of an account, and of a role that opens what is asked."""

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
from console.web.account.sign_ins import note
from console.web.glossary import translated
from console.web.languages import lazily

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
NO_MEMBER = lazily("Your user belongs to no account. Ask an administrator to add you to one.")
READERS_READ = lazily(
    "Your role is {}, which may look at everything here and change nothing. Ask an owner of the account for the role editor."
)
OWNERS_ONLY = lazily("People and access keys are for owners of the account; your role is {}.")
Right = Callable[[Member], bool]


class Request(HttpRequest):
    """A request of a signed-in member, as the views behind `@page` get it."""

    account: Account
    member: Member
    htmx: HtmxDetails


View = Callable[..., HttpResponseBase]


def page(view: View) -> View:
    """Let only members in, put `account` and `member` on the request, and keep every method that writes to editors and owners."""
    return _guard(view, lambda member: member.may_write)


def reading_page(view: View) -> View:
    """As `page`, for a view whose POST changes nothing (a preview, a test request), so that viewers may use it."""
    return _guard(view, lambda _member: True)


def analysis_page(view: View) -> View:
    """As `writing_page`, for what only measures, so that analysts may use it, too."""

    @wraps(view)
    def guarded(request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.member.may_analyse:
            raise PermissionDenied(READERS_READ.format(translated(request.member.role)))
        return view(request, *args, **kwargs)

    return reading_page(guarded)


def owners_page(view: View) -> View:
    """As `page`, for what only owners see and change."""

    @wraps(view)
    def guarded(request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        require_owner(request)
        return view(request, *args, **kwargs)

    return reading_page(guarded)


def require_owner(request: Request) -> None:
    """Refuse everybody but owners.

    Raises:
        PermissionDenied: the member has another role.
    """
    if not request.member.is_owner:
        raise PermissionDenied(OWNERS_ONLY.format(translated(request.member.role)))


def _guard(view: View, may_post: Right) -> View:
    @login_required
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        member = Member.objects.select_related("account").filter(user_id=cast("int", request.user.pk)).first()
        if member is None:
            raise PermissionDenied(NO_MEMBER)
        if request.method not in SAFE_METHODS and not may_post(member):
            raise PermissionDenied(READERS_READ.format(translated(member.role)))
        known = cast("Request", request)
        known.account, known.member = member.account, member
        note(request)
        acting_as(request.user.get_username(), "console")
        return view(known, *args, **kwargs)

    return guarded


def writing_page(view: View) -> View:
    """As `page`, for a form that only makes sense for those who may write: others get 403 on GET as well."""

    @wraps(view)
    def guarded(request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.member.may_write:
            raise PermissionDenied(READERS_READ.format(translated(request.member.role)))
        return view(request, *args, **kwargs)

    return page(guarded)
