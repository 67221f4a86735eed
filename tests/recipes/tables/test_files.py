"""Files at the command line: any layout gives the same table, and what was not read as it stands is told."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime

import pytest

from recipes.tables.files import read_file
from recipes.tables.text import TableError

ROWS = [(f"u{n % 7}", f"i{n % 11}", 1_700_000_000 + n * 60) for n in range(60)]
TIMES = {
    "seconds": str,
    "milliseconds": lambda t: str(t * 1000),
    "microseconds": lambda t: str(t * 1_000_000),
    "ISO 8601": lambda t: datetime.fromtimestamp(t, UTC).isoformat(),
    "day.month.year": lambda t: datetime.fromtimestamp(t, UTC).strftime("%d.%m.%Y %H:%M:%S"),
}


def text(header="USER_ID,ITEM_ID,TIMESTAMP", delimiter=",", write=str, end="\n"):
    lines = [header, *(f"{user},{item},{write(time)}" for user, item, time in ROWS)]
    return (end.join(lines) + end).replace(",", delimiter)


def read(folder, content, required=("USER_ID", "ITEM_ID", "TIMESTAMP")):
    path = folder / "file.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_file(path, required)


@pytest.mark.parametrize(
    "content",
    [
        text(),
        text("user_id,item_id,timestamp"),
        text("userId,itemId,timestamp", "\t"),
        text("user,item,datetime", ";", end="\r\n"),
        text("user_id:token,item_id:token,timestamp:float", "\t"),
        text(delimiter="::"),
        "\ufeff" + text(),
        "sep=;\n" + text(delimiter=";"),
        "Events of May\n\n" + text(),
        text().encode("utf-16"),
        text().encode("utf-16-le"),
        gzip.compress(text().encode()),
        text().replace("\n", "\r"),
        text() + ",,\n,,\n",
        text(",USER_ID,ITEM_ID,TIMESTAMP").replace("\nu", "\n5,u"),
        text().replace("\n", ",\n"),
    ],
    ids=["aws", "lower", "camel", "semicolons", "recbole", "two colons", "bom", "sep line", "title", "utf-16", "utf-16 without mark",
         "gzip", "old mac", "blank rows below", "pandas index", "a delimiter at each line's end"],
)  # fmt: skip
def test_any_layout_gives_the_same_table(tmp_path, content):
    found = read(tmp_path, content)

    table = found.table.select(["USER_ID", "ITEM_ID", "TIMESTAMP"])
    assert [tuple(row.values()) for row in table.to_pylist()] == ROWS
    assert found.notes == []


@pytest.mark.parametrize("unit", TIMES)
def test_times_are_understood_and_told_and_never_taken_for_seconds_in_silence(tmp_path, unit):
    found = read(tmp_path, text(write=TIMES[unit]))

    assert found.table["TIMESTAMP"].to_pylist() == [time for _, _, time in ROWS]
    assert len(found.notes) == (unit != "seconds")
    assert all(unit in note for note in found.notes)


def test_a_few_bad_rows_and_cells_are_told(tmp_path):
    content = text("USER_ID,ITEM_ID,TIMESTAMP,EVENT_VALUE", write=lambda t: f"{t},5")

    found = read(tmp_path, content + ",i1,1700000000,1\nu,i,1700000000,high\n")

    assert found.table.num_rows == 61
    assert found.table["EVENT_VALUE"].to_pylist()[-2:] == [5, None]
    assert "1 of 62 rows are left out" in found.notes[0]
    assert "line 62: USER_ID is empty" in found.notes[0]
    assert "line 63: EVENT_VALUE is 'high'" in found.notes[1]


def test_codes_stay_text_and_numbers_become_numbers(tmp_path):
    content = "ITEM_ID,ZIP,SELLER,PRICE,YEAR,NEW,NOTE,CREATION_TIMESTAMP\n" + "".join(
        f"00{n},0{n},91489553294657080{n},{n}.5,19{n},{'true' if n % 2 else 'False'},,-{n}\n" for n in range(10, 60)
    )

    [first, *_] = read(tmp_path, content, ["ITEM_ID"]).table.to_pylist()

    assert first == {
        "ITEM_ID": "0010", "ZIP": "010", "SELLER": "9148955329465708010", "PRICE": 10.5, "YEAR": 1910, "NEW": False,
        "NOTE": None, "CREATION_TIMESTAMP": -10,
    }  # fmt: skip


@pytest.mark.parametrize(
    "content", ["", " \n\n", "USER_ID,ITEM_ID,TIMESTAMP\n", "{}", "<html>", b"PAR1\0", b"\x1f\x8bx"]
)
def test_what_is_no_table_is_refused_in_a_sentence(tmp_path, content):
    with pytest.raises(TableError, match=r"file\.csv"):
        read(tmp_path, content)


def test_columns_are_understood_as_in_the_console(tmp_path):
    rows = "".join(
        f"B{n};{n % 7};A-{n % 11};{1 + n % 28:02}.{1 + n % 12:02}.2024;1.{n:03},50 €;Bad, Büro\n" for n in range(90)
    )

    found = read(tmp_path, "Bestell-Nr.;Kundennr.;Artikelnr.;Bestelldatum;Preis;Ort\n" + rows)

    [first, *_] = found.table.to_pylist()
    assert (first["USER_ID"], first["ITEM_ID"], first["TIMESTAMP"], first["Preis"]) == (
        "0",
        "A-0",
        1_704_067_200,
        1000.5,
    )


def test_a_time_of_day_joins_its_day_where_a_few_cells_tell_both(tmp_path):
    rows = [f"u{n % 5},i{n % 7},2024-01-{n % 28 + 1:02},{n % 24:02}:30:00" for n in range(60)]
    rows[1] = "u1,i1,2024-01-02T10:00:00Z,10:00:00"
    path = tmp_path / "file.csv"
    path.write_text("user_id,item_id,date,time\n" + "\n".join(rows) + "\n")
    found = read_file(path, ["USER_ID", "ITEM_ID", "TIMESTAMP"])
    assert found.table["TIMESTAMP"].to_pylist()[0] == 1_704_069_000
    assert "1 of 60 rows are left out" in found.notes[-1]


def test_files_without_header_and_dates_that_go_both_ways(tmp_path):
    plain = read(tmp_path, "".join(f"{n % 40}::{n % 90}::{n % 5 + 1}::{881250949 + n}\n" for n in range(200)))
    assert plain.table.select(["USER_ID", "ITEM_ID", "EVENT_VALUE", "TIMESTAMP"]).to_pylist()[41] == {
        "USER_ID": "1", "ITEM_ID": "41", "EVENT_VALUE": 2.0, "TIMESTAMP": 881250990,
    }  # fmt: skip

    assert "Which column identifies the user? Column 1 is taken." in plain.notes[0]
    with pytest.raises(TableError, match="which comes first, the day or the month"):
        read(
            tmp_path,
            "user,item,date\n" + "".join(f"u{n % 9},i{n % 7},0{1 + n % 9}/{1 + n % 12:02}/2024\n" for n in range(90)),
        )


def test_rows_of_guests_are_left_out_and_told(tmp_path):
    rows = "".join(f"{'' if n % 9 == 0 else n % 7},{n % 11},{1_700_000_000 + n}\n" for n in range(180))

    found = read(tmp_path, "user,item,time\n" + rows)

    assert found.table.num_rows == 160
    assert "20 of 180 rows are left out" in found.notes[0]


def test_dates_of_which_day_and_month_are_one_number_are_read_where_all_are_seen(tmp_path):
    rows = [f"u{n % 7},i{n % 11},{1 + n % 9:02}/{1 + n % 9:02}/2024\n" for n in range(5_100)]
    table = read(tmp_path, "user,item,date\n" + "".join(rows[:90])).table
    assert table["TIMESTAMP"].to_pylist()[1] == datetime(2024, 2, 2, tzinfo=UTC).timestamp()
    with pytest.raises(TableError, match="which comes first, the day or the month"):
        read(tmp_path, "user,item,date\n" + "".join(rows) + "u1,i1,04/05/2024\n")


def test_what_is_taken_of_numbers_that_may_be_thousands_is_told(tmp_path):
    rows = "".join(f"u{n % 7};i{n % 11};{1_700_000_000 + n};{n % 5},5;{1 + n % 9},250\n" for n in range(90))
    found = read(tmp_path, "user;item;time;rating;weight\n" + rows)
    assert found.table["weight"].to_pylist()[1] == 2.25
    assert "weight: how large is 1,250? It is taken that 1,250 is 1.25." in found.notes[0]


def test_columns_of_one_name_keep_their_own_content(tmp_path):
    path = tmp_path / "items.csv"
    path.write_text("item_id,price,price\n" + "".join(f"i{n},{n},{n + 100}\n" for n in range(9)))

    found = read_file(path, ("ITEM_ID",)).table

    assert found.column_names == ["ITEM_ID", "price", "price (2)"]
    assert found["price (2)"].to_pylist() == list(range(100, 109))


@pytest.mark.parametrize("title", ["ends\\", "two\\\\", '"quoted"', '"a ""b"""', "l'eau", "'tis'", '"'])
@pytest.mark.parametrize("every", [1, 7, 39])
def test_cells_between_two_colons_come_in_whatever_quotes_and_backslashes_they_hold(tmp_path, title, every):
    lines = [f"u{n % 9}::{title if n % every == 0 else 'red'}::i{n}::{1_700_000_000 + n}" for n in range(80)]
    found = read(tmp_path, "user_id::title::item_id::timestamp\n" + "\n".join(lines) + "\n")
    assert found.table["ITEM_ID"].to_pylist() == [f"i{n}" for n in range(80)]
