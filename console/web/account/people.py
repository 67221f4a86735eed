"""Signing in and out, and the page where a person makes keys and tokens for programs."""

from __future__ import annotations

from django.contrib.auth import views as auth
from django.contrib.auth.forms import PasswordChangeForm
from django.urls import path, reverse_lazy

from console.web.account.sign_in import SignInForm
from console.web.forms import style


class PasswordForm(PasswordChangeForm):
    """Django's form in our clothes."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        """Give the controls their classes."""
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        style(self)


urlpatterns = [
    path(
        "accounts/login/",
        auth.LoginView.as_view(
            template_name="registration/login.html", authentication_form=SignInForm, redirect_authenticated_user=True
        ),
        name="login",
    ),
    path("accounts/logout/", auth.LogoutView.as_view(), name="logout"),
    path(
        "accounts/password/",
        auth.PasswordChangeView.as_view(
            template_name="registration/password.html", form_class=PasswordForm, success_url=reverse_lazy("home")
        ),
        name="password",
    ),
]
