"""Fixed words of the engine and the operations that pages translate: summaries, helps, meanings, stages."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from console.operations.evaluation.metric_words import WORDS
from console.runners.fitting import STAGES
from recipes import catalogue
from recipes.use_cases import USE_CASES

ROOT = Path(settings.BASE_DIR)
REPORTING = ("console/runners", "console/samples", "console/jobs.py", "recipes")


def strings() -> Iterator[tuple[str, str]]:
    """Each string with the file that says it."""
    for name, place in catalogue.RECIPES.items():
        recipe, path = catalogue.get(name), place.partition(":")[0].replace(".", "/") + ".py"
        yield recipe.summary, path
        for parameter in recipe.hyperparameters():
            yield parameter.help, path
    for case in USE_CASES.values():
        yield case.summary, "recipes/use_cases.py"
    for words in WORDS.values():
        yield words.title, "console/operations/evaluation/metric_words.py"
        yield words.meaning, "console/operations/evaluation/metric_words.py"
    for stage, *_ in STAGES.values():
        yield stage, "console/runners/fitting.py"
    yield from _stages()


def log_lines() -> Iterator[str]:
    """What jobs write into their logs, with {} for each value: the messages of their reports, and what samples tell."""
    for path in (path for folder in REPORTING for path in _files(ROOT / folder) if "cli" not in path.parts):
        tree = ast.parse(path.read_text())
        assigned = {
            node.targets[0].id: node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "report":
                told = [word.value for word in node.keywords if word.arg == "message"]
                told += node.args[:1] if isinstance(node.func, ast.Name) else []
                for value in told:
                    if line := _line(assigned.get(value.id, value) if isinstance(value, ast.Name) else value):
                        yield line


def _line(node: ast.expr) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _files(start: Path) -> list[Path]:
    return sorted(start.rglob("*.py")) if start.is_dir() else [start]


def _stages() -> Iterator[tuple[str, str]]:
    """What jobs report to be doing."""
    for folder in REPORTING:
        for path in _files(ROOT / folder):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "report":
                    for argument in node.args[:1]:
                        if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                            yield argument.value, str(path.relative_to(ROOT))
