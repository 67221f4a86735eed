"""A person's own page: e-mail, password, second step, and where they are signed in."""

from __future__ import annotations

import pyotp
import segno
from django import forms
from django.contrib import messages
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from console.models import TwoStep
from console.web.access import Request, reading_page
from console.web.account import passkeys, sign_ins
from console.web.account.programs import program
from console.web.account.sign_in import confirm_password
from console.web.forms import StyledForm
from console.web.languages import lazily
from console.web.pages import render

ISSUER = "OpenPersonalize"


class EmailForm(StyledForm):
    """Where a forgotten password is helped with."""

    email = forms.EmailField(
        required=False, label=lazily("E-mail"), help_text=lazily("Links for a forgotten password go there.")
    )


@reading_page
def yourself_view(request: Request) -> HttpResponse:
    """What there is to know and to change about oneself."""
    user = request.member.user
    form = EmailForm(request.POST or None, initial={"email": user.email})
    if request.method == "POST" and form.is_valid():
        get_user_model().objects.filter(pk=user.pk).update(email=form.cleaned_data["email"])
        messages.success(request, gettext("Saved your e-mail address."))
        return HttpResponseRedirect(reverse("yourself"))
    context = {
        "heading": gettext("You"),
        "form": form,
        "second": TwoStep.objects.filter(user=user, is_confirmed=True).first(),
        "sign_ins": [
            (row, program(row.browser), row.session_key == request.session.session_key)
            for row in sign_ins.list_of(user.pk)
        ],
        "passkeys": passkeys.panel(request),
    }
    return render(request, "account/settings/yourself.html", context)


@require_POST
@reading_page
def sign_out_view(request: Request, pk: int) -> HttpResponse:
    """End a sign-in of one's own; 0 for all others."""
    count = sign_ins.end(request.member.user_id, pk or None, but=request.session.session_key)
    messages.success(request, gettext("Ended {count} sign-ins.").format(count=count))
    return HttpResponseRedirect(reverse("yourself"))


@reading_page
def second_step_view(request: Request) -> HttpResponse:
    """Set a second step up: scan, confirm by a first code, keep the words."""
    found, _ = TwoStep.objects.get_or_create(user=request.member.user, defaults={"secret": pyotp.random_base32()})
    if found.is_confirmed:
        return HttpResponseRedirect(reverse("yourself"))
    if not found.secret:  # another ENCRYPTION_KEY made it, and nobody has confirmed it
        found.secret = pyotp.random_base32()
        found.save(update_fields=["secret"])
    context = {
        "heading": gettext("Second step"),
        "crumbs": [(gettext("You"), reverse("yourself"))],
        "secret": found.secret,
    }
    if request.method == "POST":
        if found.takes(request.POST.get("code", "")):
            TwoStep.objects.filter(pk=found.pk).update(is_confirmed=True)
            context["words"] = found.renew_recovery()
        else:
            context["error"] = gettext(
                "That is not the code of now; check the clock of your phone, and try the next one."
            )
    address = pyotp.TOTP(found.secret).provisioning_uri(name=str(request.member.user), issuer_name=ISSUER)
    context["picture"] = segno.make(address, error="m").svg_data_uri(scale=5, border=2, light="white")
    return render(request, "account/settings/second_step.html", context, status=400 if "error" in context else 200)


@require_POST
@reading_page
def no_second_step_view(request: Request) -> HttpResponse:
    """Do without the second step; the password is asked for again."""
    user = request.member.user
    try:
        confirm_password(user, request.POST.get("password", ""))
    except ValidationError as error:
        messages.error(request, error.message)
    else:
        TwoStep.objects.filter(user=user).delete()
        messages.success(request, gettext("You sign in with your password alone."))
    return HttpResponseRedirect(reverse("yourself"))


urlpatterns = [
    path("settings/you/", yourself_view, name="yourself"),
    path("settings/you/sign-ins/<int:pk>/end/", sign_out_view, name="yourself-sign-out"),
    path("settings/you/second-step/", second_step_view, name="second-step"),
    path("settings/you/second-step/remove/", no_second_step_view, name="second-step-remove"),
]
