"""Folders of many parts: read ahead over their borders, in order, and at fault where the first of them is."""

from __future__ import annotations

from threading import Barrier

import pyarrow.parquet as pq
import pytest

from console import jobs, storage
from console.errors import JobError
from console.ingest import loading, schema
from console.ingest.loading import Importer
from console.ingest.mapping import Reading
from console.ingest.sources import source_files
from recipes.executor import THIS_MACHINE
from tests.factories import INTERACTIONS, put_object

HEAD = "USER_ID,ITEM_ID,EVENT_TYPE,TIMESTAMP\n"
PARTS, ROWS = 12, 40


def lines(part):
    return [f"u{part},i{row},click,{1_700_000_000 + row}" for row in range(ROWS)]


def put(parts):
    """Put the lines of each part into a folder; its files."""
    for number, rows in enumerate(parts):
        put_object(f"parts/part-{number:03}.csv", HEAD + "".join(f"{row}\n" for row in rows))
    return source_files(storage.parse_location("s3://data/parts/"))


@pytest.fixture
def importer(tmp_path, account):
    parsed = schema.parse(schema.text_of("INTERACTIONS", [schema.Field(*field) for field in INTERACTIONS]))

    def make(progress=lambda _: None, bad=100.0):
        return Importer(parsed, Reading(), tmp_path, max_bad_percent=bad, progress=progress)

    return make


def test_parts_are_read_as_one_file_would_be(importer):
    parts = [[*lines(part), f"u{part},i1,click,never", lines(part)[0]] for part in range(PARTS)]
    fractions = []

    loaded = importer(fractions.append).run(put(parts))

    rows = [row for segment in loaded.segments for row in pq.read_table(segment.path).to_pylist()]
    assert [(row["USER_ID"], row["ITEM_ID"]) for row in rows] == [
        (f"u{part}", f"i{row}") for part in range(PARTS) for row in range(ROWS)
    ]
    told = loaded.report
    assert (told["rows"], told["rejected"], told["duplicates"]) == (PARTS * (ROWS + 2), PARTS, PARTS)
    assert [(bad["file"], bad["line"]) for bad in told["sample"]] == [
        (f"part-{part:03}.csv", ROWS + 2) for part in range(PARTS)
    ]
    assert fractions == sorted(fractions)
    assert (len(fractions), fractions[-1]) == (PARTS, 1.0)


def test_several_parts_are_converted_at_a_time(importer, monkeypatch):
    monkeypatch.setattr(THIS_MACHINE, "parallelism", 2)
    both, convert = Barrier(2, timeout=60), Importer._convert

    def together(self, task):
        both.wait()  # one after the other they would wait for ever
        return convert(self, task)

    monkeypatch.setattr(Importer, "_convert", together)
    assert importer().run(put(map(lines, range(4)))).report["imported"] == 4 * ROWS


def test_a_part_at_fault_in_the_middle_is_named_once_those_before_it_are_counted(importer):
    files = put(map(lines, range(PARTS)))
    for number in (5, 8):
        put_object(f"parts/part-{number:03}.csv", "USER_ID,WHEN\nu1,1\n")
    begun = importer()

    with pytest.raises(JobError, match=r"ITEM_ID.*part-005\.csv has the columns USER_ID, WHEN"):
        begun.run(files)

    assert begun.report()["rows"] == 5 * ROWS


def test_too_many_bad_rows_are_told_before_a_later_part_that_cannot_be_read(importer, monkeypatch):
    monkeypatch.setattr(loading, "SURELY_BAD", ROWS)
    bad = [f"u1,i{row},click,never" for row in range(2 * ROWS)]
    files = put([lines(0), bad, lines(2)])
    put_object("parts/part-002.csv", "USER_ID,WHEN\nu1,1\n")

    with pytest.raises(JobError, match=r"80 of 120 rows .* line 2 of part-001\.csv"):
        importer(bad=5.0).run(files)


def test_a_stop_ends_the_reading_amid_the_parts(importer):
    def stop(_):
        raise jobs.Stopped

    begun, files = importer(stop), put(map(lines, range(100)))
    with pytest.raises(jobs.Stopped):
        begun.run(files)

    assert begun.report()["rows"] == ROWS
    assert begun.report()["bytes"] < sum(map(storage.size_bytes, files)) / 2
