"""Which column is who, what and when, where a column of days could be taken for ids."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from recipes.tables.guess import understand

MOMENTS = [datetime(2024, 3, 1, tzinfo=UTC) + timedelta(hours=n) for n in range(300)]


def roles(header, rows, kind="INTERACTIONS"):
    found = understand(header, [[str(cell) for cell in row] for row in rows], kind)
    return {guess.name: guess.source for guess in found.columns}, [one for c in found.columns for one in c.warnings]


def test_a_day_is_not_the_item_of_an_export_that_lists_its_items():
    items = [
        json.dumps([{"item_id": f"SKU{n % 31}", "item_name": f"Thing {n % 31}", "price": n % 31 + 0.5}])
        for n in range(300)
    ]
    rows = [
        [f"{m:%Y%m%d}", int(m.timestamp()) * 10**6, ("view_item", "purchase")[n % 2], f"{1000 + n % 40}.{17000 + n % 40}", items[n]]
        for n, m in enumerate(MOMENTS)
    ]  # fmt: skip
    found, warnings = roles(["event_date", "event_timestamp", "event_name", "user_pseudo_id", "items"], rows)

    assert found["USER_ID"] == "user_pseudo_id"
    assert found["TIMESTAMP"] == "event_timestamp"
    assert "ITEM_ID" not in found
    assert any("items names several items in one cell" in one for one in warnings)


@pytest.mark.parametrize("name", ["date", "event_date", "day"])
def test_days_in_digits_are_neither_who_nor_what(name):
    rows = [[f"{m:%Y%m%d}", f"u{n % 40}", int(m.timestamp())] for n, m in enumerate(MOMENTS)]
    found, _ = roles([name, "user", "timestamp"], rows)

    assert found["USER_ID"] == "user"
    assert "ITEM_ID" not in found


def test_ids_that_look_like_days_are_ids_where_their_name_says_so_or_some_are_no_days():
    rows = [[f"u{n % 40}", f"{MOMENTS[n]:%Y%m%d}", int(MOMENTS[n].timestamp())] for n in range(300)]
    assert roles(["user", "item_id", "timestamp"], rows)[0]["ITEM_ID"] == "item_id"
    rows = [[*row[:1], 20240100 + n % 50, row[2]] for n, row in enumerate(rows)]
    assert roles(["user", "x", "timestamp"], rows)[0]["ITEM_ID"] == "x"


@pytest.mark.parametrize("name", ["id", "uid", "account_id", "account_number", "kto", "1"])
def test_ids_that_are_days_by_chance_are_users_unless_their_name_tells_a_time(name):
    rows = [[f"{MOMENTS[n % 28]:%Y%m%d}", f"i{n % 13}", int(MOMENTS[n].timestamp())] for n in range(300)]
    assert roles([name, "item", "timestamp"], rows)[0] == {
        "USER_ID": name, "ITEM_ID": "item", "TIMESTAMP": "timestamp"
    }  # fmt: skip


def test_ids_that_a_spreadsheet_has_rounded_are_told():
    times = [int(m.timestamp()) for m in MOMENTS]
    _, warnings = roles(["user", "item", "time"], [[f"u{n % 9}", f"9.148{n % 13:02}E+18", times[n]] for n in range(60)])
    assert any(one.startswith("Ids in item are rounded, as 9.14800E+18, ") for one in warnings)

    _, warnings = roles(["user", "item", "time"], [[f"u{n % 9}", f"{n % 13}E{n % 5}", times[n]] for n in range(60)])
    assert warnings == []


def test_a_column_that_is_called_a_time_and_is_in_no_known_form_is_told():
    rows = [[f"u{n % 9}", f"i{n % 13}", f"{MOMENTS[n]:%Y~%j}"] for n in range(60)]
    for name in ("created_at", "timestamp", "date"):
        _, warnings = roles(["user", "item", name], rows)
        assert any(one.startswith(f"{name} is called a time, but 2024~061 is in no form") for one in warnings)
    assert roles(["user", "item", "version"], rows)[1] == []
    timed = [[*row, "1700000000"] for row in rows]
    assert roles(["user", "item", "created_at", "timestamp"], timed)[1] == []


def test_an_event_s_hour_is_not_its_type():
    rows = [[f"u{n % 9}", f"i{n % 13}", f"{m:%Y-%m-%d}", f"{m:%H}"] for n, m in enumerate(MOMENTS)]
    assert "EVENT_TYPE" not in roles(["user", "item", "event_date", "event_hour"], rows)[0]
