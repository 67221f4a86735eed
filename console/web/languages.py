"""The language of the pages: the cookie's choice, else the browser's. What programs are answered stays English."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import cast

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext_lazy

PROGRAMS = ("/aws", "/api/", "/ingest/", "/op.js", "/healthz", "/livez", "/metrics", "/static/")
DECIMAL_COMMA = {"de"}
SWAPPED_MARKS = str.maketrans(",.", ".,")


class LanguageMiddleware:
    """Renders pages in the reader's language.

    Django's own middleware leaves the language active in the thread, where the next request may be a program's; here it ends
    with the page.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        """Keep what answers the request."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer a program in English and a person in one of LANGUAGES."""
        if request.path_info.startswith(PROGRAMS):
            return self.get_response(request)
        language = translation.get_language_from_request(request)
        with translation.override(language):
            response = self.get_response(request)
        if response.get("Content-Type", "").startswith("text/html"):
            response.headers.setdefault("Content-Language", language)
            patch_vary_headers(response, ("Accept-Language", "Cookie"))
        return response


def localised(text: str) -> str:
    """A number written as 1,234.5 with the marks of the reader's language.

    >>> with translation.override("de"):
    ...     localised("1,234.5")
    '1.234,5'
    """
    return text.translate(SWAPPED_MARKS) if translation.get_language() in DECIMAL_COMMA else text


def figure(value: float) -> str:
    """A number with three significant digits, rounded once; whole numbers whole, thousands set apart.

    >>> figure(0.190437), figure(0.09997), figure(1234567), figure(1234.5), figure(-0.00312), figure(0.0)
    ('0.190', '0.100', '1,234,567', '1,234', '−0.00312', '0')
    """
    if float(value).is_integer():
        text = f"{int(value):,}"
    else:
        digits = max(0, 2 - int(f"{value:.2e}".partition("e")[2]))
        text = f"{value:,.{digits}f}" if digits <= 6 else f"{value:.2e}"
    return localised(text.replace("-", "−"))


def chance_words(p: float) -> str:
    """A p-value as it is written.

    >>> chance_words(0.0002), chance_words(0.031)
    ('p < 0.001', 'p = 0.031')
    """
    return localised("p < 0.001" if p < 0.001 else f"p = {p:.3f}")


def moment(value: datetime, *, seconds: bool = False) -> str:
    """A date with its time, as people of the language write them.

    >>> with translation.override("de"):
    ...     moment(datetime(2026, 5, 3, 14, 5))
    '03.05.2026, 14:05'
    """
    pattern = "%d.%m.%Y, %H:%M" if translation.get_language() == "de" else "%Y-%m-%d %H:%M"
    return value.strftime(f"{pattern}:%S" if seconds else pattern)


def date(value: datetime) -> str:
    """A day, as people of the language write it.

    >>> date(datetime(2026, 5, 3))
    '3 May 2026'
    """
    return f"{value:%d.%m.%Y}" if translation.get_language() == "de" else f"{value.day} {value:%b %Y}"


def day_form() -> str:
    """How a day of a year is written, for strftime."""
    return "%-d.%-m." if translation.get_language() == "de" else "%-d %b"


def month_form() -> str:
    """How a month is written, for strftime."""
    return "%m/%Y" if translation.get_language() == "de" else "%b %Y"


def lazily(text: str) -> str:
    """A string of a module's table, which is read in the language of whoever looks at the page.

    Django's gettext_lazy with the type of what it becomes; it joins and compares as text does once a template or `str` has it.
    """
    return cast("str", gettext_lazy(text))
