"""What holds of every template: lines and choices a person can read, sentences without holes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

LONGEST = 160
ROOT = Path(settings.BASE_DIR) / "templates"
TEMPLATES = sorted(ROOT.rglob("*.html"))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_line_is_too_long(path):
    lines = path.read_text().splitlines()
    assert [number for number, line in enumerate(lines, 1) if len(line) > LONGEST] == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_choice_has_more_than_three_ways(path):
    """Longer chains are tables in Python, where a test can read them."""
    elifs: list[int] = []
    longest = 0
    for tag in re.findall(r"\{%\s*(if|elif|endif)\b", path.read_text()):
        if tag == "if":
            elifs.append(0)
        elif tag == "elif":
            elifs[-1] += 1
        else:
            longest = max(longest, elifs.pop())
    assert longest <= 1


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_sentence_with_values_says_each_of_them(path):
    """A value under a name that the sentence does not use leaves a hole where it should stand."""
    for head, body in re.findall(
        r"\{% blocktranslate(.*?)%\}(.*?)\{% endblocktranslate %\}", path.read_text(), re.DOTALL
    ):
        given = set(re.findall(r"(?<!count )\b(\w+)=", head))
        said = set(re.findall(r"\{\{\s*(\w+)\s*\}\}", body))
        assert given <= said, (given - said, body)
