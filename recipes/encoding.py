"""Texts as codes while they come, block by block: what is held is a code an event and each text once, never all texts."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from recipes.numerics.grouping import joined

MERGED_AT = 500_000  # texts of blocks that are held before they are looked up; as many as are known if those are more


class TextEncoder:
    """Codes of texts by first appearance, as `pyarrow.Array.dictionary_encode` gives them for all blocks together; null is -1."""

    def __init__(self) -> None:
        """Know no text."""
        self._known = pa.array([], pa.string())
        self._codes: list[NDArray[np.int32]] = []
        self._texts: list[pa.Array] = []  # of the last blocks, whose codes count these alone
        self._held = 0

    def add(self, values: pa.Array | pa.ChunkedArray) -> None:
        """Encode the next texts, dictionary-encoded or not; anything else is cast to texts."""
        for chunk in values.chunks if isinstance(values, pa.ChunkedArray) else [values]:
            codes, texts = _encoded(chunk)
            self._codes.append(codes)
            self._texts.append(texts)
            self._held += len(texts)
            if self._held >= max(MERGED_AT, len(self._known)):
                self._merge()

    def finish(self) -> tuple[NDArray[np.int32], pa.Array]:
        """(E,) the code of each text added, and the texts by code."""
        self._merge()
        return joined(self._codes or [np.zeros(0, np.int32)]), self._known

    def finish_dictionary(self) -> pa.DictionaryArray:
        """(E,) the texts added as one dictionary-encoded array."""
        codes, texts = self.finish()
        unknown = codes < 0
        return pa.DictionaryArray.from_arrays(pa.array(codes, mask=unknown if unknown.any() else None), texts)

    def _merge(self) -> None:
        first = len(self._codes) - len(self._texts)
        # Empty chunks are left out, as `dictionary_encode` does.
        fresh = [(first + place, texts) for place, texts in enumerate(self._texts) if len(texts)]
        self._texts, self._held = [], 0
        if not fresh:
            return
        known = [self._known] if len(self._known) else []  # what is known keeps its codes
        merged = pa.chunked_array([*known, *(texts for _, texts in fresh)]).dictionary_encode()
        self._known = merged.chunk(0).dictionary
        for (place, _), chunk in zip(fresh, merged.chunks[len(known) :], strict=True):
            code = _codes(chunk.indices)
            if not np.array_equal(code, np.arange(len(code))):
                self._codes[place] = np.append(code, np.int32(-1))[self._codes[place]]  # the last one is for -1


def encode_texts(values: pa.Array | pa.ChunkedArray) -> tuple[NDArray[np.int32], pa.Array]:
    """(E,) the code of each text by first appearance, -1 for null, and the texts by code.

    >>> codes, texts = encode_texts(pa.array(["b", None, "a", "b"]))
    >>> codes.tolist(), texts.to_pylist()
    ([0, -1, 1, 0], ['b', 'a'])
    """
    encoder = TextEncoder()
    encoder.add(values)
    return encoder.finish()


def _encoded(values: pa.Array) -> tuple[NDArray[np.int32], pa.Array]:
    """A block's codes, -1 for null, and its distinct texts by first appearance."""
    if not pa.types.is_dictionary(values.type):
        values = pc.cast(values, pa.string()).dictionary_encode()
        return _codes(values.indices), values.dictionary
    indices, texts = values.indices, pc.cast(values.dictionary, pa.string())
    order = pc.drop_null(pc.unique(indices))
    if len(order) == len(texts) and np.array_equal(np.asarray(order), np.arange(len(texts))):
        return _codes(indices), texts
    place = np.full(len(texts) + 1, -1, np.int32)
    place[np.asarray(order)] = np.arange(len(order), dtype=np.int32)
    return place[_codes(indices)], texts.take(order)


def _codes(indices: pa.Array) -> NDArray[np.int32]:
    return np.asarray(pc.fill_null(indices, -1) if indices.null_count else indices, np.int32)
