"""Find hyperparameters, or the recipe itself, by trying: optuna proposes, a validation split of the training data decides.

The frozen test set is never looked at: what is given is split again. Trials can be stored in a SQLite file, so that a search whose process
was killed is taken up again; the trial it was at is tried once more.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic, sleep

import optuna
from optuna.trial import FrozenTrial, Trial, TrialState

from recipes.base import Hyperparameter, Recipe, RecipeError, RecipeType, Scalar
from recipes.data import TrainingData
from recipes.evaluation import splits
from recipes.evaluation.evaluate import evaluate
from recipes.evaluation.splits import SegmentSplit, Split
from recipes.executor import Work, current
from recipes.run import Progress, Run, ignore_progress
from recipes.subprocess_task import Beside

METRIC = "strict_ndcg_at_25"
SEGMENT_METRIC = "recall_at_1_percent"
SALT = "validation"  # draws other users than the frozen test set does
VALIDATION = "validation_"  # how a fit names the figures that tell how it is doing
STARTUP = 5  # trials at random before the search learns from them, and before a trial can be pruned
LOOK_S = 0.1  # seconds between two looks at trials in other processes
STUDY = "tuning"
INTERRUPTED = "interrupted"  # how many trials a killed process left behind


@dataclass(frozen=True)
class Range:
    """Where to search one hyperparameter: between `low` and `high`, or among `values`."""

    name: str
    low: float | None = None
    high: float | None = None
    values: tuple[Scalar, ...] = ()


@dataclass(frozen=True)
class Attempt:
    """One trial: its number, what was tried, how good it was (None if it did not finish), how it ended, and how long it took."""

    number: int
    settings: dict[str, Scalar]
    value: float | None
    state: str
    seconds: float


@dataclass(frozen=True)
class Tuned:
    """The outcome of a search.

    Attributes:
        recipe: the best configuration.
        settings: its tuned hyperparameters.
        metric: what was maximised.
        value: how good it was on the validation split.
        attempts: all trials in order.
    """

    recipe: Recipe
    settings: dict[str, Scalar]
    metric: str
    value: float
    attempts: list[Attempt]


@dataclass(frozen=True)
class Candidate:
    """One recipe that was compared: `value` is None where the data did not allow it, for `reason`."""

    recipe: Recipe
    value: float | None
    seconds: float
    reason: str = ""


def declared_ranges(recipe: type[Recipe]) -> list[Range]:
    """The full range of every hyperparameter that may be tuned."""
    return [_full_range(parameter) for parameter in recipe.hyperparameters() if parameter.tunable]


def tune(
    recipe: Recipe,
    data: TrainingData,
    run: Run,
    *,
    ranges: Sequence[Range] | None = None,
    max_trials: int = 20,
    trial_seconds: float | None = None,
    metric: str | None = None,
    storage: Path | None = None,
    parallel: int = 1,
) -> Tuned:
    """Search `ranges` for the settings that do best on a validation split of `data`.

    Args:
        recipe: gives the values of what is not searched; its own settings are tried first.
        data: what may be learnt from; without the frozen test users.
        run: seed, budget of the whole search, and who watches ("tuning", a fraction, the best value).
        ranges: what to search; everything that may be tuned by default.
        max_trials: trials in all, those already stored included.
        trial_seconds: budget of one fit.
        metric: a figure of `recipes.evaluation.evaluate` to maximise.
        storage: a SQLite file that keeps the trials; the search goes on from what is there. One search at a time.
        parallel: how many trials are fitted at a time, each in a process of its own, or on a worker of the executor in force if
            it has some, if more than one; then what is proposed depends on which of them end first.

    Raises:
        ValueError: a range is not of this recipe, not tunable or outside what is allowed.
        RecipeError: no trial finished.
    """
    searched = declared_ranges(type(recipe)) if ranges is None else [_checked(recipe, one) for one in ranges]
    split = _validation(recipe, data)
    goal = metric or (SEGMENT_METRIC if isinstance(split, SegmentSplit) else METRIC)
    study = _study(storage, run.seed)
    if not study.trials:
        study.enqueue_trial({one.name: recipe.settings()[one.name] for one in searched if _holds(one, recipe)})
    wanted = max_trials + _take_up(study, run.seed)
    wanted = wanted if searched else min(wanted, 1)

    def tell() -> None:
        best = max((trial.value or 0.0 for trial in _finished(study)), default=0.0)
        run.on_progress(Progress("tuning", min(1.0, len(_ended(study)) / wanted), metrics={goal: best}))

    def fit(trial: Trial) -> Fit:
        tried = replace(recipe, **{one.name: _suggest(trial, recipe, one) for one in searched})
        left = [s for s in (trial_seconds, run.seconds_left) if s is not None and s != float("inf")]
        return Fit(tried, split, goal, run.seed, min(left, default=None))

    if parallel > 1:
        _side_by_side(study, wanted, fit, run, parallel, tell)
    while _goes_on(study, wanted, run):
        study.optimize(lambda trial: fit(trial)(_pruning(trial, run.on_progress)), n_trials=1, catch=(RecipeError,))
        tell()
    if not _finished(study):
        raise RecipeError(
            f"None of {len(study.trials)} trials of {recipe.name} finished; see why in the log of one fit."
        )
    settings: dict[str, Scalar] = dict(study.best_trial.params)
    return Tuned(replace(recipe, **settings), settings, goal, study.best_value, [_attempt(t) for t in study.trials])


def choose(recipes: Sequence[Recipe], data: TrainingData, run: Run, metric: str | None = None) -> list[Candidate]:
    """Compare recipes on one validation split of `data`, best first; the first is the one to take (AutoML).

    Args:
        recipes: of one type, configured.
        data: what may be learnt from; without the frozen test users.
        run: seed, budget shared evenly, and who watches.
        metric: a figure of `recipes.evaluation.evaluate` to maximise.

    Raises:
        ValueError: there is nothing to choose from.
        RecipeError: the data allow none of them.
    """
    if not recipes:
        raise ValueError("There is no recipe to choose from.")
    split = _validation(recipes[0], data)
    goal = metric or (SEGMENT_METRIC if isinstance(split, SegmentSplit) else METRIC)
    found = []
    for place, recipe in enumerate(recipes):
        run.report("choosing", place / len(recipes), message=recipe.name)
        found.append(_candidate(recipe, split, goal, run.share(1 / (len(recipes) - place))))
    found.sort(key=lambda candidate: float("-inf") if candidate.value is None else candidate.value, reverse=True)
    if found[0].value is None:
        raise RecipeError(f"No recipe can be trained on these data: {found[0].reason}")
    return found


def _candidate(recipe: Recipe, split: Split | SegmentSplit, goal: str, run: Run) -> Candidate:
    began = monotonic()
    try:
        value = evaluate(recipe.fit(split.train, run), split, run=run, resamples=1).figures[goal]
    except RecipeError as error:
        return Candidate(recipe, None, monotonic() - began, str(error))
    return Candidate(recipe, value, monotonic() - began)


@dataclass(frozen=True)
class Fit:
    """A trial's work, wherever it is done: fitting a recipe, and evaluating it."""

    recipe: Recipe
    split: Split | SegmentSplit
    goal: str
    seed: int
    seconds: float | None

    def __call__(self, watch: Callable[[Progress], None]) -> float:
        """How good it is."""
        run = Run(self.seed, self.seconds, watch)
        return evaluate(self.recipe.fit(self.split.train, run), self.split, run=run, resamples=1).figures[self.goal]


