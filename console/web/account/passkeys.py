"""Passkeys on the page of a person, and signing in by one: the browser's script asks here what to ask the device for."""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth import login
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import path, reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from console.errors import ServiceError
from console.models import Member, Passkey
from console.operations.account import passkeys
from console.shapes import JSONDict
from console.web.access import Request, reading_page
from console.web.account import sites, webauthn
from console.web.account.programs import program
from console.web.account.sign_in import confirm_password, guess, has_used_up
from console.web.languages import lazily
from console.web.links import next_page
from console.web.pages import service_error

logger = logging.getLogger(__name__)

MAX_ASKED = 300  # sign-ins begun from one address, or one network of IPv6, in a quarter of an hour
UNKNOWN = lazily("This passkey is not known here. Sign in with your password.")
TOO_MANY = lazily("This passkey failed too often. Wait {minutes} minutes, then try again.")
Answer = Callable[..., JSONDict]


def panel(request: Request) -> JSONDict:
    """What the panel on a person's page shows."""
    rows = list(Passkey.objects.filter(user=request.member.user))
    return {
        "rows": [(row, row.rp_id != sites.site_of(request).rp_id) for row in rows],
        "trouble": sites.trouble(request, reverse("yourself")),
        "name": program(request.headers.get("User-Agent", ""))[: passkeys.LONGEST_NAME],
        "has_password": request.member.user.has_usable_password(),
        "is_full": len(rows) >= passkeys.MAX_PASSKEYS,
        "most": passkeys.MAX_PASSKEYS,
    }


