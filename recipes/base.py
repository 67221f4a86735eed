"""The contract of every recipe: an unfitted `Recipe` is `fit` on `TrainingData` and gives a fitted `Model`.

A recipe is a frozen dataclass whose fields are its hyperparameters. Each field carries its range, its help and whether
tuning may change it, so that one declaration draws the form, validates the API and feeds the search.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from recipes.data import Histories, TrainingData
from recipes.numerics.arrays import Floats, Indexes
from recipes.numerics.candidates import Candidates
from recipes.run import Run

Scalar: TypeAlias = bool | int | float | str


class RecipeError(Exception):
    """The data do not allow what was asked; the message is a sentence for the person who asked."""


class RecipeType(StrEnum):
    """What a recipe is for, in AWS's words; decides the inference inputs."""

    USER_PERSONALIZATION = "USER_PERSONALIZATION"
    POPULAR_ITEMS = "POPULAR_ITEMS"
    PERSONALIZED_RANKING = "PERSONALIZED_RANKING"
    RELATED_ITEMS = "RELATED_ITEMS"
    USER_SEGMENTATION = "USER_SEGMENTATION"
    PERSONALIZED_ACTIONS = "PERSONALIZED_ACTIONS"


@dataclass(frozen=True)
class Hyperparameter:
    """One declared hyperparameter, read from a recipe's dataclass field.

    Attributes:
        name: the field's name, AWS's where AWS documents it.
        default: its value when nothing is said; its type is the parameter's type.
        low, high: inclusive bounds of a number.
        choices: allowed values of a string.
        tunable: whether tuning may change it.
        featurization: whether AWS passes it in `featureTransformationParameters`.
        help: one sentence on what it does.
    """

    name: str
    default: Scalar
    low: float | None
    high: float | None
    choices: tuple[str, ...]
    tunable: bool
    featurization: bool
    help: str

    def parse(self, text: Scalar) -> Scalar:
        """Turn `text` (AWS sends strings) into this parameter's type and check its range.

        Raises:
            ValueError: naming the parameter, the value and what is allowed.
        """
        value = self._convert(text)
        outside = (self.low is not None and value < self.low) or (self.high is not None and value > self.high)  # type: ignore[operator]
        if outside or (self.choices and value not in self.choices) or value != value:  # noqa: PLR0124  NaN
            raise ValueError(f"{self.name} is {text}, allowed is {self.allowed}.")
        return value

    @property
    def allowed(self) -> str:
        """The permitted values in words, for help texts and errors."""
        if self.choices:
            return "one of " + ", ".join(self.choices)
        if isinstance(self.default, bool):
            return "true or false"
        kind = "a whole number" if isinstance(self.default, int) else "a number"
        if self.low is None:
            return kind
        return f"{kind} of at least {self.low:g}" if self.high is None else f"{kind} from {self.low:g} to {self.high:g}"

    def _convert(self, text: Scalar) -> Scalar:
        written = str(text).strip()
        try:
            match self.default:
                case bool():
                    return {"true": True, "false": False}[written.lower()]
                case int():
                    return int(float(written)) if float(written).is_integer() else int(written)
                case float():
                    return float(written)
                case _:
                    return written
        except (ValueError, KeyError, OverflowError):
            raise ValueError(f"{self.name} is {text!r}, allowed is {self.allowed}.") from None


def hyperparameter(
    default: Scalar,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: Sequence[str] = (),
    tunable: bool = False,
    featurization: bool = False,
    help: str,  # noqa: A002  reads as it is shown
) -> Any:
    """A dataclass field that declares a `Hyperparameter`."""
    declared = {
        "low": low,
        "high": high,
        "choices": tuple(choices),
        "tunable": tunable,
        "featurization": featurization,
        "help": help,
    }
    return field(default=default, metadata={"hyperparameter": declared})


