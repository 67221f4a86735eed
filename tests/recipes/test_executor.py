"""Every executor gives the same models and lists: threads of one process, and a small Ray cluster of real processes."""

from __future__ import annotations

import copy
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import ray

from recipes import catalogue
from recipes.base import RecipeError
from recipes.components.cooccurrence_knn import close_neighbours, cosine_neighbours
from recipes.executor import ClusterError, Threads, current, prefetch, using
from recipes.ranking import recommend
from recipes.ray_cluster import RayCluster
from recipes.recurrent.spread import spread
from recipes.run import Progress, Run, StopRequested
from recipes.tuning import tune
from tests.rays import MARKS, ray_cluster
from tests.recipes.recurrent.walking import task_on, trained, walks
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
pytestmark = MARKS


@pytest.fixture(scope="module")
def cluster():
    """A Ray of two workers on this machine."""
    with ray_cluster() as running:
        yield running


@pytest.fixture(scope="module")
def data():
    return tasteful()


@pytest.fixture
def many_pieces(monkeypatch):
    """Little work is split, too: what is a single piece is computed by whoever asks."""
    monkeypatch.setattr("recipes.numerics.cooccurrence.DENSE_CELLS", 600)
    monkeypatch.setattr("recipes.components.cooccurrence_knn.MIN_ROWS", 16)
    monkeypatch.setattr("recipes.components.cooccurrence_knn.CELLS", 16)
    monkeypatch.setattr("recipes.components.content_knn.BLOCK", 600)
    monkeypatch.setattr("recipes.components.sums.SHARD_EVENTS", 100)


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.usefixtures("many_pieces")
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


def test_a_trial_whose_worker_is_killed_is_begun_again(cluster, tmp_path):
    """Whatever it had reported before, and however much it reports then."""
    marker = tmp_path / "died"

    def die_once(watch: Callable[[Progress], None]) -> str:
        has_died = marker.exists()
        for number in range(2 if has_died else 5):
            watch(Progress(f"report {number}"))
        if not has_died:
            marker.touch()
            time.sleep(0.5)  # what was reported is on its way
            os.kill(os.getpid(), signal.SIGKILL)
        return "done"

    seen = []
    with cluster.elsewhere(die_once) as work:
        while not work.has_ended(seen.append):
            time.sleep(0.05)
        assert work.result() == "done"
    assert marker.exists()


@pytest.mark.parametrize("error", [KeyError("genre"), StopIteration(), ValueError("no")])
def test_whatever_a_trial_raises_is_raised_here(cluster, error):
    def refuse(watch: Callable[[Progress], None]) -> None:
        raise error

    with cluster.elsewhere(refuse) as work:
        while not work.has_ended(lambda _: None):
            time.sleep(0.05)
        with pytest.raises((type(error), RuntimeError)):
            work.result()


def test_a_stop_is_obeyed_while_pieces_are_computed(cluster, monkeypatch):
    """Which may take minutes each."""

    def stop() -> None:
        raise StopRequested

    monkeypatch.setattr(cluster, "_check", stop)
    began = time.monotonic()
    with using(cluster), pytest.raises(StopRequested):
        list(prefetch(lambda _: time.sleep(600), range(4)))
    assert time.monotonic() - began < 60


class DiesOnce:
    """What is shared; whoever reads it after two others dies, once."""

    def __init__(self, shared: Callable[[], object], folder: Path) -> None:
        self.shared, self.folder = shared, folder

    def __call__(self) -> object:
        died = self.folder / "died"
        if len(list(self.folder.glob("read*"))) >= 2 and not died.exists():
            died.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        (self.folder / f"read {time.monotonic_ns()}").touch()
        return self.shared()


def test_a_network_trains_on_the_workers_though_one_is_killed(cluster, monkeypatch, tmp_path):
    """Amid the second round, of which it costs a part another try: the network is the same as if nobody had died."""
    monkeypatch.setattr("recipes.recurrent.spread.LEAST_STEPS", 4)
    share = cluster.share
    with using(cluster):
        undisturbed = trained(epochs=2)
        monkeypatch.setattr(cluster, "share", lambda value: DiesOnce(share(value), tmp_path))
        disturbed = trained(epochs=2)
    assert (tmp_path / "died").exists()
    np.testing.assert_array_equal(disturbed.table, undisturbed.table)


def test_work_that_cannot_be_split_needs_no_cluster():
    with using(RayCluster("127.0.0.1:1")):
        assert list(prefetch(abs, [])) == []
        assert list(prefetch(abs, [-1])) == [1]
        task = task_on(walks())
        assert spread(task, Run()) is task


def test_a_run_that_is_sent_elsewhere_keeps_its_seed_and_the_seconds_left():
    run = Run(seed=3, max_seconds=50, on_progress=lambda _: None, started=0.0, clock=lambda: 20.0)
    arrived = copy.copy(run)  # as pickle makes it
    assert arrived.seed == 3
    assert arrived.max_seconds == 30
    assert 0 < arrived.seconds_left <= 30


def test_what_a_cluster_is_sent_is_not_larger_than_what_was_learned_from():
    """A view of an array is sent as the array that it shows: one of windows is forty times as large."""
    data = tasteful(num_users=600, num_items=50)
    size = data.interactions.user_index.nbytes + data.interactions.item_index.nbytes

    class Weighed(Threads):
        def map(self, function, tasks):
            weights.append(len(ray.cloudpickle.dumps(function)))
            return super().map(function, tasks)

    weights = []
    with using(Weighed()):
        close_neighbours(data.histories(), data.num_items, Run())
        cosine_neighbours(data.histories(), data.num_items, Run())
        catalogue.get("aws-similar-items")().fit(data, Run())
    assert len(weights) >= 2
    assert max(weights) < 3 * size


def test_a_cluster_that_is_away_is_a_plain_error():
    with pytest.raises(ClusterError, match=r"The Ray cluster at 127\.0\.0\.1:1 cannot be reached: .*refused"):
        list(RayCluster("127.0.0.1:1").map(abs, [1, 2]))
