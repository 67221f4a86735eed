"""The notebook page of the library runs as it stands."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "library.md"


def test_its_code_runs_in_order(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)  # noqa: S102  our own page
    printed = capsys.readouterr().out
    assert len(blocks) >= 8
    assert "Dataset(420 interactions, 60 users, 30 items)" in printed
    assert "TIMESTAMP is 'yesterday', seconds since 1970 or datetimes are needed" in printed
    assert (tmp_path / "model" / "manifest.json").is_file()
