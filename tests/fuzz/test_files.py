"""Files of every dialect and damage are read whole: each row is imported as its maker means it, or listed."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings

from console.scratch import scratch_folder
from tests.fuzz import files
from tests.fuzz.judging import Report
from tests.fuzz.language import DICE


@settings(max_examples=40, deadline=None)
@given(DICE)
def test_no_row_of_a_file_vanishes(dice: Random):
    made = files.a_file(dice)
    with scratch_folder() as folder:
        assert files.complaint(made, Path(folder)) == "", made.told


@pytest.mark.slow
def test_many_files():
    report = Report()
    files.fuzz(report, 60, 20261128)
    assert report.findings == {}
    assert report.cases["files"] == 60
    assert report.cases["columns of the type meant"] >= 0.95 * report.cases["columns"] > 0


def test_the_judge_sees_a_row_that_is_gone():
    made = files.a_file(Random(3))
    made.rows.append(files.Row(["u", "i-gone", "1", "x", "1"], 1))
    with scratch_folder() as folder:
        assert "a row vanished" in files.complaint(made, Path(folder))
