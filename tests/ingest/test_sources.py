"""Streams of whole lines: any block size gives the same lines, and memory stays bounded for large files."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys

import pytest

from console import storage
from console.errors import JobError
from console.ingest import sources
from recipes.tables.dialect import CsvFormat
from recipes.tables.text import blocks
from tests.factories import put_object


def lines_of(content, size=64, encoding=""):
    url = put_object("file.csv", content)
    with sources.open_text(storage.parse_location(url), encoding) as stream:
        return list(blocks(stream, CsvFormat(","), size))


@pytest.mark.parametrize("size", [7, 64, 1 << 20])
def test_blocks_end_at_line_ends(size):
    content = "".join(f"{n},value {n}\n" for n in range(200)).encode()

    blocks = lines_of(content, size)

    assert b"".join(block.data for block in blocks) == content
    assert all(block.data.endswith(b"\n") for block in blocks)
    lines = [block.first_line for block in blocks]
    assert lines == sorted(lines)
    assert blocks[-1].first_line + blocks[-1].data.count(b"\n") == 201


def test_a_quoted_line_end_does_not_end_a_block():
    content = b"".join(b'%d,"several\nlines, here"\n' % n for n in range(100))

    blocks = lines_of(content, 100)

    assert b"".join(block.data for block in blocks) == content
    assert all(block.data.count(b'"') % 2 == 0 for block in blocks)


@pytest.mark.parametrize(
    ("stored", "encoding"),
    [
        ("é,ü\n1,2\n".encode("utf-8-sig"), ""),
        ("é,ü\n1,2\n".encode("utf-16"), ""),
        ("é,ü\n1,2\n".encode("cp1252"), "cp1252"),
        (gzip.compress("é,ü\n".encode()) + gzip.compress(b"1,2\n"), ""),
        ("é,ü\r1,2\r".encode(), ""),
    ],
    ids=["bom", "utf-16", "cp1252", "gzip in two members", "old Mac"],
)
def test_text_is_the_same_however_it_is_stored(stored, encoding):
    assert b"".join(block.data for block in lines_of(stored, encoding=encoding)) == "é,ü\n1,2\n".encode()


def test_a_damaged_gzip_file_is_told():
    whole = gzip.compress(b"".join(b"%d,%d\n" % (n, n * 7919) for n in range(50_000)))

    with pytest.raises(JobError, match="cannot be unpacked"):
        lines_of(whole[: len(whole) // 2])


MEASURE = """
import json, resource, sys
from pathlib import Path
import django
django.setup()
from console import storage
from console.ingest import schema
from console.ingest.loading import Importer
from console.ingest.mapping import Reading
from console.scratch import scratch_folder
fields = [schema.Field(name, kind) for name, kind in json.loads(sys.argv[1])]
parsed = schema.parse(schema.text_of("INTERACTIONS", fields))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with scratch_folder() as folder:
    loaded = Importer(parsed, Reading(), Path(folder), max_bad_percent=5, progress=lambda _: None).run(
        [storage.Location("data", "large.csv")]
    )
    print(json.dumps([loaded.report["imported"], (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10]))
"""


@pytest.mark.slow
def test_memory_is_bounded(settings):
    block = "".join(f"user{n % 5003},item{n % 997},{1_600_000_000 + n}\n" for n in range(100_000))
    put_object("large.csv", "USER_ID,ITEM_ID,TIMESTAMP\n" + "".join(
        block.replace("item", f"item{letter}") for letter in "abcdefghijklmnopqrst"
    ))  # fmt: skip
    fields = [["USER_ID", "string"], ["ITEM_ID", "string"], ["TIMESTAMP", "long"]]

    done = subprocess.run(
        [sys.executable, "-c", MEASURE, json.dumps(fields)],
        env={"DJANGO_SETTINGS_MODULE": "console.settings", "DATA_DIR": str(settings.DATA_DIR)},
        cwd=settings.BASE_DIR, capture_output=True, text=True, check=True,
    )  # fmt: skip

    imported, grown_mib = json.loads(done.stdout)
    assert imported == 2_000_000
    assert grown_mib < 500


def test_what_programs_leave_beside_the_parts_is_not_read():
    for name in (
        "part-0.csv",
        "events_0001",
        "~$part-0.csv",
        "~$a.xlsx",
        "events_manifest",
        "eventsmanifest",
        "_SUCCESS",
        "b.csv.crc",
    ):
        put_object(f"left/{name}", "x")

    found = sources.source_files(storage.parse_location("s3://data/left/"))

    assert [each.name for each in found] == ["events_0001", "part-0.csv"]


def test_a_folder_of_folders_names_them():
    for number in range(7):
        put_object(f"days/dt=2024-03-0{number}/part-0.csv", "x")
    put_object("days/_temporary/0/part-0.csv", "x")

    with pytest.raises(JobError, match=r"one of them: dt=2024-03-00/, .*dt=2024-03-04/, …") as caught:
        sources.source_files(storage.parse_location("s3://data/days/"))

    assert "_temporary" not in str(caught.value)
