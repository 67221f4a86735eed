"""What operations, jobs and the engine refuse with, as sentences with {} for each value; read from their syntax trees."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from console import errors
from recipes import base as recipes_base
from tests.messages.extract import ROOT

SPEAKING = ("operations", "serving", "ingest", "models", "storage", "shapes.py", "arns.py", "tenancy.py")
RAISED = {name for name, found in vars(errors).items() if isinstance(found, type) and issubclass(found, Exception)}
ENGINE = {name for name in ("RecipeError", "FilterError") if name} | {
    name for name, found in vars(recipes_base).items() if isinstance(found, type) and issubclass(found, ValueError)
}


def sentences() -> list[str]:
    """Every sentence once, in the order of the files."""
    console = [ROOT / "console" / name for name in SPEAKING]
    found = [sentence for path in _files(console) for sentence in _of_file(path, RAISED)]
    found += [sentence for path in _files([ROOT / "recipes"]) for sentence in _of_file(path, ENGINE)]
    return list(dict.fromkeys(found))


def _files(places: list[Path]) -> Iterator[Path]:
    for place in places:
        yield from sorted(place.rglob("*.py")) if place.is_dir() else [place]


def _of_file(path: Path, names: set[str]) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
            called = node.exc.func
            name = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
            if name in names and (sentence := _sentence(node.exc.args[0])):
                yield sentence


def _sentence(node: ast.expr) -> str:
    """A constant or an f-string with {} for its values; "" for what is put together elsewhere or is a value alone."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value.replace("{", "{{").replace("}", "}}")
    if not isinstance(node, ast.JoinedStr):
        return ""
    parts = [
        str(part.value).replace("{", "{{").replace("}", "}}") if isinstance(part, ast.Constant) else "{}"
        for part in node.values
    ]
    return "".join(parts)
