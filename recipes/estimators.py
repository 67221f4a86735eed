"""Recipes for notebooks: hyperparameters in, `fit` on a `Dataset`, pandas frames out.

    model = UserPersonalization(seed=1).fit(data)
    model.recommend(["196"], k=10, exclude_seen=True)

Each class is one of AWS's recipes (`recipes.catalogue`); the console and `python -m recipes` fit the same ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from recipes import artefact, base, catalogue
from recipes.base import Scalar
from recipes.data import Histories, TrainingData
from recipes.dataset import Dataset
from recipes.evaluation.evaluator import evaluate_model, split_for
from recipes.numerics import topk
from recipes.ranking import recommend
from recipes.run import Run, ignore_progress


class Model:
    """A fitted recipe with the data it was fitted on; answers with external ids."""

    def __init__(self, fitted: base.Model, training: TrainingData) -> None:
        """Keep a model and the data whose indexes it uses."""
        self.fitted = fitted
        self.training = training

    def __repr__(self) -> str:
        """Its recipe and catalogue."""
        return f"Model({self.fitted.recipe.name}, {self.training.num_items:,} items)"

    def recommend(self, users: Sequence[str] | None = None, k: int = 10, *, exclude_seen: bool = False) -> pd.DataFrame:
        """The k best items for each user.

        Args:
            users: ids, also unknown ones, who get what is popular; all known users by default.
            k: how many, at least 1.
            exclude_seen: leave out items of the user's own history.

        Returns:
            user_id, item_id, rank (from 1), score; fewer than k rows for a user where no more items are left.
        """
        names = self._known_users if users is None else _texts(users)
        histories = Dataset(self.training).histories(names)
        found = recommend(self.fitted, histories, _at_least_one(k), exclude_seen=exclude_seen)
        return self._lists("user_id", names, found, self.training.item_ids.array.to_pylist(), "item_id")

    def related(self, items: Sequence[str], k: int = 10) -> pd.DataFrame:
        """The k items that go best with each item: query_item_id, item_id, rank, score.

        Raises:
            TypeError: the recipe does not offer related items.
        """
        names = _texts(items)
        scores = self.fitted.related(self.training.item_ids.indexes(names))
        answers = self.training.item_ids.array.to_pylist()
        return self._lists("query_item_id", names, topk.top_k(scores, _at_least_one(k)), answers, "item_id")

    def segment(self, items: Sequence[str], k: int = 10) -> pd.DataFrame:
        """The k users with the highest affinity to each item: query_item_id, user_id, rank, score.

        Raises:
            TypeError: the recipe does not offer user segments.
        """
        names = _texts(items)
        scores = self.fitted.segment(self.training.item_ids.indexes(names))
        return self._lists("query_item_id", names, topk.top_k(scores, _at_least_one(k)), self._known_users, "user_id")

    def rank(self, user: str, items: Sequence[str]) -> pd.DataFrame:
        """The given items in the user's order: user_id, item_id, rank, score; unknown items last, without a score."""
        names = _texts(items)
        places = self.training.item_ids.indexes(names)
        scores = self.fitted.score(Dataset(self.training).histories([str(user)]))[0]
        values = np.where(places >= 0, scores[places], np.nan)
        order = np.lexsort((np.arange(len(names)), -np.nan_to_num(values, nan=-np.inf, neginf=-np.inf)))
        ranked = {"item_id": [names[place] for place in order], "rank": np.arange(1, len(names) + 1)}
        return pd.DataFrame({"user_id": str(user), **ranked, "score": values[order]})

    def explain(self, user: str, item: str) -> pd.DataFrame:
        """What in a user's history speaks for an item, strongest first.

        Returns:
            item_id and timestamp of an event, or a label where no event is the cause; weight in units of the score.

        Raises:
            ValueError: the model does not know the user or the item.
        """
        index = self.training.item_ids.index(str(item))
        if index < 0:
            raise ValueError(f"The item {item!r} is unknown; there are {self.training.num_items:,} items.")
        if self.training.user_ids.index(str(user)) < 0:
            raise ValueError(f"The user {user!r} is unknown; there are {self.training.num_users:,} users.")
        history = Dataset(self.training).histories([str(user)])
        rows = [self._event(history, contribution) for contribution in self.fitted.explain(history, index)]
        return pd.DataFrame(rows, columns=["item_id", "timestamp", "label", "weight"])

    def save(self, folder: str | Path) -> None:
        """Write the model and its data to `folder`, replacing a model that is there.

        Raises:
            ValueError: the folder holds something that is not a model.
        """
        folder = Path(folder)
        if folder.exists() and not (folder / "manifest.json").is_file() and (folder.is_file() or any(folder.iterdir())):
            raise ValueError(f"{folder} holds something that is not a model; choose a new folder.")
        artefact.save(folder, self.fitted, self.training)

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read a model that `save` or `python -m recipes train` wrote.

        Raises:
            FileNotFoundError: there is none.
            ValueError: it is of a format that this version does not read.
        """
        read = artefact.load(Path(folder))
        return cls(read.model, read.data)

    @property
    def _known_users(self) -> list[str]:
        names: list[str] = self.training.user_ids.array.to_pylist()
        return names

    def _event(self, history: Histories, contribution: base.Contribution) -> dict[str, Any]:
        row: dict[str, Any] = {"label": contribution.label, "weight": contribution.weight}
        if contribution.position >= 0:
            row["item_id"] = self.training.item_ids[int(history.item_index[contribution.position])]
            row["timestamp"] = int(history.timestamp[contribution.position])
        return row

    @staticmethod
    def _lists(key: str, names: Sequence[str], found: topk.TopK, answers: Sequence[str], title: str) -> pd.DataFrame:
        """One row for each place of the lists."""
        row, place = np.nonzero(found.items >= 0)
        return pd.DataFrame(
            {
                key: np.array(names, object)[row],
                title: np.array(answers, object)[found.items[row, place]],
                "rank": place + 1,
                "score": found.scores[row, place],
            }
        )


class Estimator:
    """An unfitted recipe.

    Class attributes:
        name: AWS's name of the recipe.
    """

    name: ClassVar[str]

    def __init__(self, *, seed: int = 0, max_seconds: float | None = None, **hyperparameters: Scalar) -> None:
        """Choose hyperparameters; `help(self.recipe)` and `python -m recipes list` say what there is.

        Args:
            seed: the same seed and data give the same model.
            max_seconds: wall-clock budget of a fit; the best model so far is kept when it runs out.
            hyperparameters: by AWS's names.

        Raises:
            ValueError: an unknown hyperparameter, or a value outside its range.
        """
        self.recipe = catalogue.get(self.name).configured(hyperparameters)
        self.seed = seed
        self.max_seconds = max_seconds

    def __repr__(self) -> str:
        """The hyperparameters in force."""
        settings = ", ".join(f"{name}={value!r}" for name, value in self.recipe.settings().items())
        return f"{type(self).__name__}({settings})"

    def fit(self, data: Dataset, on_progress: Any = None) -> Model:
        """Learn from all of `data`.

        Args:
            data: the interactions.
            on_progress: called with a `recipes.run.Progress` now and then.

        Raises:
            RecipeError: the data do not allow it; says what is missing.
        """
        return Model(self.recipe.fit(data.training, self._run(on_progress)), data.training)

    def evaluate(self, data: Dataset, on_progress: Any = None) -> pd.DataFrame:
        """Fit without the newest events of a tenth of the users and compare the recommendations with those (AWS's protocol).

        Returns:
            One row for each metric, by name: value, low and high of its 95 % interval, and the value of popularity.

        Raises:
            RecipeError: the data are too few to hold any out.
        """
        split = split_for(self.recipe, data.training)
        run = self._run(on_progress)
        measured = evaluate_model(self.recipe.fit(split.train, run), split, data.training, run=run)
        popular = measured.baselines.get("popularity", {})
        rows = {
            name: (value, *measured.intervals.get(name, (np.nan, np.nan)), popular.get(name, np.nan))
            for name, value in measured.figures.items()
            if isfinite(value)
        }
        columns = ["value", "low", "high", "popularity"]
        return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("metric")

    def _run(self, on_progress: Any) -> Run:
        watcher = on_progress or ignore_progress
        return Run(self.seed, self.max_seconds, watcher)


class UserPersonalization(Estimator):
    """aws-user-personalization: what a user wants next."""

    name = "aws-user-personalization"


class UserPersonalizationV2(Estimator):
    """aws-user-personalization-v2."""

    name = "aws-user-personalization-v2"


class Hrnn(Estimator):
    """aws-hrnn: the recurrent network alone."""

    name = "aws-hrnn"


class HrnnMetadata(Estimator):
    """aws-hrnn-metadata: the network with item metadata."""

    name = "aws-hrnn-metadata"


class HrnnColdstart(Estimator):
    """aws-hrnn-coldstart: the network, with new items scored by their metadata."""

    name = "aws-hrnn-coldstart"


class PopularityCount(Estimator):
    """aws-popularity-count: the items with most events."""

    name = "aws-popularity-count"


class TrendingNow(Estimator):
    """aws-trending-now: the items whose events rise fastest."""

    name = "aws-trending-now"


class Sims(Estimator):
    """aws-sims: items by co-occurrence in histories."""

    name = "aws-sims"


class SimilarItems(Estimator):
    """aws-similar-items: items by co-occurrence and metadata."""

    name = "aws-similar-items"


class SemanticSimilarity(Estimator):
    """aws-semantic-similarity: items by their text."""

    name = "aws-semantic-similarity"


class PersonalizedRanking(Estimator):
    """aws-personalized-ranking: a given list in a user's order."""

    name = "aws-personalized-ranking"


class PersonalizedRankingV2(Estimator):
    """aws-personalized-ranking-v2."""

    name = "aws-personalized-ranking-v2"


class ItemAffinity(Estimator):
    """aws-item-affinity: the users most likely to take an item."""

    name = "aws-item-affinity"


class ItemAttributeAffinity(Estimator):
    """aws-item-attribute-affinity: the users most likely to take items with an attribute."""

    name = "aws-item-attribute-affinity"


def _texts(ids: Sequence[str]) -> list[str]:
    if isinstance(ids, str):
        raise ValueError(f"A list of ids is needed, not the text {ids!r}; write [{ids!r}].")  # noqa: TRY004  as scikit-learn
    return [str(value) for value in ids]


def _at_least_one(k: int) -> int:
    if k < 1:
        raise ValueError(f"k is {k}, at least 1 is needed.")
    return k
