"""An empty dataset group, and CSV files to bring in as a person does."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from console.models import DatasetGroup
from console.operations.base import call_by_wire_names
from tests.web.browsing import browser, page  # noqa: F401  fixtures

ITEMS = "item,title,price\n" + "\n".join(f"film-{i},Film {i},{i}.5" for i in range(30))


@pytest.fixture
def films(account) -> DatasetGroup:
    """A dataset group with nothing in it."""
    call_by_wire_names("CreateDatasetGroup", account, {"name": "films"})
    return DatasetGroup.objects.get(name="films")


@pytest.fixture
def counting(settings, broker):
    """Wrong passwords are counted in a real broker."""
    broker.flushall()
    url = f"unix://{broker.connection_pool.connection_kwargs['path']}"
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": url}}


def words(text: str) -> str:
    """A page with every run of white space as one space, as a browser shows it."""
    return " ".join(text.split())


def csv_file(text: str, name: str = "watched.csv") -> SimpleUploadedFile:
    """A file as a browser sends it."""
    return SimpleUploadedFile(name, text.encode(), "text/csv")


def watched(rows: int = 1200, users: int = 40, items: int = 60) -> str:
    """Interactions with names of their own for the columns."""
    lines = [
        f"u{i % users},film-{(i * 7 + i // users) % items},{1_700_000_000 + 60 * i},{'watch' if i % 5 else 'buy'}"
        for i in range(rows)
    ]
    return "\n".join(["user,movie id,when,event", *lines])


def bring(client: Client, text: str, kind: str = "Interactions", group: str = "films") -> str:
    """Upload a file and return the address of its preview."""
    answer = client.post(f"/create/datasets/?group={group}", {"group": group, "type": kind, "file": csv_file(text)})
    assert answer.status_code == 302, answer.content
    return str(answer["Location"])


def filled_in(client: Client, preview: str, **changes: str) -> dict[str, str]:
    """What the preview's form would send if nothing but `changes` were touched."""
    context = client.get(preview).context
    data: dict[str, str] = {}
    for file in context["files"]:
        for form in (file.columns.management_form, *file.columns.forms, file.form):
            for field in form:
                value = field.value()
                if value is True:
                    data[field.html_name] = "on"
                elif value not in (None, False):
                    data[field.html_name] = str(value)
    return data | changes
