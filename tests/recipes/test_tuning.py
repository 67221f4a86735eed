"""Tuning and AutoML: the search finds what is planted, keeps to budget and ranges, prunes, resumes and can be stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from time import sleep

import numpy as np
import pytest

from recipes.base import Recipe, RecipeError, RecipeType, hyperparameter
from recipes.evaluation import splits
from recipes.evaluation.evaluate import evaluate
from recipes.methods.item_affinity import ItemAffinity
from recipes.methods.popularity import PopularityCount, PopularityModel
from recipes.methods.sims import Sims
from recipes.run import Run, StopRequested
from recipes.tuning import Range, choose, declared_ranges, tune
from tests.recipes import worlds


@dataclass(frozen=True)
class Planted(Recipe):
    """Better the nearer `dial` is to 7, and with the switch on."""

    name = "planted"
    type = RecipeType.USER_PERSONALIZATION
    summary = "Known to the tests alone."
    model = PopularityModel

    dial: int = hyperparameter(50, low=0, high=100, tunable=True, help="Best at 7.")
    switch: bool = hyperparameter(False, tunable=True, help="Best on.")
    fixed: float = hyperparameter(1.0, low=0, high=2, help="Not to be tuned.")
    epochs: int = hyperparameter(3, low=1, high=9, help="How long it takes.")

    def fit(self, data, run):
        quality = 1 - abs(self.dial - 7) / 100 - (0 if self.switch else 0.3)
        for epoch in range(1, self.epochs + 1):
            run.report("training", epoch=epoch, validation_ndcg=quality)
        popular = np.bincount(data.interactions.item_index, minlength=data.num_items)
        noise = np.random.default_rng(0).permutation(data.num_items)
        return PopularityModel(self, (quality**3 * popular + (1 - quality) * 10 * noise).astype(np.float32))


@dataclass(frozen=True)
class Impossible(PopularityCount):
    """Never fits."""

    name = "impossible"

    def fit(self, data, run):
        raise RecipeError("There is not enough of anything.")


@pytest.fixture(scope="module")
def data():
    return worlds.tasteful(num_users=200)


def test_it_works(data):
    tuned = tune(Planted(), data, Run(seed=1), max_trials=25)
    assert tuned.recipe == Planted(dial=tuned.settings["dial"], switch=tuned.settings["switch"])
    assert len(tuned.attempts) == 25
    done = [attempt.value for attempt in tuned.attempts if attempt.value is not None]
    assert tuned.value == max(done) > done[0]
    split = splits.amazon(data, salt="validation")
    assert evaluate(tuned.recipe.fit(split.train, Run()), split).figures[tuned.metric] == pytest.approx(tuned.value)


def test_the_first_trial_is_what_was_given(data):
    (first, *_) = tune(Planted(dial=33), data, Run(), max_trials=2).attempts
    assert first.settings == {"dial": 33, "switch": False}


def test_the_same_seed_tries_the_same(data):
    tried = [[a.settings for a in tune(Planted(), data, Run(seed=seed), max_trials=6).attempts] for seed in (1, 1, 2)]
    assert tried[0] == tried[1] != tried[2]


def test_bad_trials_are_pruned(data):
    attempts = tune(Planted(epochs=9), data, Run(seed=1), max_trials=25).attempts
    assert {attempt.state for attempt in attempts} == {"COMPLETE", "PRUNED"}


def test_only_the_ranges_asked_for_are_searched(data):
    tuned = tune(Planted(), data, Run(), ranges=[Range("dial", 20, 30)], max_trials=5)
    assert all(20 <= attempt.settings["dial"] <= 30 for attempt in tuned.attempts)
    assert all(attempt.settings.keys() == {"dial"} for attempt in tuned.attempts)
    values = tune(Planted(), data, Run(), ranges=[Range("dial", values=("3", "4"))], max_trials=4)
    assert {attempt.settings["dial"] for attempt in values.attempts} <= {3, 4}


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (Range("fixed", 0, 1), "fixed of planted cannot be tuned, tunable is dial, switch"),
        (Range("never", 0, 1), "never of planted cannot be tuned"),
        (Range("dial", -5, 10), "dial is -5"),
        (Range("dial", 10, 500), "dial is 500"),
        (Range("dial", 10, 5), "10 to 5"),
        (Range("dial"), "None to None"),
    ],
)
def test_it_rejects_ranges_that_make_no_sense(data, wrong, complaint):
    with pytest.raises(ValueError, match=complaint):
        tune(Planted(), data, Run(), ranges=[wrong])


def test_a_search_is_taken_up_where_it_was_left(data, tmp_path):
    storage = tmp_path / "trials.sqlite3"
    first = tune(Planted(), data, Run(), max_trials=3, storage=storage)
    second = tune(Planted(), data, Run(), max_trials=5, storage=storage)
    assert [a.settings for a in second.attempts[:3]] == [a.settings for a in first.attempts]
    assert len(second.attempts) == 5
    assert len(tune(Planted(), data, Run(), max_trials=5, storage=storage).attempts) == 5


def test_a_search_goes_on_when_its_process_was_killed(data, tmp_path):
    """The process dies in its third trial; the next one tries that again and does all that was asked for."""
    storage = tmp_path / "trials.sqlite3"
    program = f"""
