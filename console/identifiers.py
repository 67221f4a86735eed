"""Random UUIDs for requests and answers, of which each request has two.

The system is asked for the randomness of many at once: each asking costs more than the rest of an identifier, and lets other threads
take the interpreter in the middle of a request.
"""

from __future__ import annotations

import os

BYTES = 16
TOGETHER = 256

_unused: list[bytes] = []  # `pop` and `extend` are atomic: no two threads get the same
os.register_at_fork(after_in_child=_unused.clear)  # nor do two processes


def new_identifier() -> str:
    """A UUID of version 4 (RFC 9562, 5.4), as text."""
    try:
        text = _unused.pop().hex()
    except IndexError:
        drawn = os.urandom(BYTES * TOGETHER)
        text = drawn[:BYTES].hex()
        _unused.extend(drawn[at : at + BYTES] for at in range(BYTES, len(drawn), BYTES))
    variant = "89ab"[int(text[16], 16) & 3]
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{variant}{text[17:20]}-{text[20:]}"
