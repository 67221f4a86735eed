"""Versions as loaded models: arrays are memory-mapped and kept in each serving process, least recently used ones go first."""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from cachetools import LRUCache
from django.conf import settings
from numpy.typing import NDArray

from console import storage, telemetry, transient
from console.errors import DamagedModelException, InvalidInputException, JobError
from console.models import Recommender, SolutionVersion, Status
from console.serving.caches import REQUEST_CACHE, ScoreCache
from console.serving.metadata import column_texts
from console.serving.objective import with_objective
from recipes import artefact
from recipes.base import Model, Recipe, RecipeError, RecipeType
from recipes.columns import Columns
from recipes.data import TrainingData
from recipes.evaluation.splits import Truth, amazon
from recipes.exploration import ExplorationState
from recipes.filters import Catalogue, CompiledFilters, Target
from recipes.integrity import DamagedError
from recipes.memory import give_back_memory

IDLE_S = 180.0  # how long a model that nobody asks for stays once another is loaded


@dataclass(frozen=True, eq=False)  # one of a kind, so that it can be a key
class LoadedModel:
    """A fitted model with its snapshot, and what serving derives from them once.

    Attributes:
        key: where the artefact is.
        model: the fitted model.
        data: the snapshot: all events and columns, those that were not learned from included.
        newest_event: the last streamed event that the snapshot holds; later ones are the live ones.
        types: event types that histories are made of, in lower case; None for all.
        size_bytes: of its files.
        forgotten: indexes of users that a data deletion job removed; their places are kept, empty.
    """

    key: str
    model: Model
    data: TrainingData
    newest_event: int
    types: tuple[str, ...] | None
    size_bytes: int
    forgotten: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    _texts: dict[str, pa.Array] = field(default_factory=dict)

    @property
    def recipe(self) -> Recipe:
        """The recipe with the hyperparameters in force."""
        return self.model.recipe

    @cached_property
    def codes(self) -> dict[str, int]:
        """The code of each event type."""
        return {name: code for code, name in enumerate(self.data.interactions.event_types)}

    @cached_property
    def learned(self) -> NDArray[np.bool_] | None:
        """(E,) which of the snapshot's events histories are made of; None for all."""
        if self.types is None:
            return None
        wanted = [code for name, code in self.codes.items() if name.casefold() in self.types]
        return np.isin(self.data.interactions.event_type, wanted)

    @cached_property
    def filters(self) -> CompiledFilters:
        """Filters over the items, or the actions, as they were at training."""
        return CompiledFilters(Catalogue(self.target, self.data.num_items, self.data.items, ids=self.data.item_ids))

    @property
    def target(self) -> Target:
        """What the model recommends."""
        return Target.ACTION if self.recipe.type is RecipeType.PERSONALIZED_ACTIONS else Target.ITEM

    @cached_property
    def popularity(self) -> NDArray[np.int64]:
        """(N,) events per item."""
        return self.data.item_counts

    def texts_of(self, column: str) -> pa.Array:
        """(N,) a column of the items as strings, "" where nothing is known; made once."""
        if column not in self._texts:
            self._texts[column] = column_texts(self.data.items[column])
        return self._texts[column]

    @cached_property
    def test(self) -> tuple[NDArray[np.int64], Truth] | None:
        """Users whose newest events the version was evaluated on, and those events; None where nobody could be asked."""
        data = self.data if self.learned is None else self.data.keep(self.learned)
        try:
            split = amazon(data)
        except RecipeError:
            return None
        return split.users, split.truth

    def held_out(self, user: int) -> set[int]:
        """The items that a user's held-out events were with; nothing for users who were not in the test."""
        if user < 0 or self.test is None or self.recipe.type is RecipeType.USER_SEGMENTATION:
            return set()
        users, truth = self.test
        places = np.flatnonzero(users == user)
        return set(truth.rows(int(places[0]), int(places[0]) + 1).item_index.tolist()) if len(places) else set()

    @cached_property
    def score_cache(self) -> ScoreCache:
        """What the model answered lately."""
        return ScoreCache(self.model.score)

    @cached_property
    def exploration(self) -> ExplorationState:
        """What exploration knows of each item."""
        return ExplorationState.of(self.data)


