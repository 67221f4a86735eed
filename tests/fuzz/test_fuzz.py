"""A short run of all fuzzers, the same cases each time; `make fuzz` draws others, and many more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from tests.fuzz import language, leaks, rest, staging, wire
from tests.fuzz.judging import Answer, Report, Sent, complaints
from tests.fuzz.scene import Scene
from tests.fuzz.sending import InProcess

SEED = 20261122
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def scene(django_db_setup: None, django_db_blocker: Any) -> Iterator[Scene]:
    """Made once; each request is undone."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield staging.set_up()
        transaction.set_rollback(True)


def test_filters():
    report = Report()
    language.fuzz(report, 600, SEED)
    assert report.findings == {}
    assert report.cases["filters applied"] == 300


@pytest.mark.parametrize(("module", "cases"), [(wire, 500), (rest, 110), (leaks, 200)], ids=["wire", "rest", "leaks"])
def test_requests(scene, db, module, cases):
    report = Report()
    module.fuzz(scene, InProcess(), report, cases, SEED)
    assert report.findings == {}
    assert report.cases.total() > 0.8 * cases


@pytest.mark.parametrize(
    ("status", "body", "seconds", "by_owner", "says"),
    [
        (500, b"{}", 0.1, True, "status 500"),
        (0, b"", 0.1, True, "status 0"),
        (200, b"{}", 11.0, True, "slower than 10 s"),
        (400, b'{"message": "Traceback (most recent"}', 0.1, True, "shows insides: Traceback"),
        (200, b'{"name": "zz-canary-group"}', 0.1, False, "leaks zz-canary-group"),
    ],
)
def test_the_judge_sees_what_is_wrong(status, body, seconds, by_owner, says):
    sent = Sent("POST", "/aws/", {}, b"{}", "ListFilters", by_owner)
    assert list(complaints(sent, Answer(status, {}, body, seconds))) == [says]


def test_the_judge_lets_pass_what_the_request_said_itself():
    sent = Sent("POST", "/aws/", {}, b'{"name": "zz-canary-group"}', "DescribeDatasetGroup", by_owner=False)
    assert list(complaints(sent, Answer(404, {}, b"zz-canary-group does not exist", 0.1))) == []
