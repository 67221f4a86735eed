"""Values of controls that stand alone, without a form of Django's: one that is not offered is refused, never taken for another."""

from __future__ import annotations

from collections.abc import Collection

from django.http import HttpRequest

from console.json_values import shown
from console.malformed import UnknownChoice


def chosen(request: HttpRequest, name: str, offered: Collection[str]) -> str:
    """What was sent for a control that offers these values.

    Raises:
        UnknownChoice: it was something else, nothing, or several values.
    """
    sent = request.POST.getlist(name)
    if len(sent) == 1 and sent[0] in offered:
        return sent[0]
    raise UnknownChoice(name, ", ".join(map(shown, sent)) or "missing", ", ".join(map(shown, offered)))
