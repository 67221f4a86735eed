"""Texts encoded block by block have the codes that all of them together have."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from recipes import encoding
from recipes.encoding import TextEncoder, encode_texts

WORDS = pa.array(["a", "b", None, "unused", "c", "b"])


def block(rng):
    kind, size = rng.integers(4), int(rng.integers(0, 9))
    texts = pa.array([[*"abcdefgh", None][code] for code in rng.integers(0, 9, size)], pa.string())
    if kind == 1:
        return texts.dictionary_encode()
    if kind == 2:
        return pa.DictionaryArray.from_arrays(pa.array(rng.integers(0, 6, size), pa.int32()), WORDS)
    return texts if kind == 3 else texts.cast(pa.large_string())


@pytest.mark.parametrize("merged_at", [1, 5, 1000])
def test_blocks_have_the_codes_of_all_texts_together(merged_at, monkeypatch):
    monkeypatch.setattr(encoding, "MERGED_AT", merged_at)
    for seed in range(40):
        rng = np.random.default_rng(seed)
        found = [block(rng) for _ in range(6)]
        encoder = TextEncoder()
        for each in found:
            encoder.add(each)
        codes, texts = encoder.finish()
        whole = pa.array([text for each in found for text in each.to_pylist()], pa.string()).dictionary_encode()
        assert texts.to_pylist() == whole.dictionary.to_pylist()
        assert codes.dtype == np.int32
        assert codes.tolist() == [-1 if code is None else code for code in whole.indices.to_pylist()]


def test_numbers_are_texts_and_nothing_is_nothing():
    codes, texts = encode_texts(pa.chunked_array([[7, 8], [], [7]]))
    assert (codes.tolist(), texts.to_pylist()) == ([0, 1, 0], ["7", "8"])
    codes, texts = encode_texts(pa.chunked_array([], pa.string()))
    assert (codes.tolist(), texts.to_pylist()) == ([], [])
