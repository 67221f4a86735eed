"""What operations, jobs and the engine refuse with, as sentences with {} for each value; read from their syntax trees.

A sentence is what an exception is made of, or what a function that makes one is given: its values may be sentences of their own,
such as the rule that a cell breaks, which `WORDING` has.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from console import errors
from recipes import base as recipes_base
from tests.messages.extract import ROOT

SPEAKING = (
    "operations", "serving", "ingest", "models", "storage", "runners", "samples", "json_values.py", "validation.py", "arns.py", "tenancy.py", "jobs.py",
    "transient.py", "malformed.py",
)  # fmt: skip
RAISED = {name for name, found in vars(errors).items() if isinstance(found, type) and issubclass(found, Exception)}
ENGINE = {"RecipeError", "FilterError", "TableError", "DamagedError"} | {
    name for name, found in vars(recipes_base).items() if isinstance(found, type) and issubclass(found, ValueError)
}
# Exceptions that say what a file is, after its name.
PREDICATES = {"PackedError": "{} %s."}
# Files whose every phrase is part of a refusal: rules of cells, what a filter may have where, what a file is.
WORDING = (
    "recipes/json_text.py", "recipes/filters/grammar.py", "recipes/tables/cells.py", "recipes/tables/epochs.py", "recipes/tables/values.py", "recipes/tables/rows.py",
    "recipes/tables/kinds.py", "recipes/filters/unmatched.py", "recipes/evaluation/off_policy/estimates.py", "console/ingest/loading.py", "console/runners/members.py", "console/runners/lines.py",
    "console/jobs.py", "console/transient.py", "console/serving/related.py",
)  # fmt: skip
QUIET = {
    "AssertionError",
    "ArrowInvalid",
    "PackedError",
    "warning",
    "error",
    "exception",
    "info",
    "survived",
    "log",
    "Thread",
}
PHRASE = re.compile(r"\b[A-Za-z]+ (?:[a-z]+\b|\{\})|\{\} [a-z]+|^an? \$?[A-Z]+$")


def sentences() -> list[str]:
    """Every sentence once, in the order of the files."""
    console = [ROOT / "console" / name for name in SPEAKING]
    found = [sentence for path in _files(console) for sentence in of_python(path.read_text(), RAISED)]
    found += [sentence for path in _files([ROOT / "recipes"]) for sentence in of_python(path.read_text(), ENGINE)]
    found += [phrase for path in WORDING for phrase in _phrases(ast.parse((ROOT / path).read_text()))]
    return list(dict.fromkeys(found))


def _files(places: list[Path]) -> Iterator[Path]:
    for place in places:
        yield from sorted(place.rglob("*.py")) if place.is_dir() else [place]


def of_python(text: str, names: set[str]) -> Iterator[str]:
    """What exceptions of these names are made of in a file."""
    tree = ast.parse(text)
    makers = {
        node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and _name(node.returns) in names
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = _name(node.func)
        if name in names | PREDICATES.keys():
            shape = PREDICATES.get(name, "%s")
            yield from (shape % sentence for sentence in _told(node.args[:1]))
        elif name in makers:
            yield from (sentence for sentence in _told(node.args) if PHRASE.search(sentence))


def _name(node: ast.expr | None) -> str:
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")


def _told(arguments: Iterable[ast.expr]) -> Iterator[str]:
    """The sentences among arguments; of a choice between two, both."""
    for argument in arguments:
        if isinstance(argument, ast.IfExp):
            yield from _told((argument.body, argument.orelse))
        elif sentence := _sentence(argument):
            yield sentence


def _sentence(node: ast.expr) -> str:
    """A constant or an f-string with {} for its values; "" for what is put together elsewhere or is values alone."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value.replace("{", "{{").replace("}", "}}")
    if not isinstance(node, ast.JoinedStr):
        return ""
    parts = [
        str(part.value).replace("{", "{{").replace("}", "}}") if isinstance(part, ast.Constant) else "{}"
        for part in node.values
    ]
    sentence = "".join(parts)
    return sentence if re.search("[a-z]", sentence) else ""


def _phrases(tree: ast.Module) -> Iterator[str]:
    """All phrases of a file, but for docstrings, patterns and parts of f-strings."""
    skipped = {id(part) for node in ast.walk(tree) if _is_quiet(node) for part in ast.walk(node)}
    skipped |= {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if id(node) not in skipped and isinstance(node, ast.Constant | ast.JoinedStr):
            phrase = _sentence(node)
            if PHRASE.search(phrase) and "\n" not in phrase and "\\" not in phrase:
                yield phrase


def _is_quiet(node: ast.AST) -> bool:
    """Docstrings, and what is logged, or caught on the way."""
    return (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)) or (
        isinstance(node, ast.Call) and _name(node.func) in QUIET
    )
