"""From a model's scores to lists of items: mask, top k, in batches; evaluation, batch jobs and serving all use these functions."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from recipes.base import Model
from recipes.data import Histories
from recipes.executor import current, prefetch
from recipes.numerics.arrays import Floats
from recipes.numerics.topk import TopK, top_k

BATCH_BYTES = 64 * 2**20  # of scores held at a time; B = this over 4 N
TOGETHER_BYTES = 16 * 2**20  # of scores that one thread works on: many histories read a model's matrices together
LEAST = 16  # rows of a batch, however few there are


def mask_seen(scores: Floats, histories: Histories) -> None:
    """Set the scores of items in each row's own history to -inf, in place."""
    if len(scores) == 1:
        scores[0][histories.item_index] = -np.inf
    else:
        scores[histories.row, histories.item_index] = -np.inf


def batches(
    model: Model, histories: Histories, batch_size: int | None = None
) -> Iterator[tuple[int, Histories, Floats]]:
    """Scores of all rows, a bounded batch at a time: (first row, its histories, (B, N) scores)."""
    size = batch_size or _rows(model)
    for start in range(0, len(histories), size):
        part = histories.rows(start, start + size)
        yield start, part, model.score(part)


def lists(
    model: Model,
    histories: Histories,
    k: int,
    *,
    exclude_seen: bool = False,
    mask: NDArray[np.bool_] | None = None,
    batch_size: int | None = None,
) -> Iterator[TopK]:
    """Yield the lists of `recommend` batch by batch, in order; several threads compute the next ones."""
    size = batch_size or _share(model, len(histories))
    if size < len(histories):
        model.score(histories.rows(0, 2))  # what a model makes once is there for all workers then

    def answer(start: int) -> TopK:
        part = histories if size >= len(histories) else histories.rows(start, start + size)
        return _lists_of(model, part, k, exclude_seen, mask)

    starts = range(0, len(histories), size)
    yield from prefetch(answer, starts) if len(starts) > 1 else map(answer, starts)


def _lists_of(model: Model, histories: Histories, k: int, exclude_seen: bool, mask: NDArray[np.bool_] | None) -> TopK:
    scores = model.score(histories)
    if exclude_seen:
        mask_seen(scores, histories)
    if mask is not None:
        scores[:, ~mask] = -np.inf
    return top_k(scores, k)


def _share(model: Model, count: int) -> int:
    """Rows of a batch such that all workers have as much to do, where there is enough for several."""
    rounds = -(-count // (current().parallelism * _rows(model)))
    return max(LEAST, -(-count // max(1, current().parallelism * rounds)))


def _rows(model: Model) -> int:
    return max(LEAST, min(1024, TOGETHER_BYTES // (4 * max(1, model.num_items))))


def recommend(
    model: Model,
    histories: Histories,
    k: int,
    *,
    exclude_seen: bool = False,
    mask: NDArray[np.bool_] | None = None,
    batch_size: int | None = None,
) -> TopK:
    """The k best items for each history.

    Args:
        model: a fitted model.
        histories: B users' events.
        k: how many.
        exclude_seen: leave out what stands in the user's own history.
        mask: (N,) true for the items that may be returned.
        batch_size: rows scored at a time; chosen from the catalogue's size by default.
    """
    if len(histories) == 1:
        return _lists_of(model, histories, k, exclude_seen, mask)
    found = list(lists(model, histories, k, exclude_seen=exclude_seen, mask=mask, batch_size=batch_size))
    if len(found) == 1:
        return found[0]
    if not found:
        return TopK(np.zeros((0, k), np.int64), np.zeros((0, k), np.float32))
    return TopK(np.concatenate([f.items for f in found]), np.concatenate([f.scores for f in found]))