import os, signal
from pathlib import Path
from recipes.run import Run
from recipes.tuning import tune
from tests.recipes import worlds
from tests.recipes.test_tuning import Planted

class Mortal(Planted):
    fits = 0
    def fit(self, data, run):
        Mortal.fits += 1
        if Mortal.fits == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().fit(data, run)

tune(Mortal(), worlds.tasteful(num_users=200), Run(), max_trials=5, storage=Path({str(storage)!r}))
"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == -signal.SIGKILL
    attempts = tune(Planted(), data, Run(), max_trials=5, storage=storage).attempts

    assert [attempt.state for attempt in attempts].count("FAIL") == 1
    assert attempts[2].state == "FAIL"
    assert attempts[3].settings == attempts[2].settings
    assert sum(attempt.state in {"COMPLETE", "PRUNED"} for attempt in attempts) == 5
    settings = [tuple(attempt.settings.values()) for attempt in attempts if attempt.state != "FAIL"]
    assert len(set(settings)) == 5, "what was tried before is not drawn again"


def test_a_budget_ends_the_search_after_the_first_finished_trial(data):
    assert len(tune(Planted(), data, Run(max_seconds=0.0001), max_trials=50).attempts) == 1


def test_it_can_be_stopped(data):
    def stop(progress):
        if progress.stage == "tuning":
            raise StopRequested

    with pytest.raises(StopRequested):
        tune(Planted(), data, Run(on_progress=stop), max_trials=5)


def children() -> list[int]:
    """The processes that this one has begun for trials."""
    begun = [int(pid) for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split()]
    return [pid for pid in begun if b"recipes.subprocess_task" in command_of(pid)]


def command_of(pid: int) -> bytes:
    """A process's command line; empty if it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def test_trials_side_by_side_find_as_much(data):
    seen = set()

    def watch(progress):
        seen.add(len(children()))

    tuned = tune(Planted(epochs=9), data, Run(seed=1, on_progress=watch), max_trials=4, parallel=3)

    assert max(seen) == 3
    assert len(tuned.attempts) == 4
    assert {attempt.state for attempt in tuned.attempts} <= {"COMPLETE", "PRUNED"}
    split = splits.amazon(data, salt="validation")
    assert evaluate(tuned.recipe.fit(split.train, Run()), split).figures[tuned.metric] == pytest.approx(tuned.value)
    assert not children()


def test_a_trial_whose_process_is_killed_fails_alone(data):
    killed = []

    def kill_the_first(progress):
        if not killed and (begun := children()):
            os.kill(begun[0], signal.SIGKILL)
            killed.append(begun[0])

    attempts = tune(Planted(), data, Run(on_progress=kill_the_first), max_trials=3, parallel=2).attempts
    assert sorted(attempt.state for attempt in attempts) == ["COMPLETE", "COMPLETE", "FAIL"]


def test_a_search_that_is_stopped_leaves_no_process(data):
    def stop(progress):
        if children():
            raise StopRequested

    with pytest.raises(StopRequested):
        tune(Planted(), data, Run(on_progress=stop), max_trials=4, parallel=2)
    assert not children()


def test_trials_end_with_a_process_that_is_killed(tmp_path):
    """Its processes are gone within seconds, and so are their files."""
    program = """
import os, signal, sys
from recipes.run import Run
from recipes.tuning import tune
from recipes.methods.user_personalization import UserPersonalization
from tests.recipes import worlds
from tests.recipes.test_tuning import children

def die(progress):
    begun = children()
    if begun:
        print(*begun, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

tune(UserPersonalization(), worlds.tasteful(num_users=2000), Run(on_progress=die), max_trials=4, parallel=2)
"""
    found = subprocess.run(
        [sys.executable, "-c", program],
        check=False, capture_output=True, text=True, env=os.environ | {"TMPDIR": str(tmp_path)},
    )  # fmt: skip
    assert found.returncode == -signal.SIGKILL
    left = [int(pid) for pid in found.stdout.split()]
    assert len(left) == 2
    for _ in range(100):
        if not any(Path(f"/proc/{pid}").exists() for pid in left) and not list(tmp_path.iterdir()):
            return
        sleep(0.2)
    pytest.fail(f"{left} go on, or left {list(tmp_path.iterdir())}")


def test_recipes_that_never_fit_are_told(data):
    with pytest.raises(RecipeError, match="impossible"):
        tune(Impossible(), data, Run(), max_trials=2)


def test_real_recipes_and_segments_can_be_tuned(data):
    assert {one.name for one in declared_ranges(Sims)} == {"popularity_discount_factor", "min_cointeraction_count"}
    assert tune(Sims(), data, Run(), max_trials=3).value > 0
    assert tune(ItemAffinity(), data, Run(), max_trials=2).metric == "recall_at_1_percent"


def test_the_best_recipe_is_chosen_and_those_that_cannot_are_named(data):
    found = choose([Impossible(), PopularityCount(), Sims()], data, Run())
    assert [candidate.recipe.name for candidate in found] == ["aws-sims", "aws-popularity-count", "impossible"]
    assert found[-1].reason == "There is not enough of anything."
    with pytest.raises(RecipeError, match="not enough"):
        choose([Impossible()], data, Run())
    with pytest.raises(ValueError, match="no recipe"):
        choose([], data, Run())
