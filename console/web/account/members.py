"""Owners look after the people of their account: invite, give roles, help those who lost a password or a phone, remove."""

from __future__ import annotations

import json
from collections.abc import Callable

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.tokens import default_token_generator
from django.core.mail import send_mail
from django.db.models import Count
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from console.errors import ServiceError
from console.models import Invitation, Member, TwoStep
from console.models.sealed import opened, seal
from console.operations.account import members, passkeys
from console.web.access import Request, owners_page
from console.web.account import sign_ins
from console.web.forms import StyledForm
from console.web.glossary import translated
from console.web.languages import lazily
from console.web.links import absolute
from console.web.pages import render, service_error

SHOWN_ONCE = "link_once"


ROLES = (
    (Member.Role.OWNER, lazily("Owner: everything, people and access keys included")),
    (Member.Role.EDITOR, lazily("Editor: data, trainings, campaigns and experiments")),
    (Member.Role.ANALYST, lazily("Analyst: looks at everything, and starts evaluations and insights")),
    (Member.Role.VIEWER, lazily("Viewer: looks at everything and changes nothing")),
)


class InvitationForm(StyledForm):
    """Who is invited, and as what."""

    role = forms.ChoiceField(label=lazily("Role"), choices=ROLES, initial=Member.Role.EDITOR)
    email = forms.EmailField(
        required=False, label=lazily("E-mail"), help_text=lazily("The link is sent there if the server can send mail.")
    )


@owners_page
def people_view(request: Request) -> HttpResponse:
    """Members and open invitations; a fresh link is shown once."""
    form = InvitationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        word = members.invite(request.account, role=form.cleaned_data["role"], email=form.cleaned_data["email"])
        _hand_over(request, reverse("invitation", args=[word]), form.cleaned_data["email"])
        return HttpResponseRedirect(reverse("people"))
    rows = (
        Member.objects.filter(account=request.account)
        .select_related("user")
        .annotate(passkeys=Count("user__passkeys"))
        .order_by("user__username")
    )
    second = set(
        TwoStep.objects.filter(user__member__account=request.account, is_confirmed=True).values_list(
            "user_id", flat=True
        )
    )
    invitations = Invitation.objects.filter(account=request.account, accepted=None).order_by("-created")
    context = {
        "heading": gettext("People"),
        "form": form,
        "members": [(row, row.user_id in second) for row in rows],
        "invitations": [row for row in invitations if row.is_open],
        "roles": ROLES,
        "made": _made(request),
    }
    return render(request, "account/settings/people.html", context)


@require_POST
@owners_page
def act_view(request: Request, pk: int, action: str) -> HttpResponse:
    """Do one of ACTIONS with a member; what is refused is said on the page."""
    try:
        ACTIONS[action](request, pk)
    except ServiceError as error:
        messages.error(request, service_error(error))
    return HttpResponseRedirect(reverse("people"))


def _change_role(request: Request, pk: int) -> None:
    member = members.change_role(request.account, pk=pk, role=request.POST.get("role", ""))
    messages.success(
        request, gettext("{name} has the role {role} now.").format(name=member.user, role=translated(member.role))
    )


def _remove(request: Request, pk: int) -> None:
    member = members.remove(request.account, pk=pk)
    sign_ins.end(member.user_id)
    messages.success(request, gettext("Removed {name}.").format(name=member.user))


def _reset(request: Request, pk: int) -> None:
    member = members.member_of(request.account, pk)
    _hand_over(request, reset_path(member.user), "")


def _reset_second_step(request: Request, pk: int) -> None:
    member = members.member_of(request.account, pk)
    TwoStep.objects.filter(user_id=member.user_id).delete()
    messages.success(
        request, gettext("{name} signs in without a second step until a new one is set up.").format(name=member.user)
    )


def _drop_passkeys(request: Request, pk: int) -> None:
    if pk == request.member.pk:  # there a password is asked for, and a way in is kept
        messages.error(request, gettext("Remove your own passkeys on the page You."))
        return
    member, count = passkeys.drop_all(request.account, pk=pk)
    messages.success(request, gettext("Dropped {count} passkeys of {name}.").format(count=count, name=member.user))


def _end_sessions(request: Request, pk: int) -> None:
    member = members.member_of(request.account, pk)
    count = sign_ins.end(member.user_id, but=request.session.session_key)
    messages.success(request, gettext("Ended {count} sign-ins of {name}.").format(count=count, name=member.user))


def _withdraw(request: Request, pk: int) -> None:
    members.withdraw(request.account, pk=pk)
    messages.success(request, gettext("The invitation opens nothing any more."))


ACTIONS: dict[str, Callable[[Request, int], None]] = {
    "role": _change_role, "remove": _remove, "reset": _reset, "second-step": _reset_second_step,
    "passkeys": _drop_passkeys, "sign-out": _end_sessions, "withdraw": _withdraw,
}  # fmt: skip


def reset_path(user: object) -> str:
    """Where a person sets a new password; the link works once, until the password or the last sign-in changes."""
    uid = urlsafe_base64_encode(force_bytes(user.pk))  # type: ignore[attr-defined]
    return reverse("password-reset-confirm", args=[uid, default_token_generator.make_token(user)])  # type: ignore[arg-type]


def _hand_over(request: Request, link_path: str, email: str) -> None:
    """Show a link once on the next page, and send it where there is an address and a mail server."""
    link = absolute(request, link_path)
    request.session[SHOWN_ONCE] = seal(json.dumps({"link": link}))
    if email and settings.EMAIL_HOST:
        text = gettext("You are invited to OpenPersonalize: {link}\n\nThe link works once, for seven days.").format(
            link=link
        )
        send_mail(
            gettext("Your invitation to OpenPersonalize"),
            text,
            settings.DEFAULT_FROM_EMAIL,
            [email],
            fail_silently=True,
        )


def _made(request: Request) -> dict[str, str]:
    sealed = request.session.pop(SHOWN_ONCE, None)
    text = opened(sealed) if sealed else ""
    return json.loads(text) if text else {}


urlpatterns = [
    path("settings/people/", people_view, name="people"),
    *(
        path(f"settings/people/<int:pk>/{action}/", act_view, {"action": action}, name=f"people-{action}")
        for action in ACTIONS
    ),
]