class ModelCache:
    """Loaded models by artefact; safe to share between threads.

    A model that nobody has asked for in `idle_s` goes when another is loaded: where a campaign follows an UPDATE every few
    minutes, its earlier versions are not kept.
    """

    def __init__(self, most: int, most_bytes: int, idle_s: float = IDLE_S) -> None:
        """Hold at most `most` models of `most_bytes` of files together; the one in use always stays."""
        self.most, self.most_bytes, self.idle_s = most, most_bytes, idle_s
        self._asked: dict[tuple[str, int], float] = {}  # when each was asked for last
        size = partial(_size, most_bytes)
        self._models: LRUCache[tuple[str, int], LoadedModel] = LRUCache(most_bytes, getsizeof=size)
        self._lock = threading.Lock()
        self._loading: dict[str, threading.Lock] = {}
        self._folders: dict[str, Path] = {}
        self._failures: dict[str, tuple[DamagedModelException, float]] = {}

    def get(self, key: str) -> LoadedModel:
        """The model under an artefact's key, loaded if need be; after a failure it is tried again a while later.

        Raises:
            InvalidInputException: there is no artefact, or one of another version.
            DamagedModelException: its files are damaged.
        """
        if not key:
            raise InvalidInputException("Nothing was trained yet; wait until the status is ACTIVE.")
        failure = self._failures.get(key)
        if failure is not None and time.monotonic() - failure[1] < failure[0].retry_after_s:
            raise DamagedModelException(str(failure[0]))
        try:
            found = self._get(key)
        except DamagedModelException as error:
            self._failures[key] = error, time.monotonic()
            raise
        if failure is not None:
            self._failures.pop(key, None)
        return found

    def _get(self, key: str) -> LoadedModel:
        try:
            stamp = REQUEST_CACHE.get(("artefact", key), partial(self._stamp, key))
        except (JobError, OSError):
            read(key)  # which says what is wrong
            raise
        found = self._find(stamp)
        telemetry.looked_up("models", is_hit=found is not None)
        if found is not None:
            return found
        with self._lock:
            lock = self._loading.setdefault(key, threading.Lock())
        with lock:
            found = self._find(stamp)
            if found is None:
                found = load(key)
                self._keep(stamp, found)
        return found

    def _stamp(self, key: str) -> tuple[str, int]:
        """Which artefact it is: a rewritten one is another one."""
        folder = self._folders.get(key)
        if folder is not None:
            with suppress(FileNotFoundError):
                return key, os.stat(f"{folder}/manifest.json").st_mtime_ns  # noqa: PTH116  each request asks
        folder = self._folders[key] = storage.local_folder(key)
        return key, (folder / "manifest.json").stat().st_mtime_ns

    def _find(self, stamp: tuple[str, int]) -> LoadedModel | None:
        with self._lock:
            found = self._models.get(stamp)
            if found is not None:
                self._asked[stamp] = time.monotonic()
            return found

    def _keep(self, stamp: tuple[str, int], loaded: LoadedModel) -> None:
        with self._lock:
            since = time.monotonic() - self.idle_s
            for old in [known for known in self._models if known[0] == stamp[0] or self._asked[known] < since]:
                del self._models[old]
            self._models[stamp] = loaded
            self._loading.pop(stamp[0], None)
            while len(self._models) > self.most:
                self._models.popitem()
            self._asked = {known: self._asked.get(known, time.monotonic()) for known in self._models}
            kept = {key for key, _ in self._models}
            self._folders = {key: folder for key, folder in self._folders.items() if key in kept}
        give_back_memory()


