"""docs/operations.md against the service models and what is registered: every operation is there, and says what is true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from console.operations.base import OPERATIONS
from console.shapes import AWS_SERVICES, OPERATION_MODELS, OURS, SERVICES

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"
ROW = re.compile(r"^\| (\w+) \| (supported|partly|not) \| (.+) \|$", re.MULTILINE)


@pytest.fixture(scope="module")
def rows() -> dict[str, tuple[str, str]]:
    """Status and remark by operation."""
    found = ROW.findall(PAGE.read_text())
    assert len(found) == len({name for name, _, _ in found}), "an operation stands twice"
    return {name: (status, remark) for name, status, remark in found}


def test_every_operation_has_a_row(rows):
    assert set(rows) == set(OPERATION_MODELS)
    assert sum(len(SERVICES[service].operation_names) for service in AWS_SERVICES) == 79


def test_what_is_supported_is_registered(rows):
    assert {name for name, (status, _) in rows.items() if status != "not"} == set(OPERATIONS)


def test_what_is_partly_supported_says_why(rows):
    for name, (status, remark) in rows.items():
        assert status == "supported" or len(remark) > 20, name


def test_ours_are_under_a_heading_of_their_own(rows):
    ours = PAGE.read_text().partition("## Beyond AWS")[2]
    assert {name for name, _, _ in ROW.findall(ours)} == set(SERVICES[OURS].operation_names)
