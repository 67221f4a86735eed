"""What an answer must be, whatever was asked; and what was found that is not so."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.fuzz.scene import OF_STRANGER, SECRET

SLOW_S = 10.0
CHUNK = 400  # hypothesis remembers what it tried; a fresh start now and then keeps it quick
INSIDES = re.compile(
    r"Traceback|<class '|object at 0x|site-packages|/tmp/|sqlite|psycopg|DoesNotExist|NoneType|dict_values|\berrno\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Sent:
    """A request as it left."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    label: str = ""
    by_owner: bool = True


@dataclass(frozen=True)
class Answer:
    """What came back; status 0 stands for no answer at all, and `body` says why."""

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")

    def json(self) -> Any:
        """The body, None if it is no JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


@dataclass
class Report:
    """How many cases of each kind ran, how they were answered, how long it took, and what was found."""

    cases: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    seconds: Counter[str] = field(default_factory=Counter)
    findings: dict[str, str] = field(default_factory=dict)
    found: Counter[str] = field(default_factory=Counter)

    def add(self, signature: str, example: str) -> None:
        """Keep what was found; of those with one signature the shortest."""
        self.found[signature] += 1
        kept = self.findings.get(signature)
        if kept is None or len(example) < len(kept):
            self.findings[signature] = example[:4000]

    @contextmanager
    def timing(self, kind: str) -> Iterator[None]:
        """Add what the block takes to the seconds of `kind`."""
        start = time.monotonic()
        try:
            yield
        finally:
            self.seconds[kind] += time.monotonic() - start

    def judge(self, kind: str, sent: Sent, answer: Answer) -> None:
        """Hold an answer to what must be so for all of them."""
        self.cases[kind] += 1
        self.statuses[f"{kind} {answer.status}"] += 1
        for what in complaints(sent, answer):
            self.add(f"{kind}: {sent.label}: {what}", described(sent, answer))

    def summary(self) -> dict[str, Any]:
        """All of it as JSON."""
        return {
            "cases": dict(self.cases) | {"total": self.cases.total()},
            "seconds": {kind: round(seconds, 1) for kind, seconds in self.seconds.items()},
            "statuses": dict(sorted(self.statuses.items())),
            "findings": self.findings,
            "found": dict(self.found),
        }


def described(sent: Sent, answer: Answer) -> str:
    """Request and answer for a person to read."""
    return (
        f"{sent.method} {sent.path[:600]} {'owner' if sent.by_owner else 'stranger'}\n{sent.headers}\n{sent.body[:1500]!r}\n"
        f"-> {answer.status} in {answer.seconds:.2f} s {answer.headers}\n{answer.text[:1200]}"
    )


def complaints(sent: Sent, answer: Answer) -> Iterator[str]:
    """What is wrong with an answer."""
    is_health = answer.status == 503 and sent.path.startswith("/healthz")  # what it says where there is no broker
    if answer.status == 0 or (answer.status >= 500 and not is_health):
        yield f"status {answer.status}"
    if answer.seconds > SLOW_S:
        yield f"slower than {SLOW_S:.0f} s"
    if "x-evil" in {name.lower() for name in answer.headers}:
        yield "a header was injected"
    if answer.status >= 400 and (shown := INSIDES.search(_unasked(sent, answer))):
        yield f"shows insides: {shown[0]}"
    if leaked := leaks(sent, answer):
        yield f"leaks {leaked[0]}"


def leaks(sent: Sent, answer: Answer) -> list[str]:
    """What a caller sees of the other account that the request did not itself contain."""
    asked = f"{sent.path} {sent.headers} {sent.body.decode(errors='replace')}".lower()
    asked += unquote_plus(asked)
    return [
        word
        for word in (OF_STRANGER if sent.by_owner else SECRET).findall(answer.text)
        if word.lower().strip("./") not in asked
    ]


def _unasked(sent: Sent, answer: Answer) -> str:
    """The answer without the words that the request brought along."""
    asked = sent.body.decode(errors="replace") + sent.path
    return "" if INSIDES.search(asked) else answer.text


def run_cases(strategy: st.SearchStrategy[Any], act: Callable[[Any], None], cases: int, first_seed: int) -> None:
    """Draw `cases` cases and act on each; what goes wrong is kept by `act`, nothing stops the run."""
    done = 0
    while done < cases:
        done += max(1, _chunk(strategy, act, min(CHUNK, cases - done), first_seed + done))


def _chunk(strategy: st.SearchStrategy[Any], act: Callable[[Any], None], cases: int, number: int) -> int:
    counted = 0

    @seed(number)
    @settings(
        max_examples=cases,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def one(case: Any) -> None:
        nonlocal counted
        counted += 1
        act(case)

    one()
    return counted
