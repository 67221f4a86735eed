"""Every string that goes through gettext: in templates by Django's own reading of them, in Python by its calls."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.utils.translation import template

from tests.messages import engine

ROOT = Path(settings.BASE_DIR)
SINGULAR = {"gettext", "gettext_lazy", "gettext_noop", "lazily", "_"}
PLURAL = {"ngettext", "ngettext_lazy"}
CALL = re.compile(r"\b(?:gettext|ngettext|_)\(")  # what templatize leaves of a template


@dataclass(frozen=True)
class Message:
    """A string of the pages, with its plural where it has one."""

    text: str
    plural: str | None = None


def sources() -> list[Path]:
    """Templates and the Python files that speak to people."""
    return sorted([*(ROOT / "templates").rglob("*.html"), *(ROOT / "console" / "web").rglob("*.py")])


def messages() -> dict[Message, list[str]]:
    """All messages with the files that say them; one that has a plural anywhere has it everywhere."""
    found: dict[Message, list[str]] = {}
    said = ((message, str(path.relative_to(ROOT))) for path in sources() for message in of_file(path))
    told = ((Message(text), place) for text, place in engine.strings())
    for message, place in (*said, *told):
        places = found.setdefault(message, [])
        if place not in places:
            places.append(place)
    counted = {message.text for message in found if message.plural}
    return {message: places for message, places in found.items() if message.plural or message.text not in counted}


def of_file(path: Path) -> Iterator[Message]:
    """The messages of one file."""
    text = path.read_text()
    return of_python(text) if path.suffix == ".py" else of_template(text)


def of_template(text: str) -> Iterator[Message]:
    """Messages of translation tags and of constants in other tags."""
    code = template.templatize(text)
    for found in CALL.finditer(code):
        end = found.end()
        while end := code.index(")", end) + 1:
            try:
                call = ast.parse(code[found.start() : end], mode="eval")
            except SyntaxError:
                continue
            yield from _of_call(call.body)
            break


def of_python(text: str) -> Iterator[Message]:
    """Messages of the calls in a file."""
    for node in ast.walk(ast.parse(text)):
        yield from _of_call(node)


def _of_call(node: ast.AST) -> Iterator[Message]:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        return
    texts = [arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
    if node.func.id in SINGULAR and texts:
        yield Message(texts[0])
    elif node.func.id in PLURAL and len(texts) > 1:
        yield Message(texts[0], texts[1])
