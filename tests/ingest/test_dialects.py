"""Files as programs write them: what each column is, its type, and how many rows come in, without a click."""

from __future__ import annotations

import pyarrow.parquet as pq
import pytest

from console import storage
from console.ingest import schema as avro
from console.ingest import sniff
from console.ingest.loading import Importer
from console.ingest.mapping import Reading, Source
from console.ingest.schema import Field
from tests.ingest.dialects.abroad import ABROAD
from tests.ingest.dialects.catalogues import CATALOGUES
from tests.ingest.dialects.europe import EUROPE
from tests.ingest.dialects.everyday import EVERYDAY
from tests.ingest.dialects.research import RESEARCH
from tests.ingest.dialects.shops import SHOPS
from tests.ingest.dialects.traps import TRAPS
from tests.ingest.dialects.writing import Dialect

DIALECTS = [*SHOPS, *EUROPE, *ABROAD, *RESEARCH, *CATALOGUES, *TRAPS, *EVERYDAY]


@pytest.fixture
def look(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    location = storage.parse_location("s3://data/file.csv")

    def look(dialect: Dialect) -> sniff.Preview:
        with storage.open_write(location) as file:
            file.write(dialect.content)
        return sniff.preview(location, domain=dialect.domain)

    return look


def imported(found: sniff.Preview, domain: str, folder) -> list[dict]:
    """The rows of the file as it was understood."""
    used = [column for column in found.columns if column.include]
    fields = [Field(one.name, one.type, one.nullable, one.categorical, one.textual) for one in used]
    schema = avro.parse(avro.text_of(found.dataset_type, fields), domain or None)
    sources = {
        one.name: Source(one.source, one.unit, separator=one.separator, decimal=one.decimal, clock=one.clock)
        for one in used
    }
    importer = Importer(
        schema, Reading(found.form, sources), folder, max_bad_percent=5.0, progress=lambda fraction: None
    )
    loaded = importer.run([storage.parse_location("s3://data/file.csv")])
    assert loaded.report["rejected"] == 0, loaded.report["sample"][:3]
    return [row for part in loaded.segments for row in pq.read_table(part.path).to_pylist()]


@pytest.mark.parametrize("dialect", DIALECTS, ids=str)
def test_it_is_read_without_a_click_or_asked(look, dialect, tmp_path):
    found = look(dialect)

    assert found.dataset_type == dialect.kind
    roles = {column.name: column.source for column in found.columns if column.include}
    assert {role: roles.get(role) for role in dialect.roles} == dialect.roles
    types = {column.source: column.type for column in found.columns}
    assert {source: types.get(source) for source in dialect.types} == dialect.types
    assert bool(found.questions) == dialect.asked, found.questions
    if dialect.rows and not dialect.domain:
        folder = tmp_path / "made"
        folder.mkdir()
        rows = imported(found, dialect.domain, folder)
        assert len(rows) == dialect.rows
        assert {name: {_rounded(row[name]) for row in rows} for name in dialect.values} == dialect.values
        for name, mark in dialect.first.items():
            assert isinstance(rows[0][name], str)
            assert not isinstance(mark, str) or any(mark in (row[name] or "") for row in rows)


def _rounded(value: object) -> object:
    """An amount to the cent; a time to the minute, as the coarsest file tells it."""
    return round(value, 2) if isinstance(value, float) else value // 60 * 60 if isinstance(value, int) else value


def test_ids_that_end_in_a_point_and_zero_are_named(look):
    rows = "".join(f"{12_000 + n % 9}.0,i{n % 13},{1_700_000_000 + n}\n" for n in range(60))
    found = look(Dialect("floats", f"customer,item,time\n{rows}".encode(), "INTERACTIONS", {}, 0))

    assert any("12000.0 is not 12000." in warning for warning in found.warnings)


def test_a_list_of_items_is_named(look):
    found = look(next(one for one in EVERYDAY if one.name == "several items in one cell"))

    assert any(warning.startswith("items names several items in one cell.") for warning in found.warnings)


def test_at_least_sixty_dialects_are_held_and_most_need_no_answer():
    assert len(DIALECTS) >= 60
    assert len({dialect.name for dialect in DIALECTS}) == len(DIALECTS)
    assert sum(not dialect.asked for dialect in DIALECTS) >= 57
