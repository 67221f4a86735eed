"""Cells that list several values, brought into the form in which they are kept: divided by |."""

from __future__ import annotations

import ast
import json
import re

import pyarrow as pa
import pyarrow.compute as pc

from recipes.json_text import read_json

POSTGRES_ARRAY = re.compile(r"\{[^{}:]*\}")


def listed(texts: pa.Array, separator: str) -> pa.Array:
    """Lists divided by `separator`, or written as arrays if it is "json", divided by | as they are kept.

    What is no array stays as it is.
    """
    if separator in {"", "|"}:
        return texts
    if separator == "json":
        distinct = texts.dictionary_encode()
        return pa.array(map(_array, distinct.dictionary.to_pylist()), pa.string()).take(distinct.indices)
    parts = pc.replace_substring_regex(texts, rf"\s*{re.escape(separator)}\s*", "|")
    return pc.utf8_trim(parts, "| ")


def _array(text: str) -> str:
    if POSTGRES_ARRAY.fullmatch(text):
        text = f"[{text[1:-1]}]" if '"' in text else json.dumps([part for part in text[1:-1].split(",") if part])
    try:
        found = read_json(text)
    except ValueError:
        try:
            found = ast.literal_eval(text)  # as Python writes a list
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return text
    if not isinstance(found, list):
        return text
    return "|".join(_name(part).replace("|", "/") for part in found if part is not None)


def _name(part: object) -> str:
    """What an entry of an array is called; of objects, as catalogues of films have them, their name."""
    if isinstance(part, dict):
        return str(part.get("name", part.get("id", "")))
    return str(part).lower() if isinstance(part, bool) else str(part)
