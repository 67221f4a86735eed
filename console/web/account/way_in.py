"""The page of a link that `manage.py way_in` prints: it signs in by a button, as programs that look at links press none."""

from __future__ import annotations

from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache

from console.errors import ServiceError
from console.operations.account import ways_in
from console.web.glossary import explained


@never_cache
def way_in_view(request: HttpRequest, word: str) -> HttpResponse:
    """Ask, then sign in."""
    context = {"title": gettext("Sign in"), "message": gettext("This link signs you in once.")}
    if request.method == "POST":
        try:
            user = ways_in.use(word)
        except ServiceError as error:
            gone = {"title": gettext("Sign in"), "message": explained(str(error))}
            return render(request, "registration/form.html", gone, status=error.status_code)
        login(request, user)
        return HttpResponseRedirect("/")
    return render(request, "registration/way_in.html", context)


urlpatterns = [path("accounts/way-in/<str:word>/", way_in_view, name="way-in")]
