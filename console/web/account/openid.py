"""Signing in by an OpenID provider: out to it by a form, back from it with a code (OpenID Connect Core 1.0, section 3.1).

What the way back is checked by lies in a signed cookie of the browser that went out, one for each attempt, so that attempts of
people who are not known cost the database nothing.
"""

from __future__ import annotations

import hmac
import time
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.views import LogoutView
from django.core import signing
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.encoding import iri_to_uri
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from console.errors import InvalidInputException, ServiceError, ServiceUnavailableException, ThrottlingException
from console.models import Member
from console.operations.account import identities
from console.operations.account.identities import Claims
from console.operations.auditing import acting_as
from console.web.access import Request, reading_page
from console.web.account import provider, sites
from console.web.account.sign_in import confirm_password, guess, has_password_to_ask
from console.web.glossary import explained
from console.web.languages import lazily
from console.web.links import absolute, next_page
from console.web.pages import service_error

PLACE = "/accounts/openid/"  # where browsers send the cookies
ATTEMPT_S = 600  # people look for their phones
SALT = "console.openid"
PREFIX = "openid-"  # of the cookies' names
LONGEST_NEXT = 1000  # of the cookie, as it travels
MOST_ATTEMPTS = 5  # of a browser at once: proxies read 8 KB of cookies
TOO_MANY = lazily("Too many sign-ins from here failed. Wait {minutes} minutes, then try again.")
END = "openid_end"  # where the provider ends its sign-in, in the session

Attempt = dict[str, Any]


@never_cache
@require_POST
def out_view(request: HttpRequest) -> HttpResponse:
    """Lead to the provider, to sign in or to accept an invitation."""
    wanted = request.POST.get("next", "")
    if len(iri_to_uri(wanted)) > LONGEST_NEXT:
        wanted = ""
    return _lead(request, {"next": wanted, "word": request.POST.get("invitation", "")[:100]})


@never_cache
@require_POST
@reading_page
def link_view(request: Request) -> HttpResponse:
    """Lead to the provider, to link an identity to the person who is signed in; whoever has a password enters it."""
    user = request.member.user
    try:
        if has_password_to_ask(user):
            confirm_password(user, request.POST.get("password", ""))
    except ValidationError as error:
        messages.error(request, error.message)
        return HttpResponseRedirect(reverse("yourself"))
    return _lead(request, {"user": request.member.user_id})


@require_POST
@reading_page
def unlink_view(request: Request, pk: int) -> HttpResponse:
    """Let an identity open one's user no more."""
    try:
        identities.unlink(request.member, pk=pk, host=sites.site_of(request).rp_id)
    except ServiceError as error:
        messages.error(request, service_error(error))
    else:
        messages.success(request, gettext("Unlinked. This identity opens your user no more."))
    return HttpResponseRedirect(reverse("yourself"))


@never_cache
@require_GET
def back_view(request: HttpRequest) -> HttpResponse:
    """Let in who comes back from the provider, or say why not; the attempt is over either way."""
    _require_provider()
    state = request.GET.get("state", "")
    try:
        attempt = _attempt(request, state)
        claims = _claims(request, attempt)
        answer = _link(request, attempt, claims) if "user" in attempt else _enter(request, attempt, claims)
    except ServiceError as error:
        answer = _refused(request, error)
    answer.delete_cookie(_cookie(state), path=PLACE, samesite="Lax")
    return answer


class SignOutView(LogoutView):
    """Ends the sign-in here, and offers to end the provider's."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Sign out."""
        end = request.session.get(END)
        answer = super().post(request, *args, **kwargs)
        if not end:
            return answer
        return render(request, "registration/openid_signed_out.html", {"name": settings.OIDC_NAME, "url": end})


