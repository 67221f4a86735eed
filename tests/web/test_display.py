"""How values are shown; the examples in the modules' docstrings hold."""

from __future__ import annotations

import doctest
from datetime import UTC, datetime
from importlib import import_module

import pytest

from console.web.templatetags import display


@pytest.mark.parametrize(
    "name",
    [
        "templatetags.display",
        "lists",
        "data.facts",
        "data.column_forms",
        "plots.model",
        "plots.words",
        "live_charts",
        "placeholders",
        "lookouts",
    ],
)
def test_the_examples_hold(name):
    assert doctest.testmod(import_module(f"console.web.{name}")).failed == 0


def test_a_status_has_a_word_and_a_look():
    assert display.status("CREATE IN_PROGRESS") == '<span class="status working">Create in progress</span>'
    assert "failed" in display.status("CREATE FAILED")
    assert "active" in display.status("COMPLETED")


def test_times_have_the_exact_one_on_hover():
    shown = display.ago(datetime(2020, 5, 1, 12, tzinfo=UTC))
    assert 'title="2020-05-01 12:00:00 UTC"' in shown
    assert "years ago" in shown


def test_what_people_write_is_escaped():
    assert "<script>" not in display.arn("arn:aws:personalize:::<script>")
    assert "<script>" not in display.sparkbars([{"label": "<script>", "count": 1}])