def _size(most_bytes: int, loaded: LoadedModel) -> int:
    """What a model counts in the cache: one that is larger than the cache is kept alone."""
    return min(loaded.size_bytes, most_bytes)


def read(key: str) -> artefact.Artefact:
    """The artefact under a key, verified; what is wrong with it is kept on the rows that name it.

    Raises:
        DamagedModelException: files are missing or damaged.
        InvalidInputException: another version of the server wrote it, so that it must be trained anew.
    """
    try:
        found = _verified(key)
    except DamagedError as error:
        _note(key, f"The model's files are damaged: {error}.")
        raise DamagedModelException(f"The model cannot be read: {error}. Train a new solution version.") from error
    except ValueError as error:
        formats = str(error).partition(" has format ")[2].replace(", ", ", and ")
        raise InvalidInputException(
            f"The model cannot be read: its format is {formats} Train a new solution version."
        ) from error
    _note(key, "")
    return found


def _verified(key: str) -> artefact.Artefact:
    """Read an artefact; where the files are a copy of S3's, a damaged copy is made anew once."""
    try:
        return _read(key)
    except DamagedError:
        if not storage.forget_copy(key):
            raise
        return _read(key)


def _read(key: str) -> artefact.Artefact:
    try:
        return artefact.load(storage.local_folder(key))
    except (JobError, FileNotFoundError) as error:
        raise DamagedError("files are missing") from error


def _note(key: str, damage: str) -> None:
    """Keep on the rows what is wrong, for their pages and for health; nothing is written where nothing changes."""
    with transient.survived("Noting a model's damage"):
        for model in (SolutionVersion, Recommender):
            if model.objects.filter(artefact=key).exclude(damage=damage).exists():
                model.objects.filter(artefact=key).update(damage=damage)


def load(key: str) -> LoadedModel:
    """Read an artefact and warm what the first request would wait for; raises as `read` does."""
    found = read(key)
    types = found.manifest.get("event_types_learned")
    size = sum(path.stat().st_size for path in storage.local_folder(key).iterdir())
    loaded = LoadedModel(
        key,
        with_objective(found.model, found.data, found.manifest.get("objective")),
        found.data,
        int(found.manifest.get("newest_event", 0)),
        tuple(name.casefold() for name in types) if types else None,
        size,
        np.asarray(found.manifest.get("forgotten_users", []), np.int64),
    )
    loaded.data.item_ids.index("")
    loaded.data.user_ids.index("")
    loaded.data.offsets.sum()
    return loaded


def column_named(columns: Columns, name: str) -> Any:
    """A column by its name in any case, None if there is none."""
    wanted = name.upper()
    return next((column for key, column in columns.items() if key.upper() == wanted), None)


MODEL_CACHE = ModelCache(settings.MODELS_IN_MEMORY, settings.MODEL_BYTES_IN_MEMORY)


def model_of(artefact: str) -> LoadedModel:
    """The model under an artefact's key or, while that is damaged, the newest earlier one of its solution.

    Raises:
        DamagedModelException: neither it nor an earlier one can be read.
    """
    try:
        return MODEL_CACHE.get(artefact)
    except DamagedModelException as error:
        for earlier in _earlier(artefact):
            found = _readable(earlier)
            if found is not None:
                transient.log(f"{earlier} answers in place of {artefact}", error)
                return found
        raise


def _readable(artefact: str) -> LoadedModel | None:
    try:
        return MODEL_CACHE.get(artefact)
    except (DamagedModelException, InvalidInputException):
        return None


def _earlier(artefact: str) -> list[str]:
    """The keys of earlier versions' artefacts, newest first."""
    version = SolutionVersion.objects.filter(artefact=artefact).first()
    if version is None:
        return []
    done = SolutionVersion.objects.filter(solution=version.solution_id, status=Status.ACTIVE, pk__lt=version.pk)
    return list(done.exclude(artefact="").order_by("-pk").values_list("artefact", flat=True))
