"""Nothing is left out: every setting is documented, every command, operation and recipe is tested or excused in writing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from console.operations import base
from console.shapes import OPERATION_MODELS
from recipes.catalogue import RECIPES

ROOT = Path(__file__).resolve().parents[1]
TESTS = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("*.py") if path.name != "test_guards.py")
README = (ROOT / "README.md").read_text()

# name: why no test of its own is needed
EXCUSED_SETTINGS = {"DEBUG": "Django's own; never on in a deployment", "LOG_LEVEL": "logging's own"}
EXCUSED_COMMANDS: dict[str, str] = {}


def test_every_environment_variable_is_in_the_readme():
    source = (ROOT / "console" / "settings.py").read_text()
    names = (
        set(re.findall(r'(?:text|choice|names|flag|whole|number|secret)\(\s*f?"([A-Z_0-9]+)"', source))
        - EXCUSED_SETTINGS.keys()
    )
    assert names
    assert [name for name in sorted(names) if name not in README] == []


def test_every_command_is_tested():
    commands = {path.stem for path in (ROOT / "console" / "management" / "commands").glob("[a-z]*.py")}
    assert [name for name in sorted(commands - EXCUSED_COMMANDS.keys()) if f'"{name}"' not in TESTS] == []


def test_every_operation_exists_and_no_other():
    assert base.OPERATIONS.keys() == OPERATION_MODELS.keys()


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_has_a_test_file_that_names_it(name):
    files = (ROOT / "tests" / "recipes").rglob("test_*.py")
    assert any(name in path.read_text() for path in files), f"no test below tests/recipes names {name}"


def test_the_makefiles_targets_are_in_the_readme():
    targets = re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert [
        target for target in targets if f"make {target}" not in README and target not in {"install", "clean", "help"}
    ] == []


def test_numbers_of_requests_are_known_by_what_int_can_read():
    """`"²".isdigit()` holds, and int("²") fails."""
    faces = [
        path
        for part in ("aws", "api", "beacons", "front", "web", "operations")
        for path in (ROOT / "console" / part).rglob("*.py")
    ]
    assert [path.name for path in faces if ".isdigit()" in path.read_text()] == []


def test_every_fault_of_the_table_is_inflicted_by_a_test_that_exists():
    named = re.findall(r"`(test_\w+)::(test_\w+)`", (ROOT / "docs" / "reliability.md").read_text())
    files = {path.stem: path.read_text() for path in (ROOT / "tests").rglob("test_*.py")}
    assert len(named) > 30
    assert [f"{file}::{test}" for file, test in named if f"def {test}(" not in files.get(file, "")] == []