@dataclass(frozen=True)
class State:
    """All that a fitted model is made of, ready to be written: arrays and plain JSON values."""

    tensors: dict[str, NDArray[Any]]
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Contribution:
    """How much one event of a history raises (positive) or lowers (negative) an item's score.

    Attributes:
        position: index into the history, oldest first; -1 for what no event explains (popularity, metadata).
        weight: share of the item's score, in score units.
        label: what it is in words when `position` is -1.
    """

    position: int
    weight: float
    label: str = ""


class Model(ABC):
    """A fitted recipe: arrays, and what they answer. Items and users are internal indexes of the data it was fitted on.

    A model scores all N items of its catalogue; masking, top k and ids are `recipes.ranking`'s work. Scores are comparable
    within one row only; higher is better; -inf marks an item that the model cannot recommend.
    """

    def __init__(self, recipe: Recipe, num_items: int) -> None:
        """Keep the configuration that made this model and the size of its catalogue."""
        self.recipe = recipe
        self.num_items = num_items

    @abstractmethod
    def score(self, histories: Histories) -> Floats:
        """Score every item for each of B histories.

        Args:
            histories: B users' events, oldest first; an empty history gets the fallback (popular items).

        Returns:
            (B, N) float32, writable.
        """

    @property
    def approximates(self) -> bool:
        """Whether `list_scores` is cheaper than `score`, and may differ from it."""
        return False

    def list_scores(self, history: Histories, candidates: Candidates) -> Floats:
        """Score every item for one history of which a list is wanted; scores of items that are no candidates may be approximate.

        Returns:
            (1, N) float32, writable.
        """
        return self.score(history)

    def prepare(self, histories: Histories, run: Run) -> None:  # noqa: B027  most models have nothing to compute ahead
        """Compute ahead what requests for these users need, before the model is stored, as far as time allows.

        Args:
            histories: all users' events as requests will hold them, in the order of their indexes.
            run: its budget, and who watches.
        """

    def related(self, items: Indexes) -> Floats:
        """Score every item by its relation to each of Q query items: (Q, N) float32; -1 as a query means unknown."""
        raise TypeError(f"{self.recipe.name} does not offer related items.")

    def has_relations(self, items: Indexes) -> NDArray[np.bool_]:
        """Whether `related` has more than popularity to go by for each of Q query items: (Q,); -1 as a query means unknown."""
        return items >= 0

    def segment(self, items: Indexes) -> Floats:
        """Score every user by affinity to each of Q items: (Q, U) float32."""
        raise TypeError(f"{self.recipe.name} does not offer user segments.")

    def probabilities(self, scores: Floats, items: Indexes | None = None) -> Floats:
        """Turn scores into what is shown: softmax over the catalogue, as AWS's scores sum to 1.

        Args:
            scores: (B, N).
            items: (B, K) whose probabilities are wanted; those of all N by default.
        """
        shares = scores - scores.max(axis=1, keepdims=True)
        np.exp(shares, out=shares)
        total = shares.sum(axis=1, keepdims=True)
        return np.asarray(at_items(shares, items) / total, np.float32)

    def explain(self, history: Histories, item: int) -> list[Contribution]:
        """What in the one given history speaks for `item`, strongest first; by leave-one-out where no exact way exists."""
        size = len(history.item_index)
        if size == 0:
            return []
        variants = Histories.concatenate([history, *(history.without(position) for position in range(size))])
        scores = self.score(variants)[:, item]
        weights = [Contribution(position, float(scores[0] - scores[1 + position])) for position in range(size)]
        return sorted(weights, key=lambda contribution: -contribution.weight)

    @abstractmethod
    def forget_users(self, users: Indexes) -> Self:
        """Return the model without the rows, items and counts that it holds of these users; `self` if it holds none.

        Args:
            users: indexes of the data it was fitted on.
        """

    @abstractmethod
    def state(self) -> State:
        """What must be stored so that `from_state` gives an equal model."""

    @classmethod
    @abstractmethod
    def from_state(cls, recipe: Recipe, num_items: int, state: State) -> Self:
        """Rebuild the model; `state.tensors` may be read-only memory maps."""


