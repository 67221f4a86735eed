"""What fuzzers know of the server they face: ARNs, keys, tokens, calls that succeed; plain values, for any process."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

SECRET = re.compile(r"zz.?canary[\w./-]*|000000000011", re.IGNORECASE)
"""What only the first account may see: its number, and whatever is called after the canary."""
OF_STRANGER = re.compile("000000000033")
"""What the owner must not see."""


@dataclass(frozen=True)
class Caller:
    """Somebody who calls: with a key, with a token, and in the browser."""

    number: str
    key_id: str
    secret: str
    token: str
    username: str


@dataclass(frozen=True)
class Scene:
    """What fuzzers know of the server; plain values, so that it can be written down for another process.

    Attributes:
        owner: of nearly everything.
        stranger: who has a small world of their own and must see nothing of the owner's.
        arns: the owner's.
        good: for every operation members of a call by the owner that succeeds.
        own: ARNs of the stranger.
        locations: s3:// URLs with something of the owner's.
    """

    owner: Caller
    stranger: Caller
    arns: dict[str, str]
    good: dict[str, dict[str, Any]]
    own: dict[str, str]
    locations: list[str]

    def write(self, path: Path) -> None:
        """Keep it as JSON."""
        path.write_text(json.dumps(asdict(self)))

    @classmethod
    def read(cls, path: Path) -> Self:
        """The scene that was written."""
        kept = json.loads(path.read_text())
        return cls(**kept | {"owner": Caller(**kept["owner"]), "stranger": Caller(**kept["stranger"])})
