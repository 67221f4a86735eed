"""`ENGINE=ray`: jobs compute on a cluster; one that is away is waited for."""

from __future__ import annotations

import io
import sys
import time
from functools import partial

import pytest

from console.checks import variables
from console.engine import engine
from console.errors import ServiceUnavailableException
from console.jobs import Stopped
from console.models import SolutionVersion
from recipes.executor import LostTaskError, prefetch
from tests.factories import run_batch, trained
from tests.rays import MARKS, machines
from tests.worlds import films

pytestmark = MARKS
PIECES = {
    "recipes.numerics.cooccurrence.DENSE_CELLS": 600,  # little data is split, too
    "console.runners.batch.batch_size": lambda _: 5,
    "console.runners.segments.BATCH_BYTES": 4,
}


@pytest.fixture(scope="module")
def head():
    """Where the head of a cluster is that has two workers."""
    with machines(2) as cluster:
        yield cluster.address


@pytest.fixture
def cluster(settings, monkeypatch, head):
    """Jobs may compute on the cluster."""
    for name, value in PIECES.items():
        monkeypatch.setattr(name, value)
    settings.RAY_ADDRESS = head


def test_trainings_and_batch_jobs_compute_on_a_cluster(account, run_jobs, settings, cluster):
    group, asked = films(account), [{"itemId": f"i{number}"} for number in range(12)]
    here = trained(account, run_jobs, group, "aws-sims", "here")
    lists = run_batch(account, run_jobs, here, asked, "here")
    settings.ENGINE = "ray"
    there = trained(account, run_jobs, group, "aws-sims", "there")
    assert run_batch(account, run_jobs, there, asked, "there") == lists
    first, second = SolutionVersion.objects.order_by("pk")
    assert second.metrics == pytest.approx(first.metrics, abs=1e-3)


def test_segments_are_found_on_a_cluster(account, run_jobs, settings, cluster):
    version = trained(account, run_jobs, films(account), "aws-item-affinity")
    asked = [{"itemId": "i1"}, {"itemId": "unknown"}, {"itemId": "i2"}]
    segment = partial(run_batch, account, run_jobs, version, asked, operation="CreateBatchSegmentJob")
    here = segment("here")
    settings.ENGINE = "ray"
    assert segment("there") == here


def test_a_stop_is_obeyed_while_a_cluster_computes(settings, cluster):
    settings.ENGINE = "ray"

    def stop():
        raise Stopped

    with pytest.raises(Stopped), engine(stop):
        list(prefetch(time.sleep, [600, 600]))


def test_a_worker_connects_whose_standard_error_is_a_log(settings, cluster, monkeypatch):
    """As Celery's are."""
    settings.ENGINE = "ray"
    monkeypatch.setattr(sys, "stderr", io.StringIO())  # has no file number
    with engine(lambda: None):
        assert list(prefetch(abs, [-1, -2])) == [1, 2]


def test_a_cluster_that_is_away_is_waited_for(account, run_jobs, settings, cluster):
    settings.ENGINE, settings.RAY_ADDRESS = "ray", "127.0.0.1:1"
    trained(account, run_jobs, films(account), "aws-sims")
    row = SolutionVersion.objects.get()
    assert row.status == "CREATE PENDING"
    assert "The Ray cluster at 127.0.0.1:1 cannot be reached" in str(row.progress)


def test_a_piece_that_is_lost_again_and_again_is_tried_later(settings):
    settings.ENGINE = "ray"
    with pytest.raises(ServiceUnavailableException, match="lost a task"), engine(lambda: None):
        raise LostTaskError("The Ray cluster lost a task: it died.")


def test_an_engine_that_is_not_there_is_a_mistake_in_the_settings(settings):
    settings.ENGINE = "spark"
    assert "ENGINE is 'spark'." in [mistake.msg for mistake in variables()]
