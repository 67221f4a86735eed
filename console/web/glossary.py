"""Sentences that pages show and others wrote: summaries of recipes, meanings of metrics, stages of jobs.

The engine and the operations speak English to programs; what they say in fixed words is translated here, at the page. Their
strings are extracted from where they are declared (tests/messages/engine.py).
"""

from __future__ import annotations

import re

from django.utils.translation import gettext

AT = re.compile(r"(?P<name>.+) at (?P<k>\d+)(?P<new>, new items only)?")


def translated(text: str) -> str:
    """A sentence or name of the engine in the reader's language; what has no translation stays as it is."""
    if not text:
        return ""
    known = gettext(text)
    if known != text:
        return known
    if found := AT.fullmatch(text):
        name = gettext("{metric} at {k}").format(metric=gettext(found["name"]), k=found["k"])
        return gettext("{metric}, new items only").format(metric=name) if found["new"] else name
    stage, colon, part = text.partition(": ")
    return f"{gettext(stage)}: {gettext(part)}" if colon and part else text
