"""How the numbers of charts are written."""

from __future__ import annotations

from datetime import UTC, datetime

from console.web.glossary import translated
from console.web.languages import figure, moment

ACRONYMS = {"ndcg", "mrr", "map"}


def plain(name: str) -> str:
    """A figure's name as a person says it.

    >>> plain("validation_ndcg_at_10")
    'Validation NDCG at 10'
    """
    words = [word.upper() if word in ACRONYMS else word for word in name.split("_")]
    return translated(" ".join([words[0][:1].upper() + words[0][1:], *words[1:]]))


def minute(seconds: float) -> str:
    """Epoch seconds as a UTC time.

    >>> minute(1_700_000_000)
    '2023-11-14 22:13'
    """
    return moment(datetime.fromtimestamp(seconds, UTC))


def shown(value: float | None) -> str:
    """A number as it stands on pages, a dash for none.

    >>> shown(0.19043), shown(12345.0), shown(-3.0), shown(None)
    ('0.190', '12,345', '−3', '–')
    """
    return "–" if value is None else figure(value)