def _goes_on(study: optuna.Study, wanted: int, run: Run, begun: int = 0) -> bool:
    """Whether one more trial is wanted and there is time for it, or nothing to show yet; `begun` are being fitted."""
    return len(_ended(study)) + begun < wanted and (run.seconds_left > 0 or not (begun or _finished(study)))


def _pruning(trial: Trial, watch: Callable[[Progress], None]) -> Callable[[Progress], None]:
    """A watcher that passes progress on and ends a trial that does worse than others did by then."""

    def look(progress: Progress) -> None:
        watch(progress)
        figures = [value for name, value in progress.metrics.items() if name.startswith(VALIDATION)]
        if progress.epoch is not None and figures:
            trial.report(figures[0], progress.epoch)
            if trial.should_prune():
                raise optuna.TrialPruned

    return look


def _side_by_side(
    study: optuna.Study, wanted: int, fit: Callable[[Trial], Fit], run: Run, parallel: int, tell: Callable[[], None]
) -> None:
    """Search with several trials at a time, each in a process of its own; none is left behind, however this ends."""
    threads = max(1, (os.cpu_count() or 1) // parallel)
    with ExitStack() as leaving:
        fitting: dict[int, tuple[Trial, Work[float], ExitStack]] = {}
        while fitting or _goes_on(study, wanted, run):
            while len(fitting) < parallel and _goes_on(study, wanted, run, len(fitting)):
                trial, ending = study.ask(), leaving.enter_context(ExitStack())
                work = fit(trial)
                begun = current().elsewhere(work) or Beside(work, threads)
                ending.enter_context(begun)
                fitting[trial.number] = trial, begun, ending
            sleep(LOOK_S)
            for trial, process, ending in list(fitting.values()):
                if _has_ended(study, trial, process, run):
                    ending.close()
                    del fitting[trial.number]
            tell()


def _has_ended(study: optuna.Study, trial: Trial, process: Work[float], run: Run) -> bool:
    """Whether a trial is over; then the study knows how it went."""
    try:
        if not process.has_ended(_pruning(trial, ignore_progress)):
            return False
        study.tell(trial, process.result())
    except optuna.TrialPruned:
        study.tell(trial, state=TrialState.PRUNED)
    except (RecipeError, RuntimeError) as error:  # the latter if its process was killed, say for want of memory
        study.tell(trial, state=TrialState.FAIL)
        run.report("tuning", message=f"Trial {trial.number} failed: {error}")
    return True


def _suggest(trial: Trial, recipe: Recipe, one: Range) -> Scalar:
    if one.values:
        chosen: Scalar = trial.suggest_categorical(one.name, list(one.values))
        return chosen
    low, high = one.low or 0.0, one.high or 0.0  # `_checked` saw to both being there
    if isinstance(recipe.settings()[one.name], int):
        return int(trial.suggest_int(one.name, int(low), int(high)))
    return float(trial.suggest_float(one.name, low, high))


def _full_range(parameter: Hyperparameter) -> Range:
    if isinstance(parameter.default, bool):
        return Range(parameter.name, values=(True, False))
    return Range(parameter.name, parameter.low, parameter.high, parameter.choices)


def _checked(recipe: Recipe, one: Range) -> Range:
    """The range with its values in the hyperparameter's type."""
    known = {parameter.name: parameter for parameter in recipe.hyperparameters()}
    if one.name not in known or not known[one.name].tunable:
        tunable = ", ".join(name for name, parameter in known.items() if parameter.tunable) or "none"
        raise ValueError(f"{one.name} of {recipe.name} cannot be tuned, tunable is {tunable}.")
    parameter = known[one.name]
    if one.values:
        return Range(one.name, values=tuple(parameter.parse(value) for value in one.values))
    if one.low is None or one.high is None or one.low > one.high:
        raise ValueError(f"The range of {one.name} is {one.low} to {one.high}, it needs a lower and a higher end.")
    return Range(one.name, float(parameter.parse(one.low)), float(parameter.parse(one.high)))


def _holds(one: Range, recipe: Recipe) -> bool:
    value = recipe.settings()[one.name]
    if one.values:
        return value in one.values
    return not isinstance(value, str) and (one.low or 0) <= value <= (one.high or 0)


def _validation(recipe: Recipe, data: TrainingData) -> Split | SegmentSplit:
    return splits.segmentation(data) if recipe.type is RecipeType.USER_SEGMENTATION else splits.amazon(data, salt=SALT)


def _study(storage: Path | None, seed: int) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.create_study(
        storage=f"sqlite:///{storage}" if storage else None,
        study_name=STUDY,
        direction="maximize",
        load_if_exists=True,
        sampler=optuna.samplers.TPESampler(seed=seed, n_startup_trials=STARTUP),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=STARTUP),
    )


