"""Whatever an address has behind its question mark, a page answers, or says what is wrong; none ends in an error of the server."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

import pytest
from django.db import connection

from tests.web import showcase

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
WEB = Path(__file__).resolve().parents[2] / "console" / "web"
ODD = (
    "abc",
    "-1",
    "²",
    "9" * 400,
    "1e999",
    "nan",
    "",
    "a&b=ü|\"'",
    "arn:aws:personalize:::x",
)
NUL = "a\x00b"  # the front refuses it (`test_front`), as PostgreSQL would
TIMES = 2  # that a part of the names is drawn for each value


def names() -> list[str]:
    """Every name that a page reads of its address."""
    sources = "\n".join(path.read_text() for path in sorted(WEB.rglob("*.py")))
    read = re.findall(r'(?:GET|params|query)(?:\.get|\.getlist)?[(\[]"([a-z_]+)"', sources)
    listed = re.search(r"TEXTS = \(([^)]*)\)", sources)
    assert listed is not None
    return sorted({*read, *re.findall(r'"([a-z_]+)"', listed[1])})


def test_no_address_ends_in_an_error(alice, account, counted, run_jobs):
    pages = {*showcase.build(account, run_jobs).values(), *(f"/campaigns/front-page/{more}" for more in showcase.PANEL)}
    pages = sorted({*(page.partition("?")[0] for page in pages), "/create/datasets/preview/check/"})
    alice.raise_request_exception = False
    dice, known, failed = Random(0), names(), []
    assert len(known) > 30
    for page in pages:
        for value in (*ODD, *([NUL] if connection.vendor == "sqlite" else [])):
            for part in (known, *(dice.sample(known, len(known) // 3) for _ in range(TIMES))):
                answer = alice.get(page, dict.fromkeys(part, value))
                if answer.status_code >= 500:
                    failed.append(f"{page}: {answer.status_code} with {value[:20]!r} for {', '.join(part)}")
    assert not failed, "\n".join(failed[:20])
