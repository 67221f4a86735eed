"""Times as programs and people of many countries write them: recognised, and read as they are meant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from recipes.tables.describe import describe
from recipes.tables.files import read_file
from recipes.tables.guess import understand

MOMENTS = [datetime(2024, 3, 1, 9, 0, 5, tzinfo=UTC) + timedelta(hours=7 * n) for n in range(60)]
DIGITS = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")


def half(m, forenoon, afternoon):
    return forenoon if m.hour < 12 else afternoon


FORMS = {
    "American": lambda m: f"{m.month}/{m.day}/{m.year}, {m:%-I:%M:%S %p}",
    "American with a narrow blank": lambda m: f"{m.month}/{m.day}/{m.year}, {m:%-I:%M:%S}\u202f{m:%p}",
    "British": lambda m: f"{m:%d/%m/%Y, %H:%M:%S}",
    "German": lambda m: f"{m.day}.{m.month}.{m.year}, {m:%H:%M:%S}",
    "ISO with a comma": lambda m: f"{m + timedelta(hours=5.5):%Y-%m-%dT%H:%M:%S},123+0530",
    "a place": lambda m: f"{m + timedelta(hours=1):%Y-%m-%d %H:%M:%S} Europe/Berlin",
    "a zone's letters": lambda m: f"{m + timedelta(hours=2):%Y-%m-%d %H:%M:%S} CEST",
    "a zone's letters behind a German day": lambda m: f"{m + timedelta(hours=2):%d.%m.%Y %H:%M:%S} CEST",
    "Chinese": lambda m: f"{m.year}/{m.month}/{m.day} {half(m, '上午', '下午')}{m:%-I:%M:%S}",
    "Japanese": lambda m: f"{m.year}/{m.month}/{m.day} {half(m, '午前', '午後')}{m:%-I:%M:%S}",
    "Korean": lambda m: f"{m.year}. {m.month}. {m.day}. {half(m, '오전', '오후')} {m:%-I:%M:%S}",
    "Greek": lambda m: f"{m.day}/{m.month}/{m.year}, {m:%-I:%M:%S} {half(m, 'π.μ.', 'μ.μ.')}",
    "Greek in short": lambda m: f"{m.day}/{m.month}/{m.year} {m:%-I:%M:%S} {half(m, 'πμ', 'μμ')}",
    "Arabic": lambda m: f"{m.day}/{m.month}/{m.year} {m:%-I:%M:%S} {half(m, 'ص', 'م')}",
    "Arabic in its digits": lambda m: f"{m.day}\u200f/{m.month}\u200f/{m.year}، {m:%-I:%M:%S} {half(m, 'ص', 'م')}".translate(DIGITS),
}  # fmt: skip


@pytest.mark.parametrize("write", FORMS.values(), ids=FORMS)
def test_a_time_is_recognised_and_read(tmp_path, write):
    path = tmp_path / "file.tsv"
    rows = [f"u{n % 9}\ti{n % 13}\t{write(m)}" for n, m in enumerate(MOMENTS)]
    path.write_text("\n".join(["user\titem\tcreated_at", *rows]))

    table = read_file(path, ["USER_ID", "ITEM_ID", "TIMESTAMP"]).table

    assert table["TIMESTAMP"].to_pylist() == [m.timestamp() for m in MOMENTS]


@pytest.mark.parametrize("write", FORMS.values(), ids=FORMS)
def test_a_time_needs_no_name(write):
    rows = [[f"u{n % 9}", f"i{n % 13}", write(m)] for n, m in enumerate(MOMENTS)]
    found = understand(["user", "item", "x"], rows, "INTERACTIONS")
    assert [guess.name for guess in found.columns] == ["USER_ID", "ITEM_ID", "TIMESTAMP"]


@pytest.mark.parametrize("parts", [("7up", "3in1"), ("size10", "size12"), ("1990s", "2000s")])
def test_a_list_with_digits_stays_a_list(parts):
    cells = [",".join((parts[n % 2], f"no{n % 3}", "v1.2.3")) for n in range(60)]
    found = describe("tags", pa.array(cells))
    assert (found.separator, found.unit) == (",", "")
