"""The trash: what was deleted in the last seven days, to be had back or given up."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from console.errors import ServiceError
from console.web.access import Request, page, writing_page
from console.web.kinds import KINDS
from console.web.languages import lazily
from console.web.pages import call, render, service_error

ACTS = {
    "restore": ("RestoreFromTrash", lazily("Restored")),
    "delete": ("DeleteFromTrash", lazily("Deleted permanently")),
}


@page
def trash_view(request: Request) -> HttpResponse:
    """What can be had back."""
    entries = call(request, "ListTrash", {})["trash"]
    rows = [entry | {"noun": KINDS[entry["kind"]].called()} for entry in entries]
    return render(request, "account/settings/trash.html", {"heading": gettext("Trash"), "rows": rows})


@require_POST
@writing_page
def act_view(request: Request, pk: int, action: str) -> HttpResponse:
    """Restore an entry, or give it up."""
    operation, words = ACTS[action]
    try:
        call(request, operation, {"trashId": str(pk)})
        messages.success(request, f"{words}: {request.POST.get('name', '')}.")
    except ServiceError as error:
        messages.error(request, service_error(error))
    return HttpResponseRedirect(reverse("trash"))


urlpatterns = [
    path("trash/", trash_view, name="trash"),
    path("trash/<int:pk>/restore/", act_view, {"action": "restore"}, name="trash-restore"),
    path("trash/<int:pk>/delete/", act_view, {"action": "delete"}, name="trash-delete"),
]
