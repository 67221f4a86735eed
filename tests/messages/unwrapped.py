"""What a template says without a translation tag: text between tags, attributes that are read out, constants in tags."""

from __future__ import annotations

import re
from collections.abc import Iterator

PARTS = re.compile(
    r"(?P<hidden>\{% comment %\}.*?\{% endcomment %\}|\{#.*?#\}|<!--.*?-->|<!doctype[^>]*>"
    r"|<(?P<raw>pre|script|style|code|textarea)\b(?:\{%.*?%\}|\{\{.*?\}\}|[^>])*>.*?</(?P=raw)>"
    r"|\{% blocktranslate\b.*?\{% endblocktranslate %\})"
    r"|(?P<tag>\{%.*?%\}|\{\{.*?\}\})"
    r"|(?P<html></?[a-zA-Z](?:\{%.*?%\}|\{\{.*?\}\}|[^>])*>)",
    re.DOTALL,
)
TAG = re.compile(r"\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
ATTRIBUTE = re.compile(
    r'\s(?:title|aria-label|placeholder|alt|data-said|label)="((?:\{\{.*?\}\}|\{%.*?%\}|[^"])*)"', re.DOTALL
)
BLOCK = re.compile(r"\{% blocktranslate\b.*?\{% endblocktranslate %\}", re.DOTALL)
CONSTANT = re.compile(
    r'(?:\|default:|\bcopy \S+ |\bprogress_bar \S+ |\bwith \w+=|\b(?:title|label|words|none)=)"([^"]*)"'
)
WORD = re.compile(r"[A-Za-z][A-Za-z0-9]+")
# Names that are the same in every language.
NAMES = {
    "API", "ARN", "AWS", "CSV", "English", "Deutsch", "JSON", "OpenPersonalize", "REST", "UTC", "boto3", "healthz", "metrics", "ms", "p50", "p95", "p99",
}  # fmt: skip
ADDRESS = re.compile(r"\w+://\S+|&\w+;")


def of_template(text: str) -> list[str]:
    """The words of a template that no translation reaches."""
    return [found for found in _said(text) if _has_words(found)]


def _said(text: str) -> Iterator[str]:
    last = 0
    for part in PARTS.finditer(text):
        yield text[last : part.start()].strip()
        last = part.end()
        if part["tag"]:
            yield from CONSTANT.findall(part[0])
        for said in ATTRIBUTE.findall(part["html"] or ""):
            rest = BLOCK.sub(" ", said)
            yield TAG.sub(" ", rest).strip()
            for tag in TAG.findall(rest):
                yield from CONSTANT.findall(tag)
    yield text[last:].strip()


def _has_words(text: str) -> bool:
    return any(word not in NAMES for word in WORD.findall(ADDRESS.sub(" ", text)))
