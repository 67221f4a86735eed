"""No module imports itself by way of others, be it inside a function or for type checking only."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def modules(package: str) -> dict[str, Path]:
    """Every module of a package by its dotted name."""
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in (ROOT / package).rglob("*.py")
    }


def imported(source: str, known: dict[str, Path]) -> Iterator[str]:
    """The known modules that a source imports, anywhere in it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in known else node.module for name in inner if {name, node.module} & known.keys())


def circle(package: str) -> list[str]:
    """The modules of a circle of imports, or none."""
    known = modules(package)
    graph = {name: set(imported(path.read_text(), known)) - {name} for name, path in known.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


@pytest.mark.parametrize("package", ["recipes", "console"])
def test_there_is_no_circle(package):
    assert circle(package) == []


def test_a_circle_for_type_checking_only_would_be_found(tmp_path, monkeypatch):
    (tmp_path / "ring").mkdir()
    (tmp_path / "ring" / "a.py").write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ring import b\n"
    )
    (tmp_path / "ring" / "b.py").write_text("def late():\n    from ring.a import TYPE_CHECKING\n")
    monkeypatch.setattr("tests.test_imports.ROOT", tmp_path)
    assert set(circle("ring")) == {"ring.a", "ring.b"}


def test_tests_build_their_states_from_factories_and_fixtures_alone():
    """What two tests share stands in a module without tests: one test's change does not break another."""
    shared = [
        f"{path.relative_to(ROOT)} imports {node.module}"
        for path in (ROOT / "tests").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom)
        and node.module
        and "test_" in node.module
        and node.module.startswith("tests.")
    ]
    assert shared == []
