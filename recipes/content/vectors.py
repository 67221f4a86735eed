"""Vectors of one's own: columns whose cells list numbers, such as embeddings of texts or pictures made elsewhere.

How much vectors count beside the other metadata is learned: that share of similarity under which each event, by the events
before it, is likeliest among others. Vectors that tell nothing of what follows what count nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy import sparse

from recipes.columns import (
    NO_NUMBERS,
    VECTOR_CALL,
    VECTOR_MARKS,
    VECTORS_LOOKED_AT,
    Categorical,
    Column,
    Columns,
    Numeric,
    Text,
    vector_size,
    with_points,
)
from recipes.data import Histories
from recipes.numerics.arrays import Floats, Indexes, unit
from recipes.run import Run

DIMENSION = 64  # of what is kept of longer vectors
QUOTES = re.compile(r"[\"']")
BETWEEN = r"[|;,\s]+"
NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
EVENTS, OTHERS = 20_000, 20  # events that followed others, and the items drawn beside each
MIN_EVENTS = 50
RECENT = 10  # events before one that it is compared with
SHARES = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)
SHARPNESSES = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
USUAL_SHARE = 0.25  # where there are too few events to learn from
SURE = 2.0  # standard errors by which vectors must help


@dataclass(frozen=True)
class Vectors:
    """A column of vectors.

    Attributes:
        values: (N, D) unit vectors around the column's mean; zero where unknown.
        size: how many numbers nearly every cell lists.
        odd: how many cells list another number, or something else.
    """

    values: Floats
    size: int
    odd: int


def find_vectors(columns: Columns) -> dict[str, Vectors]:
    """The columns that hold vectors, by name."""
    found = {name: vectors for name, column in columns.items() if (vectors := read_vectors(column)) is not None}
    return {name: vectors for name, vectors in found.items() if vectors.values.any()}


def holds_vectors(column: Column) -> bool:
    """Whether nearly all of a column's cells list equally many numbers."""
    return not isinstance(column, Numeric) and vector_size(_texts(column, VECTORS_LOOKED_AT))[0] > 0


def read_vectors(column: Column) -> Vectors | None:
    """The vectors of a column; None where its cells are no lists of numbers.

    A cell of another size, with a number that is not finite, or of zeros alone is unknown.
    """
    if isinstance(column, Numeric) or not holds_vectors(column):
        return None
    texts = pc.utf8_trim(pa.array(_bare_lists(_texts(column)), pa.string()), VECTOR_MARKS)
    parts = pc.split_pattern_regex(texts, BETWEEN)
    lengths = np.asarray(pc.list_value_length(parts))
    filled = np.asarray(pc.invert(pc.is_in(pc.utf8_lower(texts), pa.array(sorted(NO_NUMBERS)))))
    size = Counter(lengths[filled].tolist()).most_common(1)[0][0]
    fits = filled & (lengths == size)
    words = parts.filter(pa.array(fits)).flatten()
    numbers = pc.if_else(pc.match_substring_regex(words, NUMBER), words, pa.scalar(None, pa.string()))
    rows = np.asarray(pc.fill_null(numbers.cast(pa.float64()), np.nan)).reshape(-1, size)
    usable = np.isfinite(rows).all(axis=1) & np.any(rows != 0, axis=1)
    known = np.flatnonzero(fits)[usable]
    values = np.zeros((len(texts), min(size, DIMENSION)), np.float32)
    values[known] = _compressed(rows[usable])
    return Vectors(unit(values), size, int(filled.sum()) - len(known))


def with_vectors(content: Floats, columns: Columns, histories: Histories, run: Run) -> Floats:
    """Content and the columns' vectors side by side, each with its learned share.

    Args:
        content: (N, F) unit vectors of the other metadata, zero where unknown; F may be 0.
        columns: of the items.
        histories: what follows what.
        run: draws pairs, and reports the shares.
    """
    for name, vectors in find_vectors(columns).items():
        content = content if content.any() else content[:, :0]
        share = learn_share(content, vectors.values, histories, run.seed)
        odd = f"; {vectors.odd:,} cells hold no such vector" if vectors.odd else ""
        run.report(
            "preparing", message=f"Vectors of {vectors.size} numbers in {name} count {share:.0%} of similarity{odd}."
        )
        content = side_by_side(content, vectors.values, share)
    return content


def side_by_side(content: Floats, vectors: Floats, share: float) -> Floats:
    """(N, F + D) unit vectors whose inner product is the mean of both similarities; where one is unknown the other counts alone."""
    if share == 0:
        return content
    has_content, has_vector = (np.any(part != 0, axis=1) for part in (content, vectors))
    weight = np.where(has_vector, np.where(has_content, share, 1.0), 0.0).astype(np.float32)[:, None]
    return unit(np.concatenate([content * np.sqrt(1 - weight), vectors * np.sqrt(weight)], axis=1))


