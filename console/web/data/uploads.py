"""Bringing a file in: the page that takes it by click or drop, and its streaming into the store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

from django.core.files.uploadedfile import TemporaryUploadedFile
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext

from console import storage
from console.models import Account, DatasetGroup
from console.web.access import Request, writing_page
from console.web.languages import lazily
from console.web.pages import chosen_group, render

TYPES = ("Interactions", "Items", "Users", "Actions", "Action_Interactions")
MAX_FILES = 5
EMPTY = lazily("Choose a file that is not empty: CSV text, plain or gzipped.")


@writing_page
def upload(request: Request) -> HttpResponse:
    """Take files for datasets and go on to their preview; JavaScript sends them with progress and gets the address as JSON."""
    group = chosen_group(request)
    kind = request.GET.get("type", "").title()
    error = ""
    if request.method == "POST" and group:
        files = [
            file for file in request.FILES.getlist("file") if isinstance(file, TemporaryUploadedFile) and file.size
        ]
        if 0 < len(files) <= MAX_FILES:
            locations = [("location", str(keep(request.account, file))) for file in files]
            chosen = request.POST.get("type", kind) if len(files) == 1 else ""
            query = urlencode([("group", group.name), *([("type", chosen)] if chosen else []), *locations])
            address = f"{reverse('datasets-preview')}?{query}"
            by_script = request.headers.get("X-Requested-With") == "XMLHttpRequest"
            return JsonResponse({"next": address}) if by_script else HttpResponseRedirect(address)
        error = (
            gettext("{files} files were chosen; at most {most} are read together.").format(
                files=len(files), most=MAX_FILES
            )
            if files
            else EMPTY
        )
    groups = DatasetGroup.objects.for_account(request.account).values_list("name", flat=True)
    context = {
        "heading": gettext("Import a file"),
        "error": error,
        "types": TYPES,
        "type": kind if kind in TYPES else "",
        "groups": [] if group else list(groups),
        "crumbs": [(group.name, reverse("dataset-groups-detail", args=[group.name]))] if group else [],
    }
    return render(request, "data/imports/upload.html", context, group=group, status=400 if error else 200)


def keep(account: Account, file: TemporaryUploadedFile) -> storage.Location:
    """Move an uploaded file into the account's part of the uploads; never more than a chunk of it is in memory."""
    return storage.keep_upload(account, Path(file.temporary_file_path()), file.name or "")


def chunks(location: storage.Location) -> Iterator[bytes]:
    """An object piece by piece, to stream as a download."""
    with storage.open_read(location) as file:
        while chunk := file.read(storage.CHUNK):
            yield chunk
