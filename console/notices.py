"""What a caller should know of an answer that is no error: noted where it shows, collected by the interface of the request."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

HEADER = "X-Openpersonalize-Warning"
MAX_HEADER = 2000
_notices: ContextVar[list[str] | None] = ContextVar("notices", default=None)


def note(sentences: Iterable[str]) -> None:
    """Add sentences to those of the request, each once; outside of a request nothing happens."""
    found = _notices.get()
    if found is not None:
        found += [sentence for sentence in sentences if sentence not in found]


@contextmanager
def collected() -> Iterator[list[str]]:
    """Collect what is noted within the block."""
    found: list[str] = []
    token = _notices.set(found)
    try:
        yield found
    finally:
        _notices.reset(token)


def header(sentences: list[str]) -> str:
    """Sentences as a header's value, which is ASCII on one line: JSON texts with blanks between them."""
    kept = [json.dumps(sentence) for sentence in sentences]
    while len(kept) > 1 and sum(map(len, kept)) > MAX_HEADER:
        kept.pop()
    return " ".join(kept)
