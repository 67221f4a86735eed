"""Requests that Django refuses to read: every interface says 400 and why, in its own shape."""

from __future__ import annotations

import json

import pytest
from django.core.exceptions import SuspiciousOperation
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from console.malformed import refusal

pytestmark = pytest.mark.django_db
PATHS = [
    "/", "/accounts/login/", "/dataset-groups/", "/create/dataset-groups/", "/api/v1/docs/", "/api/v1/schema/",
    "/api/v1/dataset-groups/", "/api/v1/uploads/", "/api/v1/nothing/", "/aws", "/aws/recommendations", "/ingest/k/events",
    "/op.js", "/healthz", "/livez", "/metrics",
]  # fmt: skip
MANY = "a=1&" * 1500
ON_A_FORM = {"content_type": "application/x-www-form-urlencoded"}


@pytest.fixture(params=["signed in", "unknown"])
def visitor(request) -> Client:
    """A browser that shows errors of the server as it gets them."""
    client: Client = request.getfixturevalue("alice") if request.param == "signed in" else Client()
    client.raise_request_exception = False
    return client


def said(answer, path: str) -> str:
    """The sentence of a refusal; "" of what was answered otherwise, if it was no error of the server."""
    assert answer.status_code < 500 or path == "/healthz", (path, answer.status_code)
    if answer.status_code != 400:
        return ""
    if "html" in answer["Content-Type"]:
        assert "This request was refused" in answer.text, path
        return answer.text
    return answer.text if "xml" in answer["Content-Type"] else str(json.loads(answer.content)["message"])


@pytest.mark.parametrize("path", PATHS)
def test_too_many_parameters(visitor, path):
    said(visitor.get(f"{path}?{MANY}"), path)
    said(visitor.get(f"{path}?{MANY * 5}"), path)


@pytest.mark.parametrize("path", PATHS)
def test_too_many_fields(visitor, path):
    said(visitor.post(path, MANY, **ON_A_FORM), path)


@pytest.mark.parametrize("path", PATHS)
def test_a_body_that_is_too_large(visitor, path, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
    said(visitor.post(path, "a" * 100, **ON_A_FORM), path)
    said(visitor.post(path, '{"events": "aaaaaaaaaaaaaaaaaa"}', content_type="application/json"), path)


@pytest.mark.parametrize("path", PATHS)
def test_too_many_files(visitor, path):
    files = {f"file{number}": SimpleUploadedFile("a.csv", b"a") for number in range(150)}
    said(visitor.post(path, files), path)
    said(visitor.post(path, b"--x", content_type="multipart/form-data"), path)


@pytest.mark.parametrize("path", [path for path in PATHS if not path.startswith("/aws")])
def test_a_foreign_host(visitor, path, settings):
    settings.ALLOWED_HOSTS = ["console.example.org"]
    assert "ALLOWED_HOSTS" in said(visitor.get(path, headers={"host": "evil.example"}), path)


def test_each_interface_says_what_is_wrong(client, alice):
    alice.raise_request_exception = False
    for answer in (
        client.get(f"/api/v1/docs/?{MANY}"),
        client.get(f"/api/v1/schema/?{MANY}"),
        alice.get(f"/api/v1/dataset-groups/?{MANY}"),
        alice.get(f"/dataset-import-jobs/?{MANY}"),
        client.post("/accounts/login/", MANY, **ON_A_FORM),
    ):
        assert "more than 1000 fields or parameters" in said(answer, "")
    german = client.post("/accounts/login/", MANY, headers={"accept-language": "de"}, **ON_A_FORM)
    assert "mehr als 1000 Felder" in german.text
    assert german.status_code == 400


def kinds(kind: type[Exception]) -> list[type[Exception]]:
    """An exception and all that are of its kind."""
    return [kind, *(deeper for lower in kind.__subclasses__() for deeper in kinds(lower))]


@pytest.mark.parametrize("kind", kinds(SuspiciousOperation))
@pytest.mark.parametrize("path", ["/dataset-groups/", "/api/v1/dataset-groups/", "/aws"])
def test_each_kind_is_refused_wherever_it_is_raised(alice, monkeypatch, kind, path):
    def fail(*_arguments: object, **_named: object) -> None:
        raise kind("secret insides")

    for place in ("console.api.views.limits.admit", "console.aws.views.authenticate", "console.web.pages.last_group"):
        monkeypatch.setattr(place, fail)
    alice.raise_request_exception = False
    headers = {"X-Amz-Target": "AmazonPersonalize.ListDatasetGroups"}
    answer = (
        alice.post(path, "{}", headers=headers, content_type="application/json") if path == "/aws" else alice.get(path)
    )
    assert answer.status_code == 400, answer.content
    assert "insides" not in answer.text
    assert str(refusal(kind()))[:20] in answer.text
