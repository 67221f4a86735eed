"""Dates that stand in three columns, year, month and day: recognised, so that the preview says why no column is the time."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

from console.shapes import JSONDict
from recipes.tables.words import tokens

WORDS = {  # in the languages in which columns are read
    "year": frozenset({"year", "yr", "yyyy", "yy", "y", "jahr", "annee", "an", "ano", "anno", "jaar", "rok"}),
    "month": frozenset({"month", "mon", "mm", "monat", "mois", "mes", "mese", "maand", "miesiac"}),
    "day": frozenset({"day", "dd", "tag", "jour", "dia", "giorno", "dag", "dzien"}),
}
RANGES = {"year": (1900, 2100), "month": (1, 12), "day": (1, 31)}


def date_parts(guesses: Sequence[JSONDict]) -> tuple[str, ...]:
    """The columns of year, month and day: by their names, else three neighbours of such values; () without."""
    named = [[guess["source"] for guess in guesses if _is_named(guess, part)] for part in WORDS]
    if all(len(sources) == 1 for sources in named):
        return tuple(sources[0] for sources in named)
    for start in range(len(guesses) - 2):
        for order in permutations(guesses[start : start + 3]):
            if all(_holds(guess, part) for guess, part in zip(order, RANGES, strict=True)):
                return tuple(guess["source"] for guess in order)
    return ()


def _is_named(guess: JSONDict, part: str) -> bool:
    is_word = part == "month" and guess.get("type") == "string"  # months may be words
    return bool(WORDS[part].intersection(tokens(guess["source"]))) and (is_word or _holds(guess, part))


def _holds(guess: JSONDict, part: str) -> bool:
    low, high = RANGES[part]
    least, most = str(guess.get("min", "")), str(guess.get("max", ""))
    return least.isdecimal() and most.isdecimal() and low <= int(least) <= int(most) <= high