def _take_up(study: optuna.Study, seed: int) -> int:
    """Try again what a killed process was trying, and draw on, not anew; returns how often that happened so far."""
    left = study.get_trials(states=(TrialState.RUNNING,))
    for trial in left:
        study.tell(trial.number, state=TrialState.FAIL)
        study.enqueue_trial(trial.params)
    interrupted = int(study.user_attrs.get(INTERRUPTED, 0)) + len(left)
    if left:
        study.set_user_attr(INTERRUPTED, interrupted)
    if _ended(study):
        study.sampler = optuna.samplers.TPESampler(seed=seed + len(study.trials), n_startup_trials=STARTUP)
    return interrupted


def _finished(study: optuna.Study) -> list[FrozenTrial]:
    finished: list[FrozenTrial] = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    return finished


def _ended(study: optuna.Study) -> list[FrozenTrial]:
    return [trial for trial in study.get_trials(deepcopy=False) if trial.state.is_finished()]


def _attempt(trial: FrozenTrial) -> Attempt:
    seconds = trial.duration.total_seconds() if trial.duration else 0.0
    value = trial.value if trial.state is TrialState.COMPLETE else None  # of a pruned one optuna tells the last epoch's
    return Attempt(trial.number, dict(trial.params), value, trial.state.name, seconds)
