"""User-Personalization: what a person wants next, from all that is known, mixed as the data at hand ask for."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from recipes.base import Model, ModelClass, Recipe, RecipeType, hyperparameter
from recipes.components.fit_context import Settings
from recipes.data import TrainingData
from recipes.run import Run
from recipes.stacking.fit import fit_stack, refit_stack
from recipes.stacking.model import StackedModel
from recipes.stacking.updating import relearn_stack, update_stack

MODES = ("auto", "quick", "fast", "full")
QUICK_SECONDS, QUICK_AGAIN_SECONDS = 8.0, 3.0  # in the quick mode, for choosing and for fitting once more on everything


def _mode() -> Any:
    return hyperparameter(
        "auto",
        choices=MODES,
        help="quick takes what a few seconds find, fast uses closed forms only, full always trains the network too; auto sees what helps.",
    )


def engine_mode(mode: str) -> str:
    """The engine's mode of a recipe's: the quick one is the fast one under a time budget."""
    return "fast" if mode == "quick" else mode


@dataclass(frozen=True)
class StackRecipe(Recipe):
    """A recipe whose model is a stack; a kind of it says what its hyperparameters mean to the engine."""

    type: ClassVar[RecipeType] = RecipeType.USER_PERSONALIZATION
    datasets: ClassVar[tuple[str, ...]] = ("INTERACTIONS", "USERS", "ITEMS")
    updates: ClassVar[bool] = True
    has_scores: ClassVar[bool] = True
    model: ClassVar[ModelClass] = StackedModel

    @abstractmethod
    def engine_settings(self, data: TrainingData) -> Settings:
        """What the hyperparameters mean to the engine."""

    def fit(self, data: TrainingData, run: Run) -> Model:
        """Fit the engine."""
        return fit_stack(self, self.engine_settings(data), data, self._within(run, QUICK_SECONDS))

    def refit(self, model: Model, data: TrainingData, run: Run) -> Model:
        """What was chosen for `model`, fitted on everything; its network goes on from where it stood."""
        if not isinstance(model, StackedModel):
            return self.fit(data, run)
        return refit_stack(model, self.engine_settings(data), data, self._within(run, QUICK_AGAIN_SECONDS))

    def _within(self, run: Run, seconds: float) -> Run:
        """The run with a budget of so many more seconds in the quick mode, unless it has less."""
        if getattr(self, "mode", "") != "quick":
            return run
        budget = run.clock() - run.started + seconds
        return replace(run, max_seconds=budget if run.max_seconds is None else min(budget, run.max_seconds))

    def update(self, model: Model, data: TrainingData, run: Run) -> Model:
        """New items and counts, without learning from sequences anew; the model's ids must come first in `data`."""
        if not self.updates or not isinstance(model, StackedModel):
            return super().update(model, data, run)
        return update_stack(model, self.engine_settings(data), data, run)

    def relearned(self, model: Model, data: TrainingData, run: Run) -> Model | None:
        """The base models and new items' relevance, learned from `data`; without the network."""
        return relearn_stack(model, self.engine_settings(data), data, run) if isinstance(model, StackedModel) else None


@dataclass(frozen=True)
class UserPersonalization(StackRecipe):
    """aws-user-personalization: the relevance engine, to which serving adds exploration."""

    name: ClassVar[str] = "aws-user-personalization"
    summary: ClassVar[str] = "Recommends what each user is likely to want next, and explores new items."
    explores: ClassVar[bool] = True

    hidden_dimension: int = hyperparameter(
        149, low=32, high=256, tunable=True, help="Width of the network's memory; wider learns more and takes longer."
    )
    bptt: int = hyperparameter(
        32, low=2, high=32, tunable=True, help="How many events back an event's influence is learned."
    )
    recency_mask: bool = hyperparameter(
        True, tunable=True, help="Whether items that were popular of late are preferred."
    )
    min_user_history_length_percentile: float = hyperparameter(
        0.0,
        low=0.0,
        high=1.0,
        featurization=True,
        help="Users with shorter histories than this share of users are left out.",
    )
    max_user_history_length_percentile: float = hyperparameter(
        0.99,
        low=0.0,
        high=1.0,
        featurization=True,
        help="Histories longer than those of this share of users are cut to their newest events.",
    )
    mode: str = _mode()

    def engine_settings(self, data: TrainingData) -> Settings:  # noqa: ARG002  recipes built on this one look at it
        """What the hyperparameters mean to the engine."""
        return Settings(
            self.hidden_dimension,
            self.bptt,
            self.recency_mask,
            self.min_user_history_length_percentile,
            self.max_user_history_length_percentile,
            engine_mode(self.mode),
        )


@dataclass(frozen=True)
class UserPersonalizationV2(StackRecipe):
    """aws-user-personalization-v2: the same engine with v2's one setting; exploration is fixed by the service."""

    name: ClassVar[str] = "aws-user-personalization-v2"
    summary: ClassVar[str] = "Recommends what each user is likely to want next, with nothing to set."

    apply_recency_bias: bool = hyperparameter(True, help="Whether recent events and recently popular items weigh more.")
    mode: str = _mode()

    def engine_settings(self, data: TrainingData) -> Settings:  # noqa: ARG002  its settings are the same for all data
        """What the hyperparameters mean to the engine."""
        return Settings(recency=self.apply_recency_bias, mode=engine_mode(self.mode))
