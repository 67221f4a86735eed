"""README's map of the folders is that of the tree."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TABLE = (ROOT / "README.md").read_text().split("| folder | what is in it |\n")[1].split("\n\n")[0]
ROWS = dict(re.findall(r"^\| (`.+?`) \| (.+) \|$", TABLE, re.MULTILINE))


def folders(text: str) -> list[str]:
    return re.findall(r"`([\w-]+)/`", text)


def below(folder: Path) -> set[str]:
    """The folders in it that are kept: neither hidden nor made by tools."""
    made = {line.strip("/*") for line in (ROOT / ".gitignore").read_text().splitlines()} | {"__pycache__"}
    names = {path.name for path in folder.iterdir() if path.is_dir() and path.name[0] != "."}
    return {name for name in names if name not in made and not name.endswith(".egg-info")}


def test_every_folder_is_on_the_map():
    named = {name for row in ROWS for name in folders(row)}
    assert named == below(ROOT)


@pytest.mark.parametrize("package", ["recipes", "console"])
def test_every_package_is_on_the_map(package):
    assert set(folders(ROWS[f"`{package}/`"])) == below(ROOT / package)


def test_every_page_of_the_documents_is_linked_from_readme():
    pages = {path.name for path in (ROOT / "docs").glob("*.md")}
    assert pages - set(re.findall(r"\(docs/([\w-]+\.md)", (ROOT / "README.md").read_text())) == set()
