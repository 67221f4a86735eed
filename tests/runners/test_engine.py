"""`ENGINE=ray`: jobs compute on a cluster; one that is away is waited for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from console.checks import environment
from console.models import SolutionVersion
from tests.factories import trained
from tests.worlds import films

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("ray"),
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::ResourceWarning"),
]


def test_a_training_computes_on_a_cluster(account, run_jobs, settings, monkeypatch):
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join([str(Path(__file__).resolve().parents[2]), os.environ.get("PYTHONPATH", "")])
    )
    group = films(account)
    trained(account, run_jobs, group, "aws-sims", "here")
    settings.ENGINE, settings.RAY_WORKERS = "ray", 2
    trained(account, run_jobs, group, "aws-sims", "there")
    here, there = SolutionVersion.objects.order_by("pk")
    assert there.status == "ACTIVE", (there.failure_reason, there.traceback)
    assert there.metrics == pytest.approx(here.metrics, abs=1e-3)


def test_a_cluster_that_is_away_is_waited_for(account, run_jobs, settings):
    settings.ENGINE, settings.RAY_ADDRESS = "ray", "127.0.0.1:1"
    trained(account, run_jobs, films(account), "aws-sims")
    row = SolutionVersion.objects.get()
    assert row.status == "CREATE PENDING"
    assert "The Ray cluster at 127.0.0.1:1 cannot be reached" in str(row.progress)


def test_an_engine_that_is_not_there_is_a_mistake_in_the_settings(settings):
    settings.ENGINE = "spark"
    assert "ENGINE is 'spark'." in [mistake.msg for mistake in environment()]