def at_items(values: Floats, items: Indexes | None) -> Floats:
    """(B, K) of (B, N) values at (B, K) items; all of them for None."""
    return values if items is None else values[np.arange(len(items))[:, None], items]


ModelClass: TypeAlias = type[Model]  # inside Recipe the word `type` is its own attribute


@dataclass(frozen=True)
class Recipe(ABC):
    """An unfitted recommender: its fields are its hyperparameters, checked when it is made.

    Class attributes:
        name: AWS's name, e.g. "aws-sims".
        type: decides the inference inputs.
        summary: one sentence on when to use it.
        datasets: dataset types it reads; the first `required` of them must be there.
        explores: whether exploration settings apply at serving.
        updates: whether UPDATE training is offered.
        has_scores: whether AWS returns scores with its recommendations.
        model: the class of its fitted models.
    """

    name: ClassVar[str]
    type: ClassVar[RecipeType]
    summary: ClassVar[str]
    datasets: ClassVar[tuple[str, ...]] = ("INTERACTIONS",)
    required: ClassVar[tuple[str, ...]] = ("INTERACTIONS",)
    explores: ClassVar[bool] = False
    updates: ClassVar[bool] = False
    has_scores: ClassVar[bool] = False
    legacy: ClassVar[bool] = False
    model: ClassVar[ModelClass]

    def __post_init__(self) -> None:
        """Hold every hyperparameter to its declared range, whoever sets it."""
        for parameter in self.hyperparameters():
            object.__setattr__(self, parameter.name, parameter.parse(getattr(self, parameter.name)))

    @classmethod
    def hyperparameters(cls) -> list[Hyperparameter]:
        """The declared hyperparameters in order."""
        fields = [f for f in dataclasses.fields(cls) if "hyperparameter" in f.metadata]
        defaults: list[Any] = [f.default for f in fields]  # `hyperparameter` always gives one
        return [
            Hyperparameter(f.name, default, **f.metadata["hyperparameter"])
            for f, default in zip(fields, defaults, strict=True)
        ]

    @classmethod
    def configured(cls, settings: Mapping[str, Scalar]) -> Self:
        """The recipe with `settings` as AWS sends them: strings, by name.

        Raises:
            ValueError: an unknown name or a value outside its range.
        """
        known = {parameter.name for parameter in cls.hyperparameters()}
        if unknown := sorted(settings.keys() - known):
            raise ValueError(
                f"{cls.name} has no hyperparameter {unknown[0]}, it has {', '.join(sorted(known)) or 'none'}."
            )
        return cls(**settings)

    def settings(self) -> dict[str, Scalar]:
        """The values of all hyperparameters by name."""
        return {parameter.name: getattr(self, parameter.name) for parameter in self.hyperparameters()}

    @abstractmethod
    def fit(self, data: TrainingData, run: Run) -> Model:
        """Learn from `data` and return a new model; the recipe is not changed.

        Raises:
            RecipeError: the data do not allow it; says what is missing.
            StopRequested: passed on from the watcher.
        """

    def refit(self, model: Model, data: TrainingData, run: Run) -> Model:
        """A model of all of `data`, with what was chosen when `model` was fitted on a part of it to be evaluated.

        Args:
            model: fitted by this recipe on `data` without some users' events; the catalogue is the same.
            data: everything there is.
            run: seed, budget and watcher.
        """
        return self.fit(data, run)

    def relearned(self, model: Model, data: TrainingData, run: Run) -> Model | None:
        """A model of other `data` over the same catalogue with what was chosen for `model`; None if that takes long."""
        return None

    def update(self, model: Model, data: TrainingData, run: Run) -> Model:
        """A model that knows the items and counts of `data` without a full training (AWS's UPDATE mode)."""
        raise TypeError(f"{self.name} does not support UPDATE training; use FULL.")
