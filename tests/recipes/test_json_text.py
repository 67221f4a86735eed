"""What people give as JSON: a text nested too deeply is refused wherever it is read, as what is no JSON is."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest

from recipes.filters.binding import read_values
from recipes.filters.expression import FilterError
from recipes.json_text import MAX_DEPTH, read_json
from recipes.tables import describe, lists
from recipes.tables.files import read_file

DEPTHS = [MAX_DEPTH + 1, 900, 3_000, 100_000]


def test_it_works():
    assert read_json('{"a": [1, {"b": null}]}') == {"a": [1, {"b": None}]}
    assert read_json(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    assert read_json(json.dumps(["[" * 100] * 3)) == ["[" * 100] * 3


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("marks", ["[]", '{"a":}'])
def test_what_is_nested_too_deeply_is_refused(depth, marks):
    text = marks[:-1] * depth + "1" + marks[-1] * depth
    with pytest.raises(ValueError, match="nested more than 64 levels deep"):
        read_json(text)
    with pytest.raises(ValueError, match="nested more than 64 levels deep"):
        read_json(text.encode())


@pytest.mark.parametrize("depth", DEPTHS)
def test_a_cell_of_brackets_is_text(depth):
    for text in ("[" * depth, "[" * depth + "]" * depth):
        assert describe.parts_of(text, "json") is None
        assert lists.listed(pa.array([text]), "json").to_pylist()[0].strip("[]") == ""


@pytest.mark.parametrize("depth", DEPTHS)
def test_a_filter_value_of_brackets_is_refused(depth):
    with pytest.raises(FilterError):
        read_values("GENRE", "[" * depth + "1" + "]" * depth)


@pytest.mark.parametrize("depth", DEPTHS)
def test_a_line_of_brackets_is_listed(tmp_path, depth):
    path = tmp_path / "items.jsonl"
    whole = "".join(json.dumps({"item_id": n, "tags": [n % 3]}) + "\n" for n in range(60))
    path.write_text(f'{whole}{{"item_id": 60, "tags": {"[" * depth}{"]" * depth}}}\n')

    found = read_file(path, ("ITEM_ID",))

    assert found.table.num_rows == 60
    assert "1 of 61 rows are left out" in found.notes[0]
    assert "no JSON object" in found.notes[0]
