"""One name for one thing, the field's own: words that were retired do not come back, and no two classes share a name."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
RECIPES = sorted((ROOT / "recipes").rglob("*.py"))
RENAMED = (
    "methods",
    "stacking",
    "components",
    "recurrent",
    "numerics",
    "content",
)  # packages of recipes/; the others follow
MODULES = ("base", "run", "ranking", "artefact", "catalogue", "columns", "data", "subprocess_task", "tuning")
ENGINE = [path for path in RECIPES if path.parent.name in RENAMED or path.stem in MODULES]
# retired word: what to say instead
RETIRED = {
    "audience": "user ridge",
    "circumstance": "context",
    "company": "co-occurrence",
    "doubt": "shrinkage",
    "fewest": "min_…",
    "foretell": "predict",
    "foretold": "predicted",
    "heard": "counted",
    "hurried": "fast",
    "judge": "evaluate",
    "judged": "evaluated",
    "judging": "evaluating",
    "leftover": "scratch file",
    "likeness": "similarity",
    "loudness": "weight norm",
    "remembered": "cached",
    "remembering": "caching",
    "speaker": "neighbour",
    "spoken": "scored",
    "stranger": "unknown user",
    "told": "observed, reported",
    "workshop": "FitContext",
}
EXCUSED = {"recipes/stacking/format_2.py": {"audience", "remembered"}}  # reads what was written with the old names


def words(path: Path) -> set[str]:
    """Words of a file, those inside of names too: `JudgedUsers` has judged and users."""
    text = re.sub(r"([a-z])([A-Z])", r"\1 \2", path.read_text())
    found = set(re.findall(r"[a-z]+", text.lower()))
    return found | {word.removesuffix("s") for word in found}


@pytest.mark.parametrize("path", ENGINE, ids=lambda path: str(path.relative_to(ROOT)))
def test_retired_words_do_not_come_back(path):
    found = words(path) & RETIRED.keys() - EXCUSED.get(str(path.relative_to(ROOT)), set())
    assert not {f"{word}: say {RETIRED[word]}" for word in found}


def test_every_package_is_held_to_it():
    assert {path.parent.name for path in ENGINE} >= set(RENAMED)
    assert {path.stem for path in ENGINE} >= set(MODULES)


def test_no_two_classes_of_the_engine_share_a_name():
    counts: Counter[str] = Counter()
    for path in ENGINE:
        body = ast.parse(path.read_text()).body
        counts.update(node.name for node in body if isinstance(node, ast.ClassDef) and node.name[0] != "_")
    assert {name for name, count in counts.items() if count > 1} == set()
