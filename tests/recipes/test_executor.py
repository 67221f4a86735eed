"""Every executor gives the same models and lists: threads of one process, and a small Ray cluster of real processes."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from recipes import catalogue
from recipes.base import RecipeError
from recipes.executor import ClusterError, RayCluster, Threads, current, prefetch, using
from recipes.ranking import recommend
from recipes.run import Progress, Run
from recipes.tuning import tune
from tests.recipes.worlds import tasteful

SETTINGS = {"aws-user-personalization": {"mode": "fast"}, "aws-personalized-ranking": {"mode": "fast"}}
RECIPES = (
    "aws-user-personalization",
    "aws-personalized-ranking",
    "aws-sims",
    "aws-similar-items",
    "aws-popularity-count",
    "aws-trending-now",
)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("ray"),
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::ResourceWarning"),
]


@pytest.fixture(scope="module")
def cluster():
    """A Ray of two workers on this machine, which find the recipes and the tests."""
    root = str(Path(__file__).resolve().parents[2])
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [root, before]))
    running = RayCluster(workers=2)
    yield running
    running.close()
    os.environ.pop("PYTHONPATH")
    if before is not None:
        os.environ["PYTHONPATH"] = before


@pytest.fixture(scope="module")
def data():
    return tasteful()


@pytest.mark.parametrize("name", RECIPES)
def test_a_cluster_fits_and_ranks_as_threads_do(cluster, data, name):
    recipe = catalogue.get(name)(**SETTINGS.get(name, {}))
    here = recipe.fit(data, Run(seed=3))
    with using(cluster):
        there = recipe.fit(data, Run(seed=3))
        assert there.num_items == here.num_items
        if recipe.type != "RELATED_ITEMS":
            lists = recommend(there, data.histories(), 5, batch_size=16)
            assert np.array_equal(lists.items, recommend(here, data.histories(), 5, batch_size=16).items)
    assert isinstance(current(), Threads)
    if recipe.type == "RELATED_ITEMS":
        queries = np.arange(10)
        np.testing.assert_allclose(there.related(queries), here.related(queries), rtol=1e-4, atol=1e-5)
    else:
        np.testing.assert_allclose(there.score(data.histories()), here.score(data.histories()), rtol=1e-4, atol=1e-4)


def test_results_come_in_the_order_of_the_tasks(cluster):
    def late(task: int) -> int:
        time.sleep(0.2 if task == 0 else 0.0)
        return task

    with using(cluster):
        assert list(prefetch(late, range(6))) == list(range(6))


def test_what_a_task_raises_is_raised_here(cluster):
    def refuse(task: int) -> int:
        raise ValueError(f"{task} is not allowed")

    with using(cluster), pytest.raises(ValueError, match="1 is not allowed"):
        list(prefetch(refuse, [1]))


def test_a_killed_worker_costs_its_task_another_try_and_not_the_job(cluster, tmp_path):
    marker = str(tmp_path / "died")

    def die_once(task: int) -> int:
        if task == 2 and not os.path.exists(marker):  # noqa: PTH110  runs in a worker
            open(marker, "w").close()  # noqa: PTH123
            os.kill(os.getpid(), signal.SIGKILL)
        return task * task

    with using(cluster):
        assert list(prefetch(die_once, range(5))) == [0, 1, 4, 9, 16]
    assert Path(marker).exists()


def test_trials_are_fitted_on_the_workers(cluster, data):
    """And their progress comes back, so that one that does worse than others is ended early."""
    seen = []

    def fit(watch: Callable[[Progress], None]) -> tuple[int, int]:
        model = catalogue.get("aws-user-personalization")(mode="fast").fit(data, Run(on_progress=watch))
        return os.getpid(), model.num_items

    with cluster.elsewhere(fit) as work:
        while not work.has_ended(seen.append):
            time.sleep(0.05)
        worker, num_items = work.result()
    assert worker != os.getpid()
    assert num_items == data.num_items
    assert {progress.stage for progress in seen} >= {"preparing", "validating"}
    with using(cluster):
        found = tune(catalogue.get("aws-sims")(), data, Run(seed=1), max_trials=3, parallel=2)
    assert [attempt.state for attempt in found.attempts] == ["COMPLETE"] * 3


def test_what_a_trial_raises_is_raised_here(cluster):
    def refuse(watch: Callable[[Progress], None]) -> None:
        raise RecipeError("There are no interactions.")

    with cluster.elsewhere(refuse) as work:
        while not work.has_ended(lambda _: None):
            time.sleep(0.05)
        with pytest.raises(RecipeError, match="no interactions"):
            work.result()


def test_a_trial_is_ended_with_its_context(cluster, tmp_path):
    marker = tmp_path / "went on"

    def wait(watch: Callable[[Progress], None]) -> None:
        watch(Progress("waiting"))
        time.sleep(600)
        marker.touch()

    seen = []
    with cluster.elsewhere(wait) as work:
        while not seen:
            assert not work.has_ended(seen.append)
            time.sleep(0.05)
    with using(cluster):  # the worker's place is free again
        assert list(prefetch(abs, [-1, -2, -3])) == [1, 2, 3]
    assert not marker.exists()


def test_a_cluster_that_is_away_is_a_plain_error():
    with pytest.raises(ClusterError, match=r"The Ray cluster at 127\.0\.0\.1:1 cannot be reached: .*refused"):
        RayCluster("127.0.0.1:1")
