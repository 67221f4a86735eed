"""A time of day in a column of its own is joined to its day, however the two are written."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recipes.tables.files import read_file

ROWS = 60
MOMENTS = [datetime(2024, 3, n % 28 + 1, n % 24, tzinfo=UTC) for n in range(ROWS)]
FORMS = {
    "a clock with a zone": ("date", "time", "%Y-%m-%d", "%H:00:00+00:00"),
    "a clock with a zone behind a German day": ("datum", "uhrzeit", "%d.%m.%Y", "%H:00:00 +0000"),
    "a clock in UTC": ("date", "time", "%Y-%m-%d", "%H:00:00Z"),
    "an hour": ("date", "hour", "%Y%m%d", "%H"),
    "an hour of one digit": ("event_date", "event_hour", "%Y-%m-%d", "%-H"),
    "an hour behind a German day": ("datum", "stunde", "%d.%m.%Y", "%-H"),
    "digits": ("date", "time", "%Y%m%d", "%H0000"),
    "names that say nothing": ("d", "t", "%Y-%m-%d", "%H:00:00"),
}


def seconds(path):
    table = read_file(path, ["USER_ID", "ITEM_ID", "TIMESTAMP"]).table
    return table["TIMESTAMP"].to_pylist()


@pytest.mark.parametrize(("day", "clock", "day_form", "clock_form"), FORMS.values(), ids=FORMS)
def test_a_time_of_day_is_joined(tmp_path, day, clock, day_form, clock_form):
    rows = [f"u{n % 9},i{n % 13},{m:{day_form}},{m:{clock_form}}" for n, m in enumerate(MOMENTS)]
    path = tmp_path / "file.csv"
    path.write_text("\n".join([f"user,item,{day},{clock}", *rows]))

    assert seconds(path) == [m.timestamp() for m in MOMENTS]


@pytest.mark.parametrize("kind", [pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns")], ids=str)
@pytest.mark.parametrize("names", [("event_date", "event_time"), ("d", "t")], ids=str)
def test_a_typed_time_of_day_is_joined(tmp_path, kind, names):
    columns = {
        "user": [f"u{n % 9}" for n in range(ROWS)],
        "item": [f"i{n % 13}" for n in range(ROWS)],
        names[0]: pa.array([date(m.year, m.month, m.day) for m in MOMENTS], pa.date32()),
        names[1]: pa.array([time(m.hour) for m in MOMENTS], kind),
    }
    path = tmp_path / "file.parquet"
    pq.write_table(pa.table(columns), path)

    assert seconds(path) == [m.timestamp() for m in MOMENTS]


def test_a_duration_and_a_number_are_no_time_of_day(tmp_path):
    rows = [f"u{n % 9},i{n % 13},{m:%Y-%m-%d},00:{n % 60:02}:10,{n % 24}" for n, m in enumerate(MOMENTS)]
    path = tmp_path / "file.csv"
    path.write_text("\n".join(["user,item,date,duration,quantity", *rows]))

    assert seconds(path) == [m.replace(hour=0).timestamp() for m in MOMENTS]


@pytest.mark.parametrize(("name", "form"), [("4", "{}:{:02}"), ("x", "0{}:{:02}"), ("std", "{}"), ("time", "{}")])
def test_durations_and_numbers_in_columns_that_do_not_say_that_they_are_clocks_are_none(tmp_path, name, form):
    rows = [f"u{n % 9},i{n % 13},{m:%Y-%m-%d},{form.format(2 + n % 4, n % 60)}" for n, m in enumerate(MOMENTS)]
    path = tmp_path / "file.csv"
    path.write_text("\n".join([f"user,item,date,{name}", *rows]))

    assert seconds(path) == [m.replace(hour=0).timestamp() for m in MOMENTS]