def learn_share(content: Floats, vectors: Floats, histories: Histories, seed: int = 0) -> float:
    """The share of the vectors in similarity under which what followed is likeliest; 0 unless they surely help."""
    events, picks = _queries(histories, len(vectors), seed)
    if len(events) < MIN_EVENTS:
        return USUAL_SHARE if content.shape[1] else 1.0
    items = histories.item_index
    drawn = np.random.default_rng(seed).choice(items, size=(len(events), OTHERS))
    choices = np.concatenate([items[events, None], drawn], axis=1)
    choices[:, 1:] = np.where(choices[:, 1:] == choices[:, :1], -1, choices[:, 1:])
    shares = SHARES if content.shape[1] else (0.0, 1.0)
    observed = [_likelihoods(side_by_side(content, vectors, share), picks, choices) for share in shares]
    best = int(np.argmax([likelihood.mean() for likelihood in observed]))
    gain = observed[best] - observed[0]
    return shares[best] if gain.mean() > SURE * gain.std() / np.sqrt(len(gain)) else 0.0


def _queries(histories: Histories, num_items: int, seed: int) -> tuple[Indexes, sparse.csr_matrix]:
    """(Q,) events that others came before, and (Q, N) the weights of the items before each, which add up to 1."""
    start = histories.offsets[histories.row]
    events = np.flatnonzero(np.arange(len(start)) > start)
    if len(events) > EVENTS:
        events = np.random.default_rng(seed).choice(events, EVENTS, replace=False)
    first = np.maximum(start[events], events - RECENT)
    sizes = events - first
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    places = np.repeat(first - offsets[:-1], sizes) + np.arange(offsets[-1])
    weights = np.repeat(1 / sizes, sizes).astype(np.float32)
    return events, sparse.csr_matrix((weights, histories.item_index[places], offsets), shape=(len(events), num_items))


def _likelihoods(features: Floats, picks: sparse.csr_matrix, choices: Indexes) -> NDArray[np.float64]:
    """(Q,) log of the chance of the first choice, at the sharpness that suits best; a choice of -1 is none."""
    profiles = unit(np.asarray(picks @ features, np.float32))
    columns = (np.einsum("qd,qd->q", profiles, features[choices[:, n]]) for n in range(choices.shape[1]))
    similarity = np.where(choices >= 0, np.stack(list(columns), axis=1), 0).astype(np.float64)
    found = []
    for sharpness in SHARPNESSES:
        scores = np.where(choices >= 0, sharpness * similarity, -np.inf)
        top = scores.max(axis=1)
        found.append(scores[:, 0] - top - np.log(np.exp(scores - top[:, None]).sum(axis=1)))
    return max(found, key=lambda one: float(one.mean()))


def _compressed(rows: NDArray[np.float64]) -> Floats:
    """The rows around their mean, in the DIMENSION directions along which they differ most."""
    if not len(rows):
        return np.zeros((0, min(rows.shape[1], DIMENSION)), np.float32)
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    centred = np.asarray(rows - rows.mean(axis=0) if len(rows) > 1 else rows, np.float32)
    if rows.shape[1] <= DIMENSION:
        return centred
    _, axes = np.linalg.eigh(centred.T @ centred)
    return np.asarray(centred @ axes[:, -DIMENSION:], np.float32)


def _bare_lists(texts: list[str]) -> list[str]:
    """Lists without what stands around them or their numbers in some of the texts looked at, and with points for decimal commas."""
    head = texts[:VECTORS_LOOKED_AT]
    if any("(" in text or '"' in text or "'" in text for text in head):
        texts = [QUOTES.sub("", VECTOR_CALL.sub("", text)) for text in texts]
    return [with_points(text) for text in texts] if any(with_points(text) != text for text in head) else texts


def _texts(column: Text | Categorical, most: int | None = None) -> list[str]:
    """The cells as text; of `most` the first filled ones."""
    if isinstance(column, Text):
        values = column.values if most is None else column.values.filter(pc.not_equal(column.values, "")).slice(0, most)
        return [text or "" for text in values.to_pylist()]
    filled = np.arange(len(column.offsets) - 1) if most is None else np.flatnonzero(np.diff(column.offsets))[:most]
    starts, ends = column.offsets[filled].tolist(), column.offsets[filled + 1].tolist()
    words, codes = column.categories, column.codes
    return ["|".join(words[code] for code in codes[low:high]) for low, high in zip(starts, ends, strict=True)]
