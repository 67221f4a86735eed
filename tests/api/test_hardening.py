"""What hostile clients try: bombs, foreign files, forged forms, headers within values, paths out of their bucket."""

from __future__ import annotations

import gzip
import io
import resource
import time
import zipfile
from collections.abc import Mapping

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from console.models import Member
from tests.fuzz.leaks import page_templates

PREVIEW = "/api/v1/operations/PreviewData/"
GIGABYTE = 1 << 30


def bomb(block: bytes) -> bytes:
    """A gigabyte of a block, a thousandth of it when packed: gzip files may follow one another in one."""
    return gzip.compress(block * ((1 << 20) // len(block))) * (GIGABYTE >> 20)


def zipped(files: Mapping[str, str]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        for name, text in files.items():
            file.writestr(name, text)
    return packed.getvalue()


def zip_bomb(block: bytes) -> bytes:
    """A gigabyte of a block in an archive of a megabyte."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file, file.open("users.csv", "w") as member:
        for _ in range(GIGABYTE >> 20):
            member.write(block * ((1 << 20) // len(block)))
    return packed.getvalue()


def sent(alice, data: bytes, name: str = "users.csv.gz") -> str:
    answer = alice.post("/api/v1/uploads/", {"file": SimpleUploadedFile(name, data)})
    assert answer.status_code == 201
    return str(answer.json()["location"])


@pytest.mark.slow
@pytest.mark.parametrize("pack", [bomb, zip_bomb])
@pytest.mark.parametrize("block", [b"a", b"\0", b'"', b"1,2\n"], ids=["one line", "zeros", "quotes", "rows"])
def test_a_gigabyte_packed_small_is_looked_at_in_bounded_memory_and_time(alice, account, block, pack):
    location = sent(alice, pack(block))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    answer = alice.post(PREVIEW, {"dataLocation": location}, format="json")
    assert answer.status_code in {200, 400}
    assert time.process_time() - start < 10
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300 * 1024  # KiB


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (
            zipped({"users.csv": "USER_ID,AGE\n1,2\n", "items.csv": "ITEM_ID,YEAR\n1,2\n"}),
            "a ZIP archive of several tables",
        ),
        (zipped({"photo.png": "x"}), "a ZIP archive without a table"),
        (zipped({"users.csv": "USER_ID,AGE\n1,2\n" * 100})[:-80], "ZIP"),
        (b"PAR1" + b"\0" * 100, "looks like Parquet but cannot be read"),
        (b"\x1f\x8b" + b"x" * 100, "gzip"),
        (gzip.compress(b"USER_ID,AGE\n1,2\n" * 100)[:-20], "gzip"),
        (b"<html></html>", "HTML"),
    ],
    ids=[
        "zip of two tables",
        "zip without tables",
        "zip cut short",
        "parquet",
        "no gzip",
        "gzip cut short",
        "html",
    ],  # bytes of an archive hold the time
)
def test_files_that_are_no_csv_are_refused_in_words(alice, account, data, says):
    answer = alice.post(PREVIEW, {"dataLocation": sent(alice, data, "users.csv")}, format="json")
    assert answer.status_code == 400, answer.json()
    assert says in answer.json()["message"]
    assert answer.json()["field"] == "dataLocation"


@pytest.mark.parametrize(
    "key",
    ["../x", "a/../../x", "..", "a//b", "%2e%2e/x", "a\\..\\x", "\0", "a\r\nX-Evil: 1", "x" * 5000, "?versionId=1", "#a"],
)  # fmt: skip
def test_no_key_leaves_its_bucket(alice, account, key):
    answer = alice.post(PREVIEW, {"dataLocation": f"s3://work/{key}"}, format="json")
    assert answer.status_code == 400
    assert "X-Evil" not in answer.headers
    assert set(answer.json()) == {"code", "message", "field"}


def test_every_form_wants_its_token(account):
    user = User.objects.create(username="bob")
    Member.objects.create(user=user, account=account)
    browser = Client(enforce_csrf_checks=True, raise_request_exception=False)
    browser.force_login(user)
    templates = page_templates()
    assert len(templates) > 60
    for template in templates:
        parts = template.split("<")
        path = parts[0] + "".join(("1" if part.startswith("pk>") else "a/b" if part.startswith("name>") and "versions" in template else "a")
                                  + part.partition(">")[2] for part in parts[1:])  # fmt: skip
        answer = browser.post(f"/{path}", {"name": "a"})
        assert answer.status_code in {403, 404, 405}, (template, answer.status_code)
        assert answer.status_code == 403 or "<" in template or "static" in template, template
