"""Metadata columns as arrays: numbers, categories, texts and labels, one row for each item, user or event."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from recipes.numerics.arrays import ragged_positions

TEXT_LENGTH = 40  # a string column with a longer mean is taken for text
DISTINCT_SHARE = 0.5  # a string column with more distinct values is taken for a label
VECTORS_LOOKED_AT = 200  # cells
VECTOR_SIZE = 4  # numbers that a list must have at least to be taken for a vector
LONG_VECTOR = 16  # of so many whole numbers, lists are vectors, too
VECTORS, MOST_LISTS = 0.95, 0.5  # of the cells that must list as many numbers, and where none holds anything else
VECTOR_MARKS = "[](){} \t\r\n"
VECTOR_CALL = re.compile(
    r"^\s*(?:np\.|numpy\.|torch\.)?(?:array|tensor|vector)(?=\()|,\s*dtype=[\w.]+(?=\)\s*$)", re.IGNORECASE
)
LISTED_NUMBER = re.compile(
    r"[\"']?([+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?|[+-]?inf(inity)?|nan|null|none)[\"']?", re.IGNORECASE
)
NO_NUMBERS = frozenset({"", "nan", "null", "none", "n/a", "na"})
DECIMAL_COMMAS = re.compile(r"[\s\[({]*+(?=[^.]*,)[+-]?\d+(?:,\d+)?(?:[|;\s]+[+-]?\d+(?:,\d+)?)+[\s\])}]*")


class Kind(StrEnum):
    """How a metadata column is read."""

    NUMERIC = "numeric"
    CATEGORICAL = "categorical"
    TEXT = "text"
    LABEL = "label"  # a plain string: shown and filtered by, not trained on


@dataclass(frozen=True)
class Numeric:
    """A number per row: (N,) float64, NaN where unknown."""

    values: NDArray[np.float64]
    kind: Kind = Kind.NUMERIC


@dataclass(frozen=True)
class Categorical:
    """Any number of categories per row, ragged: row i holds `codes[offsets[i]:offsets[i + 1]]` into `categories`.

    `kind` is CATEGORICAL, or LABEL for plain strings (one value per row) that models leave alone.
    """

    offsets: NDArray[np.int64]
    codes: NDArray[np.int32]
    categories: tuple[str, ...]
    kind: Kind = Kind.CATEGORICAL


@dataclass(frozen=True)
class Text:
    """Free text per row, "" where unknown."""

    values: pa.Array
    kind: Kind = Kind.TEXT


Column: TypeAlias = Numeric | Categorical | Text
Columns: TypeAlias = dict[str, Column]


def take_rows(column: Column, rows: NDArray[np.int64]) -> Column:
    """The given rows of a column."""
    match column:
        case Numeric():
            return replace(column, values=column.values[rows])
        case Categorical():
            offsets, positions = ragged_positions(column.offsets, rows)
            return replace(column, offsets=offsets, codes=column.codes[positions])
        case Text():
            return replace(column, values=column.values.take(pa.array(rows)))


def encode_column(values: pa.ChunkedArray | pa.Array, kind: Kind | None = None) -> Column:
    """Encode one metadata column, guessing its kind when none is given.

    Numbers and booleans are numeric; strings with a `|` or few distinct values categorical, long ones text, the rest labels.
    """
    flat = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    kind = kind or guess_kind(flat)
    match kind:
        case Kind.NUMERIC:
            numbers = pc.cast(flat, pa.float64(), safe=False)
            return Numeric(pc.fill_null(numbers, float("nan")).to_numpy(zero_copy_only=False))
        case Kind.TEXT:
            return Text(pc.fill_null(pc.cast(flat, pa.string()), ""))
        case _:
            return encode_categories(pc.fill_null(pc.cast(flat, pa.string()), ""), kind)


def guess_kind(values: pa.Array) -> Kind:
    """How a column with these values is best read."""
    if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
        return Kind.NUMERIC
    known = pc.drop_null(values)
    if len(known) == 0:
        return Kind.LABEL
    if pc.mean(pc.utf8_length(known)).as_py() > TEXT_LENGTH and not pc.any(pc.match_substring(known, "|")).as_py():
        return Kind.TEXT
    if pc.any(pc.match_substring(known, "|")).as_py() or pc.count_distinct(known).as_py() <= max(
        50, DISTINCT_SHARE * len(known)
    ):
        return Kind.CATEGORICAL
    return Kind.TEXT if pc.mean(pc.count_substring(known, " ")).as_py() >= 1 else Kind.LABEL


def encode_categories(strings: pa.Array, kind: Kind) -> Categorical:
    """Encode strings without nulls, "" for unknown; those of kind CATEGORICAL are split at each `|`."""
    lists = (
        pc.split_pattern(strings, "|")
        if kind is Kind.CATEGORICAL
        else pa.array([[s] for s in strings.to_pylist()], pa.list_(pa.string()))
    )
    offsets = np.asarray(lists.offsets, np.int64)
    encoded = lists.flatten().dictionary_encode()
    codes, categories = np.asarray(encoded.indices, np.int32), encoded.dictionary.to_pylist()
    blank = categories.index("") if "" in categories else -1
    if blank < 0:
        return Categorical(offsets, codes, tuple(categories), kind)
    known = codes != blank
    counts = np.concatenate([np.zeros(1, np.int64), np.cumsum(known)])
    codes = codes[known] - (codes[known] > blank)
    return Categorical(counts[offsets], codes.astype(np.int32), tuple(c for c in categories if c != ""), kind)


def vector_size(texts: Sequence[str]) -> tuple[int, int]:
    """How many numbers nearly every filled cell lists, 0 if they are no vectors, and how many cells list another number.

    An empty list, and a word such as `nan` for none, are no filled cells. Where all cells list numbers, most may do.

    >>> vector_size(["0.1|0.2|0.3|-1", "[0, 1e-3, 2.5, 4]", "[]"]), vector_size(["12|7", "3|4"])
    ((4, 0), (0, 0))
    """
    looked_at = [text for text in map(with_points, texts[:VECTORS_LOOKED_AT]) if not is_no_vector(text)]
    sizes = Counter(map(_num_numbers, looked_at))
    size, number = sizes.most_common(1)[0] if sizes else (0, 0)
    least = VECTOR_SIZE if any("." in text for text in looked_at) else LONG_VECTOR
    is_vector = size >= least and number >= (VECTORS if sizes[0] else MOST_LISTS) * len(looked_at)
    return (size, len(looked_at) - number) if is_vector else (0, 0)


def is_no_vector(text: str) -> bool:
    """Whether a cell says that there is no vector: it is blank, an empty list or a word for nothing."""
    return text.strip(VECTOR_MARKS).lower() in NO_NUMBERS


def with_points(text: str) -> str:
    """A list of numbers with decimal commas, which no commas divide, with points; any other text as it is.

    >>> with_points("0,5; -1,25; 3"), with_points("[1,2]"), with_points("1, 2; 3")
    ('0.5; -1.25; 3', '[1,2]', '1, 2; 3')
    """
    return text.replace(",", ".") if DECIMAL_COMMAS.fullmatch(text) else text


def _num_numbers(text: str) -> int:
    """How many numbers a cell lists, unknown ones counted; 0 if anything else is in it."""
    parts = re.split(r"[|;,\s]+", VECTOR_CALL.sub("", text).strip(VECTOR_MARKS))
    return len(parts) if all(LISTED_NUMBER.fullmatch(part) for part in parts) else 0