def _json_view(view: Answer) -> Callable[..., HttpResponse]:
    """JSON in, JSON out; what is refused is said in a sentence, with 400."""

    @require_POST
    @wraps(view)
    def answering(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return JsonResponse(view(request, _body(request), *args, **kwargs))
        except ValidationError as error:
            return JsonResponse({"message": error.message}, status=400)
        except ServiceError as error:
            return JsonResponse({"message": service_error(error)}, status=400)

    return answering


def _body(request: HttpRequest) -> JSONDict:
    if request.content_type != "application/json":
        raise ValidationError(gettext("Only JSON is taken here."))
    return _object(request.body)


def _object(text: bytes | str) -> JSONDict:
    """What the browser's script sent.

    Raises:
        ValidationError: it is too long, or no JSON object.
    """
    if len(text) > webauthn.MAX_BYTES:
        raise ValidationError(
            gettext("The answer has more than {most} bytes, which no passkey needs.").format(most=webauthn.MAX_BYTES)
        )
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise ValidationError(gettext("Only a JSON object is taken here."))
    return found


def _string(body: JSONDict, name: str) -> str:
    value = body.get(name, "")
    return value if isinstance(value, str) else ""


@reading_page
@_json_view
def add_options_view(request: Request, body: JSONDict) -> JSONDict:
    """What a device is asked for to make a passkey; whoever has a password enters it."""
    site, user = sites.required(request), request.member.user
    if user.has_usable_password():
        confirm_password(user, _string(body, "password"))
    mine = list(Passkey.objects.filter(user=user))
    handle = mine[0].handle if mine else webauthn.encoded(secrets.token_bytes(32))
    state = webauthn.ask(request, "add", handle=handle)
    return {
        "rp": {"id": site.rp_id, "name": "OpenPersonalize"},
        "user": {"id": handle, "name": user.get_username(), "displayName": user.get_username()},
        "challenge": state["challenge"],
        "pubKeyCredParams": [{"type": "public-key", "alg": alg} for alg in webauthn.ALGORITHMS],
        "excludeCredentials": [{"type": "public-key", "id": row.credential_id} for row in mine],
        "authenticatorSelection": {
            "residentKey": "required", "requireResidentKey": True, "userVerification": "required"
        },
        "attestation": "none",
        "timeout": 1000 * webauthn.VALID_S,
    }  # fmt: skip


@reading_page
@_json_view
def add_view(request: Request, body: JSONDict) -> JSONDict:
    """Keep the passkey that a device made."""
    site, state = sites.required(request), webauthn.take(request, "add")
    made = webauthn.registration(body, state["challenge"], site)
    row = passkeys.add(
        request.member, name=_string(body, "name"), credential_id=made.credential_id, public_key=made.public_key,
        counter=made.counter, handle=state["handle"], rp_id=site.rp_id,
    )  # fmt: skip
    messages.success(request, gettext("Added the passkey {name}.").format(name=row.name))
    return {"next": reverse("yourself")}


@reading_page
@_json_view
def confirm_options_view(request: Request, _body: JSONDict) -> JSONDict:
    """What a device is asked for to show that it is still the same person who is signed in."""
    mine = Passkey.objects.filter(user=request.member.user)
    allowed = [{"type": "public-key", "id": row.credential_id} for row in mine]
    return _request_options(request, "confirm") | {"allowCredentials": allowed}


@require_POST
@reading_page
def rename_view(request: Request, pk: int) -> HttpResponse:
    """Give a passkey another name."""
    try:
        passkeys.rename(request.member, pk=pk, name=request.POST.get("name", ""))
    except ServiceError as error:
        messages.error(request, service_error(error))
    else:
        messages.success(request, gettext("Renamed the passkey."))
    return HttpResponseRedirect(reverse("yourself"))


@require_POST
@reading_page
def remove_view(request: Request, pk: int) -> HttpResponse:
    """Forget a passkey, after the password or, of who has none, another use of a passkey."""
    try:
        if request.member.user.has_usable_password():
            confirm_password(request.member.user, request.POST.get("password", ""))
        else:
            _confirm_by_passkey(request)
        passkeys.remove(request.member, pk=pk, host=sites.site_of(request).rp_id)
    except ValidationError as error:
        messages.error(request, error.message)
    except ServiceError as error:
        messages.error(request, service_error(error))
    else:
        messages.success(request, gettext("Removed the passkey. Delete it on the device, too."))
    return HttpResponseRedirect(reverse("yourself"))


def _confirm_by_passkey(request: Request) -> None:
    member = _proved(request, _object(request.POST.get("answer", "") or "{}"), "confirm")[1]
    if member.pk != request.member.pk:
        raise ValidationError(gettext("This passkey is somebody else's."))


@_json_view
def sign_in_options_view(request: HttpRequest, _body: JSONDict) -> JSONDict:
    """What a device is asked for to sign somebody in; which passkeys there are for this server, it knows itself."""
    if has_used_up(request, "passkeys", MAX_ASKED):  # each may leave a session behind
        raise ValidationError(gettext("Too many sign-ins by passkey were begun here. Wait a quarter of an hour."))
    return _request_options(request, "sign-in")


@_json_view
def sign_in_view(request: HttpRequest, body: JSONDict) -> JSONDict:
    """Sign in whose passkey it is, without a second step: the device has asked for a PIN, a finger or a face."""
    passkey, _member = _proved(request, body, "sign-in")
    login(request, passkey.user)
    return {"next": next_page(request, _string(body, "next"))}


def _request_options(request: HttpRequest, purpose: str) -> JSONDict:
    site = sites.required(request)
    challenge = webauthn.ask(request, purpose)["challenge"]
    options = {"challenge": challenge, "rpId": site.rp_id, "timeout": 1000 * webauthn.VALID_S}
    return options | {"userVerification": "required"}


def _proved(request: HttpRequest, answer: JSONDict, purpose: str) -> tuple[Passkey, Member]:
    """The passkey that an answer proves somebody to hold, and whose it is; failures are counted as wrong passwords are.

    Raises:
        ValidationError: the answer is wrong, of an unknown passkey, or of somebody who was removed.
        InvalidInputException: the device's counter went back.
    """
    state = webauthn.take(request, purpose)
    credential_id = webauthn.credential_of(answer)
    with guess(request, f"passkey:{credential_id}", str(TOO_MANY)):
        site = sites.required(request)
        passkey = Passkey.objects.select_related("user").filter(credential_id=credential_id, rp_id=site.rp_id).first()
        member = passkey and Member.objects.select_related("user", "account").filter(user_id=passkey.user_id).first()
        if passkey is None or not member or not passkey.user.is_active:
            raise ValidationError(str(UNKNOWN))
        handle = _string(answer, "userHandle")  # devices may leave it out where passkeys were listed for them
        if handle != passkey.handle and (handle or purpose == "sign-in"):
            raise ValidationError(gettext("The passkey names another person than it was made for."))
        counter = webauthn.assertion(answer, state["challenge"], site, passkey.public_key)
        passkeys.use(passkey, member, counter=counter)
    return passkey, member


urlpatterns = [
    path("settings/you/passkeys/options/", add_options_view, name="passkey-options"),
    path("settings/you/passkeys/add/", add_view, name="passkey-add"),
    path("settings/you/passkeys/confirm/", confirm_options_view, name="passkey-confirm"),
    path("settings/you/passkeys/<int:pk>/rename/", rename_view, name="passkey-rename"),
    path("settings/you/passkeys/<int:pk>/remove/", remove_view, name="passkey-remove"),
    path("accounts/passkey/options/", sign_in_options_view, name="passkey-sign-in-options"),
    path("accounts/passkey/", sign_in_view, name="passkey-sign-in"),
]
