"""What templates and Python files say that no translation reaches: text, attributes that are read out, constants, sentences."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

PARTS = re.compile(
    r"(?P<hidden>\{% comment %\}.*?\{% endcomment %\}|\{#.*?#\}|<!--.*?-->|<!doctype[^>]*>"
    r"|(?P<open><(?P<raw>pre|script|style|code|textarea)\b(?:\{%.*?%\}|\{\{.*?\}\}|[^>])*>).*?</(?P=raw)>"
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
    r'(?:\|default:|\|yesno:|\bcopy \S+ |\bprogress_bar \S+ |\bwith \w+=|\b(?:title|label|words|none)=)"([^"]*)"'
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
        for said in ATTRIBUTE.findall(part["html"] or part["open"] or ""):
            rest = BLOCK.sub(" ", said)
            yield TAG.sub(" ", rest).strip()
            for tag in TAG.findall(rest):
                yield from CONSTANT.findall(tag)
    yield text[last:].strip()


def _has_words(text: str) -> bool:
    return any(word not in NAMES for word in WORD.findall(ADDRESS.sub(" ", text)))


SENTENCE = re.compile(r"[A-Za-z]{2,} [a-z]{2,}|^[A-Z][a-z]{2,}$|[a-z]\.$")
CODE = re.compile(
    r"<|%-|boto3|form-(?:control|select)|^tag |answer = |in answer|await |console\.log"
)  # what is shown to be copied, HTML, CSS, formats
TRANSLATING = {"gettext", "gettext_lazy", "gettext_noop", "ngettext", "lazily"}
QUIET = {
    "find",
    "call",
    "reverse",
    "call_by_wire_names",
    "get_language",
    "format_html",
    "format_html_join",
    "mark_safe",
    "warning",
    "survived",
}


def of_python(text: str) -> list[str]:
    """The sentences and titles of a Python file that no translation reaches; names in code are no sentences."""
    tree = ast.parse(text)
    skipped = {id(node) for node in ast.walk(tree) if _is_quiet(node) for node in ast.walk(node)}
    return [
        said for node in ast.walk(tree) if id(node) not in skipped and (said := _text(node)) and SENTENCE.search(said)
    ]


def _is_quiet(node: ast.AST) -> bool:
    """Docstrings, annotations, keys, comparisons, and calls that translate or speak to programs."""
    if isinstance(node, ast.Call):
        return getattr(node.func, "id", getattr(node.func, "attr", "")) in TRANSLATING | QUIET
    return isinstance(node, ast.Subscript | ast.Compare) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    )


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return "" if CODE.search(node.value) else node.value
    return ""
