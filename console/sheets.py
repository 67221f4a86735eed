"""CSV for spreadsheets: a cell that one would take for a formula is text there, too."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import Any, Protocol

FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Sink(Protocol):
    """What takes the lines."""

    def write(self, text: str, /) -> object:
        """Take a line."""


class SheetWriter:
    """As csv.writer, with harmless cells."""

    def __init__(self, sink: Sink) -> None:
        """Write to `sink`."""
        self._writer = csv.writer(sink)

    def writerow(self, row: Iterable[object]) -> Any:
        """Write a row; returns what the sink returns."""
        return self._writer.writerow([harmless(cell) for cell in row])

    def writerows(self, rows: Iterable[Iterable[object]]) -> None:
        """Write rows."""
        for row in rows:
            self.writerow(row)


def harmless(cell: object) -> object:
    """A cell that no spreadsheet runs: text that would be a formula begins with an apostrophe. Numbers are not touched.

    >>> [harmless(cell) for cell in ("=1+1", "-2.5", "-rm", "@x", "plain", -3)]
    ["'=1+1", '-2.5', "'-rm", "'@x", 'plain', -3]
    """
    if not isinstance(cell, str) or not cell.startswith(FORMULA):
        return cell
    return cell if _is_number(cell) else f"'{cell}"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return not text[0].isspace()