def _lead(request: HttpRequest, attempt: Attempt) -> HttpResponse:
    _require_provider()
    redirect_uri = absolute(request, reverse("openid-back"))
    try:
        _require_way_back(request, redirect_uri)
        found = provider.begin(redirect_uri)
    except ServiceError as error:
        return _refused(request, error)
    url = found.pop("url")
    page = render(request, "registration/openid_onward.html", {"name": settings.OIDC_NAME, "url": url})
    page["Refresh"] = f"0; url={url}"
    _end_older(request, page)
    page.set_cookie(
        _cookie(found["state"]),
        signing.dumps({**attempt, **found, "redirect_uri": redirect_uri, "begun": time.time()}, salt=SALT),
        max_age=ATTEMPT_S,
        path=PLACE,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return page


def _require_way_back(request: HttpRequest, redirect_uri: str) -> None:
    """Refuse to lead out a browser that would come back at another address, where it has no cookie of the attempt.

    Raises:
        InvalidInputException: it would.
    """
    origin = request.META.get("HTTP_ORIGIN", "")  # as the browser has it, whatever proxies make of Host
    if urlsplit(origin).hostname in {None, urlsplit(redirect_uri).hostname}:
        return
    if not settings.PUBLIC_URL:
        raise InvalidInputException(
            gettext("This server does not know its own address, to which {name} leads back: set PUBLIC_URL.").format(
                name=settings.OIDC_NAME
            )
        )
    raise InvalidInputException(
        gettext("{name} leads back to {address}: open the console there to sign in.").format(
            name=settings.OIDC_NAME, address=settings.PUBLIC_URL
        )
    )


def _end_older(request: HttpRequest, page: HttpResponse) -> None:
    """End all attempts of a browser but the last ones, which may be open beside a new one."""
    begun = {name: _read(value).get("begun", 0.0) for name, value in request.COOKIES.items() if name.startswith(PREFIX)}
    for name in sorted(begun, key=begun.__getitem__)[: 1 - MOST_ATTEMPTS]:
        page.delete_cookie(name, path=PLACE, samesite="Lax")


def _read(cookie: str) -> Attempt:
    """What a cookie says of an attempt; nothing if it is another's, or too old."""
    try:
        found: Attempt = signing.loads(cookie, salt=SALT, max_age=ATTEMPT_S)
    except signing.BadSignature:
        return {}
    return found


def _attempt(request: HttpRequest, state: str) -> Attempt:
    """What this browser went out with.

    Raises:
        InvalidInputException: it did not, or too long ago, or was here with it already.
    """
    found = _read(request.COOKIES.get(_cookie(state), ""))
    if not state or not hmac.compare_digest(str(found.get("state", "")).encode(), state.encode()):
        raise InvalidInputException(
            gettext("This sign-in was begun in another browser, is over, or took too long. Begin it anew.")
        )
    return found


def _claims(request: HttpRequest, attempt: Attempt) -> Claims:
    """Who the provider says it is.

    Raises:
        InvalidInputException: the provider or the person did not want to.
    """
    code = request.GET.get("code", "")
    if not code or request.GET.get("error"):
        text = gettext("{name} did not sign you in: {reason}").format(
            name=settings.OIDC_NAME,
            reason=(request.GET.get("error_description") or request.GET.get("error") or "–")[:200],
        )
        raise InvalidInputException(text)
    return _identified(request, attempt, code)


def _identified(request: HttpRequest, attempt: Attempt, code: str) -> Claims:
    """Whose code it is; codes that were invented are counted as wrong passwords are, a provider that is away is not.

    Raises:
        ThrottlingException: too many were invented.
    """
    try:
        with guess(request, "openid:", str(TOO_MANY)):
            try:
                return provider.identify(
                    code,
                    nonce=attempt["nonce"],
                    code_verifier=attempt["code_verifier"],
                    redirect_uri=attempt["redirect_uri"],
                )
            except ServiceUnavailableException as error:
                away = error
    except ValidationError as error:
        raise ThrottlingException(str(error.message)) from None
    raise away


def _enter(request: HttpRequest, attempt: Attempt, claims: Claims) -> HttpResponse:
    word = attempt.get("word")
    user = identities.accept(word, claims) if word else identities.sign_in(claims)
    login(request, user)
    request.session[END] = provider.end_address(absolute(request, reverse("login")))
    return HttpResponseRedirect(next_page(request, attempt.get("next", "")))


def _link(request: HttpRequest, attempt: Attempt, claims: Claims) -> HttpResponse:
    member = Member.objects.select_related("user", "account").filter(user_id=attempt["user"]).first()
    if member is None or request.user.pk != member.user_id:
        raise InvalidInputException(gettext("Somebody else is signed in now; nothing was linked."))
    acting_as(member.user.get_username(), "console")
    try:
        identities.link(member, claims)
    except ServiceError as error:
        messages.error(request, service_error(error))
    else:
        messages.success(
            request, gettext("Linked. You sign in with {name} from now on.").format(name=settings.OIDC_NAME)
        )
    return HttpResponseRedirect(reverse("yourself"))


def _refused(request: HttpRequest, error: ServiceError) -> HttpResponse:
    context = {"message": explained(str(error))}
    page = render(request, "registration/openid_refused.html", context, status=error.status_code)
    if error.retry_after_s:
        page["Retry-After"] = str(error.retry_after_s)
    return page


def _cookie(state: str) -> str:
    """The name of an attempt's cookie."""
    return f"{PREFIX}{''.join(letter for letter in state[:16] if letter.isalnum() and letter.isascii())}"


def _require_provider() -> None:
    if not settings.OIDC_ISSUER:
        raise Http404(gettext("This server has no OpenID provider."))


urlpatterns = [
    path("accounts/openid/", out_view, name="openid"),
    path("accounts/openid/back/", back_view, name="openid-back"),
    path("settings/you/identities/link/", link_view, name="identity-link"),
    path("settings/you/identities/<int:pk>/unlink/", unlink_view, name="identity-unlink"),
]
