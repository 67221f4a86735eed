"""Identifiers that nobody needs to keep secret, made without a call of the kernel for each."""

from __future__ import annotations

from random import getrandbits

VARIANT = "89ab"


def new_uuid() -> str:
    """A random UUID (version 4) as text; `random` is seeded by the kernel, and anew in each process that is forked.

    >>> from uuid import UUID
    >>> UUID(new_uuid()).version
    4
    """
    digits = f"{getrandbits(128):032x}"
    return (
        f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{VARIANT[int(digits[16], 16) & 3]}{digits[17:20]}-{digits[20:]}"
    )
