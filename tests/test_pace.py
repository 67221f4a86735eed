"""The time that a job has left is told by its measured speed and never leaps."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
from django.utils import timezone

from console import jobs
from console.models import DatasetImportJob
from console.pace import LOOK_S, MOST_RISE, Pace
from console.web.jobs import progress_of
from tests.factories import ROLE, call, make_dataset, put_object


def test_it_works():
    pace = Pace(began=0)
    assert [pace.left(0.01, 1), pace.left(0.25, 10), pace.left(0.5, 20)] == [None, 30, 20]


def test_what_is_left_counts_down_where_a_part_tells_nothing():
    pace = Pace(began=0)
    assert [pace.left(0.5, 10), pace.left(None, 14), pace.left(None, 100)] == [10, 6, 1]


def test_what_a_part_says_again_and_again_ages():
    pace = Pace(began=0)
    assert [pace.said(0.5, 10), pace.said(None, 14), pace.said(None, 100)] == [(10, 10)] * 3


@pytest.mark.parametrize("every_s", [0.5, 2.0, 7.0])
def test_a_slow_last_part_raises_it_by_a_factor_of_two_at_most(every_s):
    """The first half takes ten seconds, the second ten minutes."""
    pace, looks, now = Pace(began=0), [], 1.0
    while now < 300:
        looks.append(pace.left(now / 20 if now < 10 else 0.5 + (now - 10) / 1200, now))
        now += every_s
    rise = MOST_RISE ** max(1, every_s / LOOK_S)
    assert all(after <= before * rise for before, after in itertools.pairwise(looks))
    assert looks[-1] == pytest.approx((300 - every_s / 2) * 0.26 / 0.74, rel=0.1)


def test_a_page_counts_on_from_what_was_said_last(account):
    location = {"dataLocation": put_object("events.csv", "USER_ID,ITEM_ID,TIMESTAMP\n")}
    call(
        "CreateDatasetImportJob",
        account,
        job_name="late",
        dataset_arn=make_dataset(account),
        data_source=location,
        role_arn=ROLE,
    )
    held = jobs.claim("DatasetImportJob", DatasetImportJob.objects.get().pk)
    began = timezone.now() - timedelta(seconds=60)
    held._pace = Pace(began.timestamp())
    held.report("reading", 0.5)
    held.release()
    row = DatasetImportJob.objects.get()
    assert progress_of(row)["left"] == pytest.approx(60, abs=5)
    row.progress["leftAt"] -= 40
    assert progress_of(row)["left"] == pytest.approx(20, abs=5)
    row.progress["leftAt"] -= 40
    assert (progress_of(row)["left"], progress_of(row)["is_overdue"]) == (None, True)
    row.finished = timezone.now()
    assert progress_of(row)["left"] is None
