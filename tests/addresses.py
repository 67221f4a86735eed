"""The addresses of the server, as Django's patterns."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, get_resolver


def patterns() -> list[tuple[str, str]]:
    """Each page's name (its pattern where it has none) and its pattern, from the root on."""
    found: list[tuple[str, str]] = []

    def walk(entries, prefix: str) -> None:
        for entry in entries:
            place = prefix + str(entry.pattern)
            if isinstance(entry, URLResolver):
                walk(entry.url_patterns, place)
            elif isinstance(entry, URLPattern):
                found.append((entry.name or place, place))

    walk(get_resolver().url_patterns, "")
    return found
