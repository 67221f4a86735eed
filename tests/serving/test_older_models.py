"""A model that another version of the server wrote is refused in words, not with a crash."""

from __future__ import annotations

import json

import pytest

from console.errors import InvalidInputException
from console.serving.loader import load


@pytest.mark.django_db
def test_a_model_of_another_format_is_to_be_trained_anew(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    folder = tmp_path / "store" / "key"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps({"format": 0}))
    with pytest.raises(
        InvalidInputException,
        match=r"cannot be read: its format is 0, and this version reads.*Train a new solution version",
    ) as caught:
        load("key")
    assert str(tmp_path) not in str(caught.value)
