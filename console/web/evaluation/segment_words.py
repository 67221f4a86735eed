"""What segments of users and items are called on pages: the engine's names and ranges in the reader's language, values of data as they are."""

from __future__ import annotations

import re
from collections.abc import Sequence

from django.utils.translation import gettext, gettext_noop

from console.web.glossary import translated
from console.web.languages import localised
from console.web.templatetags.display import events

SEGMENTS = (
    gettext_noop("new items"),
    gettext_noop("older items"),
    gettext_noop("head of the catalogue"),
    gettext_noop("middle of the catalogue"),
    gettext_noop("tail of the catalogue"),
    gettext_noop("head"),
    gettext_noop("middle"),
    gettext_noop("tail"),
)
NUMBER = r"-?\d+(?:\.\d+)?(?:e[+-]\d+)?"
RANGE = re.compile(rf"(?P<low>{NUMBER})(?: to (?P<high>{NUMBER}))?(?P<unit> events)?")


def segment_words(labels: Sequence[str]) -> dict[str, str]:
    """The words of the segments of one kind, by their labels.

    >>> segment_words(["1 events", "2 to 7 events"]), segment_words(["2 to 7", "north"])
    ({'1 events': '1 event', '2 to 7 events': '2 to 7 events'}, {'2 to 7': '2 to 7', 'north': 'north'})
    """
    ranges = [RANGE.fullmatch(label) for label in labels]
    if all(ranges):
        return {label: _range(found) for label, found in zip(labels, ranges, strict=True) if found}
    return {label: translated(label) if label in SEGMENTS else label for label in labels}


def _range(found: re.Match[str]) -> str:
    low, high = (localised(found[name]) if found[name] else "" for name in ("low", "high"))
    if not high:
        return events(int(found["low"])) if found["unit"] else low
    words = gettext("{low} to {high} events") if found["unit"] else gettext("{low} to {high}")
    return words.format(low=low, high=high)
