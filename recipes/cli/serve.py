"""The commands that ask a trained model: recommend, related, rank, segment, explain; JSON Lines on stdout."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recipes import artefact, ranking
from recipes.artefact import Artefact
from recipes.base import Model
from recipes.cli.tables import (
    InputError,
    choose,
    known_histories,
    known_users,
    read_histories,
    read_ids,
    read_requests,
)
from recipes.components.context import plain
from recipes.data import Histories, TrainingData
from recipes.numerics import topk
from recipes.numerics.arrays import Floats, Indexes


def recommend(chosen: argparse.Namespace) -> None:
    """The best items for each user."""
    loaded = load(chosen.folder)
    names, histories = _whom(chosen, loaded.data)
    histories = replace(histories, context=_context(chosen.context, loaded.data))
    encoded = _encoded(loaded.data.item_ids.array.to_pylist())
    start, k = 0, min(chosen.k, loaded.data.num_items)  # places that nothing can fill would cost memory
    for found in ranking.lists(
        loaded.model, histories, k, exclude_seen=chosen.exclude_seen, batch_size=chosen.batch_size
    ):
        _write_lists("userId", names[start : start + len(found.items)], found, encoded)
        start += len(found.items)


def related(chosen: argparse.Namespace) -> None:
    """The items that go with each item; popular ones for an unknown item."""
    loaded = load(chosen.folder)
    _require(loaded.model, "related", "related items")
    _answer_items(chosen, loaded, loaded.model.related, loaded.data.item_ids.array.to_pylist(), "recommendedItems")


def segment(chosen: argparse.Namespace) -> None:
    """The users most likely to take each item."""
    loaded = load(chosen.folder)
    _require(loaded.model, "segment", "user segments")
    _answer_items(chosen, loaded, loaded.model.segment, loaded.data.user_ids.array.to_pylist(), "usersList")


def rank(chosen: argparse.Namespace) -> None:
    """The given items in the user's order; items the model does not know come last, without a score."""
    loaded = load(chosen.folder)
    requests = read_requests(chosen.requests)
    names = [str(request["userId"]) for request in requests]
    histories = known_histories(names, loaded.data)
    for start, part, scores in ranking.batches(loaded.model, histories):
        for row in range(len(part)):
            request = requests[start + row]
            output = _ranked([str(item) for item in request["itemList"]], scores[row], loaded.data)
            sys.stdout.write(json.dumps({"input": request, "output": output}) + "\n")


def explain(chosen: argparse.Namespace) -> None:
    """Each event of the user's history with what it adds to the item's score, strongest first."""
    loaded = load(chosen.folder)
    item = loaded.data.item_ids.index(chosen.item)
    if item < 0:
        raise InputError(f"--item {chosen.item}: the model does not know this item.")
    if known_users([chosen.user], loaded.data)[0] < 0:
        raise InputError(f"--user {chosen.user}: the model does not know this user.")
    history = known_histories([chosen.user], loaded.data)
    for contribution in loaded.model.explain(history, item):
        event = {"weight": round(contribution.weight, 6), "label": contribution.label}
        if contribution.position >= 0:
            place = int(history.item_index[contribution.position])
            event |= {
                "itemId": loaded.data.item_ids[place],
                "timestamp": int(history.timestamp[contribution.position]),
            }
        sys.stdout.write(json.dumps(event) + "\n")


def load(folder: Path) -> Artefact:
    """The model in `folder`.

    Raises:
        InputError: there is none, or it is of another format.
    """
    try:
        return artefact.load(folder)
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(
            f"{folder} holds no trained model; python -m recipes train … --out {folder} makes one."
        ) from None
    except (ValueError, KeyError) as error:
        raise InputError(f"{folder} cannot be read as a trained model: {error}") from None


def _whom(chosen: argparse.Namespace, data: TrainingData) -> tuple[list[str], Histories]:
    if chosen.histories:
        names, histories = read_histories(chosen.histories, data)
        if not chosen.users:
            return names, histories
        wanted = read_ids(chosen.users, "USER_ID", names)
        return wanted, choose(names, histories, wanted, data)
    if chosen.users:
        wanted = read_ids(chosen.users, "USER_ID", data.user_ids.array.to_pylist())
        return wanted, known_histories(wanted, data)
    return data.user_ids.array.to_pylist(), data.histories()


def _context(given: Sequence[str], data: TrainingData) -> dict[str, str]:
    """What "DEVICE=tv" and the like say.

    Raises:
        InputError: no value, or no column of the interactions.
    """
    known = {plain(name): name for name in data.interactions.columns}
    context = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise InputError(f"--context {text}: COLUMN=VALUE is needed.")
        if plain(name) not in known:
            raise InputError(f"--context {text}: the interactions have {', '.join(known.values()) or 'no columns'}.")
        context[known[plain(name)]] = value
    return context


def _answer_items(
    chosen: argparse.Namespace,
    loaded: Artefact,
    score: Callable[[Indexes], Floats],
    answers: Sequence[str],
    member: str,
) -> None:
    names = read_ids(chosen.items, "ITEM_ID", loaded.data.item_ids.array.to_pylist())
    items, encoded = loaded.data.item_ids.indexes(names), _encoded(answers)
    step = max(1, ranking.BATCH_BYTES // (4 * max(1, len(answers))))
    for start in range(0, len(names), step):
        found = topk.top_k(score(items[start : start + step]), min(chosen.k, len(answers)))
        _write_lists("itemId", names[start : start + step], found, encoded, member)


def _write_lists(
    key: str, names: Sequence[str], found: topk.TopK, encoded: NDArray[np.object_], member: str = "recommendedItems"
) -> None:
    """One line for each name; ids are already JSON, which is what makes this fast."""
    lines = []
    for name, items, scores, size in zip(names, found.items, found.scores, (found.items >= 0).sum(axis=1), strict=True):
        ids = ", ".join(encoded[items[:size]])
        numbers = ", ".join([f"{score:.6g}" for score in scores[:size].tolist()])
        asked = json.dumps({key: name})
        lines.append(f'{{"input": {asked}, "output": {{"{member}": [{ids}], "scores": [{numbers}]}}}}\n')
    sys.stdout.write("".join(lines))


def _ranked(
    items: list[str], scores: NDArray[np.float32], data: TrainingData
) -> dict[str, list[str] | list[float | None]]:
    places = data.item_ids.indexes(items)
    worth = np.where(places >= 0, scores[places], -np.inf)
    order = np.lexsort((np.arange(len(items)), -worth, places < 0))
    return {
        "recommendedItems": [items[place] for place in order],
        "scores": [float(worth[place]) if np.isfinite(worth[place]) else None for place in order],
    }


def _encoded(names: Iterable[str]) -> NDArray[np.object_]:
    return np.array([json.dumps(name) for name in names], object)


def _require(model: Model, method: str, offer: str) -> None:
    if getattr(type(model), method) is getattr(Model, method):
        raise InputError(f"{model.recipe.name} does not offer {offer}.")
