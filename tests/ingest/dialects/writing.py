"""Made-up shops and their events, and how a dialect writes them to a file."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

START = datetime(2024, 1, 3, 9, 30, tzinfo=UTC)
TITLES = ("Green Kettle", "Small Lamp", "Red Chair", "Oak Table", "Blue Mug", "Wool Scarf", "Tall Vase", "Steel Pan")
TAGS = ("Home", "Garden", "Kitchen", "Office", "Sport", "Toys")


@dataclass(frozen=True)
class Event:
    """One row of a shop's log."""

    number: int
    user: int
    item: int
    moment: datetime
    kind: str
    stars: float
    price: float
    quantity: int

    @property
    def epoch(self) -> int:
        """Seconds since 1970."""
        return int(self.moment.timestamp())


def events(number: int = 400, users: int = 45, items: int = 60, *, shuffled: bool = True) -> list[Event]:
    """The same events for each call; users and items repeat, unevenly."""
    rng = random.Random(7)
    rows = [
        Event(
            n, int(users * rng.random() ** 1.5), int(items * rng.random() ** 1.5), START + timedelta(hours=11 * n, minutes=rng.randrange(60)),
            rng.choices(("view", "cart", "purchase"), (8, 2, 1))[0], rng.randrange(2, 11) / 2, rng.randrange(199, 99_999) / 100, rng.randrange(1, 5),
        )
        for n in range(number)
    ]  # fmt: skip
    if shuffled:
        rng.shuffle(rows)
    return rows


@dataclass(frozen=True)
class Dialect:
    """A file as some program writes it, and what a person reads in it.

    `roles` maps the schema's columns to the file's, `types` the file's columns to avro's types; `asked` says that something cannot be known;
    `values` are all values that a schema's column then holds.
    """

    name: str
    content: bytes
    kind: str
    roles: dict[str, str]
    rows: int
    types: dict[str, str] = field(default_factory=dict)
    first: dict[str, object] = field(default_factory=dict)
    asked: bool = False
    domain: str = ""
    values: dict[str, set[object]] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


def table(
    header: Sequence[str] | None, rows: Sequence[Sequence[object]], delimiter: str = ",", *, encoding: str = "utf-8", end: str = "\n", quoted: bool = False
) -> bytes:  # fmt: skip
    """Rows as text; cells that hold the delimiter, a quote or a line's end are quoted, or all."""

    def cell(value: object) -> str:
        text = str(value)
        needs = quoted or (len(delimiter) == 1 and any(mark in text for mark in (delimiter, '"', "\n")))
        return '"' + text.replace('"', '""') + '"' if needs else text

    lines = [delimiter.join(map(cell, row)) for row in ([header, *rows] if header else rows)]
    return (end.join(lines) + end).encode(encoding)


def log(
    write: Callable[[Event], Sequence[object]], header: Sequence[str] | None, delimiter: str = ",", **options: object
) -> bytes:
    """The events as a file, one row each."""
    rows = events(shuffled=not options.pop("sorted", False))
    return table(header, [write(event) for event in rows], delimiter, **options)  # type: ignore[arg-type]


def euros(value: float) -> str:
    """A price as German and French shops write it.

    >>> euros(1234.5)
    '1.234,50 €'
    """
    return f"{value:,.2f} €".translate(str.maketrans(",.", ".,"))


def title(item: int) -> str:
    """An item's name."""
    return f"{TITLES[item % len(TITLES)]} {item}"


def tags(item: int) -> list[str]:
    """One to three categories of an item."""
    return sorted({TAGS[item % 6], TAGS[(item * 5 + 1) % 6], TAGS[(item // 7) % 6]})
