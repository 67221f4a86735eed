"""Signing in and out, passwords, and accepting an invitation: the pages that people see without the console around them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth import login, password_validation
from django.contrib.auth import views as auth
from django.contrib.auth.forms import PasswordChangeForm, PasswordResetForm, SetPasswordForm
from django.contrib.auth.models import User
from django.core.mail import send_mail
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse_lazy
from django.utils.translation import gettext

from console.errors import ServiceError
from console.models import Invitation
from console.operations.account import members
from console.web.account.members import reset_path
from console.web.account.openid import SignOutView
from console.web.account.sign_in import SignInForm, guess, has_used_up
from console.web.forms import StyledForm, style
from console.web.glossary import explained, translated
from console.web.languages import lazily
from console.web.links import absolute

TEMPLATE = "registration/form.html"
SENT = lazily("If that address is known here, a link is on its way to it.")
ASK = lazily("This server sends no mail: ask an owner of your account for a link under People.")
GONE = lazily("This invitation is used up, withdrawn or too old; ask for a new one.")


class PasswordForm(PasswordChangeForm):
    """Django's form in our clothes; wrong old passwords are counted as at signing in."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        """Give the controls their classes."""
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        style(self)

    def clean_old_password(self) -> str:
        """The old password.

        Raises:
            ValidationError: it is wrong, or was too often.
        """
        with guess(None, self.user.get_username()):
            return super().clean_old_password()


class NewPasswordForm(SetPasswordForm):  # type: ignore[type-arg]
    """Django's form in our clothes."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        """Give the controls their classes."""
        super().__init__(*args, **kwargs)
        style(self)


class AcceptForm(StyledForm):
    """A name and a password of one's own."""

    username = forms.CharField(label=lazily("Name"), max_length=150, validators=[User.username_validator])
    password = forms.CharField(
        label=lazily("Password"), widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}), strip=False
    )

    def clean_password(self) -> str:
        """The password, if it is long enough."""
        password_validation.validate_password(self.cleaned_data["password"])
        return str(self.cleaned_data["password"])


class ForgottenForm(StyledForm):
    """The address that a link goes to."""

    email = forms.EmailField(label=lazily("E-mail"))


class SignInView(auth.LoginView):
    """Sign-in by a password, and by what else there is."""

    def get_template_names(self) -> list[str]:
        """A page without the form, where passwords open nothing."""
        return ["registration/openid_only.html" if settings.OIDC_ONLY else "registration/login.html"]


def invitation_view(request: HttpRequest, word: str) -> HttpResponse:
    """Make a user of one's own and be signed in."""
    found = Invitation.of(word)
    if found is None:
        return render(request, TEMPLATE, {"title": gettext("Invitation"), "message": GONE}, status=404)
    form = None if settings.OIDC_ONLY else AcceptForm(request.POST or None)
    if form is not None and request.method == "POST" and form.is_valid():
        try:
            user = members.accept(word, **form.cleaned_data)
        except ServiceError as error:
            form.add_error("username" if error.field == "username" else None, explained(str(error)))
        else:
            login(request, user)
            return HttpResponseRedirect("/")
    message = gettext("You are invited to the account {account} as {role}. Choose how you sign in.").format(
        account=found.account, role=translated(found.role)
    )
    context = {"title": gettext("Welcome"), "message": message, "form": form, "button": gettext("Begin"), "word": word}
    return render(request, "registration/invitation.html", context, status=400 if form and form.errors else 200)


def forgotten_view(request: HttpRequest) -> HttpResponse:
    """Send a link to a known address; whether it is known stays open."""
    context: dict[str, Any] = {"title": gettext("Forgotten password")}
    if not settings.EMAIL_HOST:
        return render(request, TEMPLATE, context | {"message": ASK})
    form = ForgottenForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if not has_used_up(request, "forgotten"):
            _send_links(request, form.cleaned_data["email"])
        return render(request, TEMPLATE, context | {"message": SENT})
    return render(request, TEMPLATE, context | {"form": form, "button": gettext("Send a link")})


def _send_links(request: HttpRequest, email: str) -> None:
    for user in PasswordResetForm().get_users(email):
        link = absolute(request, reset_path(user))
        text = gettext(
            "{name} sets a new password here: {link}\n\nWhoever did not ask for this can leave it be."
        ).format(name=user, link=link)
        send_mail(
            gettext("A new password for OpenPersonalize"),
            text,
            settings.DEFAULT_FROM_EMAIL,
            [user.email],
            fail_silently=True,
        )


urlpatterns = [
    path(
        "accounts/login/",
        SignInView.as_view(
            authentication_form=SignInForm, redirect_authenticated_user=True
        ),
        name="login",
    ),
    path("accounts/logout/", SignOutView.as_view(), name="logout"),
    path(
        "accounts/password/",
        auth.PasswordChangeView.as_view(
            template_name=TEMPLATE, form_class=PasswordForm, success_url=reverse_lazy("yourself"),
            extra_context={"title": lazily("Change password"), "button": lazily("Change password"), "back": reverse_lazy("yourself")},
        ),
        name="password",
    ),
    path("accounts/forgotten/", forgotten_view, name="forgotten"),
    path("accounts/invitation/<str:word>/", invitation_view, name="invitation"),
    path(
        "accounts/reset/<uidb64>/<token>/",
        auth.PasswordResetConfirmView.as_view(
            template_name=TEMPLATE, form_class=NewPasswordForm, success_url=reverse_lazy("login"),
            extra_context={"title": lazily("New password"), "button": lazily("Set password")},
        ),
        name="password-reset-confirm",
    ),
]  # fmt: skip
