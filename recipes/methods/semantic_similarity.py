"""aws-semantic-similarity: items whose texts are about the same, with popularity and freshness as wanted at each request.

The text embedding is made here, from the catalogue's own words (`recipes.content.text`), without any download.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from recipes.base import Model, Recipe, RecipeError, RecipeType, State
from recipes.columns import Categorical, Column, Columns, Numeric, Text
from recipes.content.embeddings import EmbeddingModel
from recipes.content.text import text_vectors
from recipes.data import TrainingData
from recipes.methods.popularity import weighted_users
from recipes.numerics.arrays import Floats, Indexes
from recipes.run import Run

DIMENSION = 128
NAME = re.compile(r"(^|_)(TITLE|NAME)$", re.IGNORECASE)
FRESH_DAYS = 30.0  # age at which freshness has fallen to 1/e
DAY = 86_400


class SemanticModel(EmbeddingModel):
    """Text vectors, with each item's popularity and freshness beside them."""

    def __init__(self, recipe: Recipe, vectors: Floats, popularity: Floats, freshness: Floats) -> None:
        """Keep the parts; `popularity` and `freshness` are (N,), 0 to 1."""
        super().__init__(recipe, vectors, np.zeros(len(vectors), np.float32), popularity)
        self.freshness = freshness

    def influenced(self, items: Indexes, *, popularity: float = 0.0, freshness: float = 0.0) -> Floats:
        """`related`, moved by AWS's `rankingInfluence`.

        Args:
            items: (Q,) query items, -1 unknown.
            popularity: weight of the item's popularity, 0 to 1.
            freshness: weight of the item's freshness, 0 to 1.

        Returns:
            (Q, N).

        Raises:
            ValueError: a weight is outside its range.
        """
        for name, weight in (("POPULARITY", popularity), ("FRESHNESS", freshness)):
            if not 0 <= weight <= 1:
                raise ValueError(f"{name} is {weight:g}, allowed is a number from 0 to 1.")
        influence = np.float32(popularity) * self.popularity + np.float32(freshness) * self.freshness
        return np.asarray(self.related(items) + influence, np.float32)

    def state(self) -> State:
        """Vectors, popularity and freshness."""
        return State({"vectors": self.vectors, "popularity": self.popularity, "freshness": self.freshness})

    @classmethod
    def from_state(cls, recipe: Recipe, num_items: int, state: State) -> Self:  # noqa: ARG003  the vectors tell
        """Rebuild; the arrays are used as they are, mapped or not."""
        return cls(recipe, state.tensors["vectors"], state.tensors["popularity"], state.tensors["freshness"])


@dataclass(frozen=True)
class SemanticSimilarity(Recipe):
    """Related items by their texts; no hyperparameters."""

    name = "aws-semantic-similarity"
    type = RecipeType.RELATED_ITEMS
    summary = "Items whose descriptions and names are about the same things; needs no interactions."
    datasets = ("ITEMS", "INTERACTIONS")
    required = ("ITEMS",)
    model = SemanticModel

    def fit(self, data: TrainingData, run: Run) -> SemanticModel:
        """Embed the texts.

        Raises:
            RecipeError: no item column holds text.
        """
        run.report("embedding", 0.0)
        vectors = text_vectors(item_texts(data.items, data.num_items), DIMENSION, run.seed)
        users = np.log1p(weighted_users(data))
        popularity = (users / max(1.0, users.max(initial=0))).astype(np.float32)
        freshness = np.exp(-item_age_days(data) / FRESH_DAYS).astype(np.float32)
        return SemanticModel(self, vectors, popularity, freshness)

    def update(self, model: Model, data: TrainingData, run: Run) -> SemanticModel:  # noqa: ARG002  nothing is carried over
        """AWS's incremental update: texts of new items are embedded with all others, which takes seconds."""
        return self.fit(data, run)


def item_texts(items: Columns, size: int) -> list[str]:
    """(N,) each item's name and texts, the name twice because it says most.

    Raises:
        RecipeError: there are none.
    """
    chosen = [(name, column) for name, column in items.items() if isinstance(column, Text) or NAME.search(name)]
    if not any(isinstance(column, Text | Categorical) for _, column in chosen):
        raise RecipeError("Semantic similarity reads texts: no column of the Items dataset is textual or holds names.")
    parts = [_strings(column, size) * (2 if NAME.search(name) else 1) for name, column in chosen]
    columns = [part[start : start + size] for part in parts for start in range(0, len(part), max(1, size))]
    return [" . ".join(row) for row in zip(*columns, strict=True)]


def item_age_days(data: TrainingData) -> NDArray[np.float64]:
    """(N,) days from each item's creation, or first interaction, to the newest interaction; 0 where neither is known."""
    events = data.interactions
    newest = float(events.timestamp.max(initial=0))
    created = np.full(data.num_items, np.inf)
    np.minimum.at(created, events.item_index, events.timestamp)
    creation = next((c for name, c in data.items.items() if name.upper() == "CREATION_TIMESTAMP"), None)
    if isinstance(creation, Numeric):
        created = np.where(np.isfinite(creation.values), creation.values, created)
        newest = max(newest, np.nanmax(creation.values, initial=0)) if not len(events) else newest
    return np.maximum(newest - np.where(np.isfinite(created), created, newest), 0) / DAY


def _strings(column: Column, size: int) -> list[str]:
    match column:
        case Text():
            return [str(text) for text in column.values.to_pylist()]
        case Categorical():
            words = column.categories
            return [
                " ".join(words[code] for code in column.codes[column.offsets[row] : column.offsets[row + 1]])
                for row in range(size)
            ]
        case _:
            return [""] * size
