"""Data insights: figures one can check by hand, and a warning for each thing that is wrong."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pyarrow as pa
import pytest

from recipes.columns import Kind
from recipes.profiling import Bar, profile


def interactions(num_users=40, per_user=30, **columns):
    users = [f"u{user}" for user in range(num_users) for _ in range(per_user)]
    size = len(users)
    standard = {
        "USER_ID": users,
        "ITEM_ID": [f"i{row % 50}" for row in range(size)],
        "TIMESTAMP": (1_700_000_000 + np.arange(size)).tolist(),
    }
    return pa.table(standard | columns)


def codes(tables, **options):
    return {insight.code for insight in profile(tables, **options).insights}


def test_it_works():
    found = profile(
        {
            "INTERACTIONS": interactions(),
            "ITEMS": pa.table(
                {
                    "ITEM_ID": [f"i{i}" for i in range(60)],
                    "GENRES": ["a|b", "a", None] * 20,
                    "PRICE": [1.0, 2.0, None, 5.0] * 15,
                }
            ),
        }
    )
    events, items = found.events, found.datasets["ITEMS"]
    assert (events.users, events.items, events.repeating_users, events.items_alone) == (40, 50, 40, 10)
    assert (events.per_user, events.per_item) == (30, 24)
    assert events.last - events.first == 1199
    assert events.users_alone is None
    genres, price = items.column("GENRES"), items.column("PRICE")
    assert (genres.kind, genres.missing, genres.unique) == ("categorical", 20, 2)
    assert genres.distribution == [Bar(40, "a"), Bar(20, "b")]
    assert (price.minimum, price.maximum, price.median, price.unique) == (1, 5, 2, 3)
    assert price.mean == pytest.approx(8 / 3)
    assert price.completeness == 0.75
    assert sum(bar.count for bar in price.distribution) == 45
    assert items.incomplete_rows == 30
    assert {insight.code for insight in found.insights} == {"missing_values", "incomplete_column"}
    assert json.loads(json.dumps(dataclasses.asdict(found)))["events"]["users"] == 40


def test_too_little_to_train_on_blocks():
    found = profile({"INTERACTIONS": interactions(num_users=10)})
    assert [(i.code, i.blocking) for i in found.insights] == [
        ("too_few_interactions", True),
        ("too_few_users", True),
    ]
    assert "There are 300 interactions; training needs at least 1,000." in found.insights[0].message


@pytest.mark.parametrize(
    ("columns", "code"),
    [
        ({"EVENT_TYPE": [f"type{row % 11}" for row in range(1200)]}, "many_event_types"),
        ({"TIMESTAMP": [1_700_000_000] * 1200}, "same_timestamp"),
        ({"TIMESTAMP": list(range(1_700_000_000_000, 1_700_000_001_200))}, "far_future"),
        ({"SPENT": [*range(1180), *[10**9] * 20]}, "outliers"),
    ],
)
def test_it_warns_of_events(columns, code):
    assert code in codes({"INTERACTIONS": interactions(**columns)})


@pytest.mark.parametrize(
    ("columns", "kind", "code"),
    [
        ({"C": ["x"] * 60 + [""] * 40}, Kind.CATEGORICAL, "incomplete_column"),
        ({"C": ["a long text"] * 80 + [None] * 20}, Kind.TEXT, "incomplete_text"),
        (
            {"C": ["|".join(f"c{row * 11 + k}" for k in range(11)) for row in range(100)]},
            Kind.CATEGORICAL,
            "many_categories",
        ),
        ({"C": ["x"] * 100}, Kind.CATEGORICAL, "items_without_interactions"),
    ],
)
def test_it_warns_of_items(columns, kind, code):
    items = pa.table({"ITEM_ID": [f"new{row}" for row in range(100)], **columns})
    assert code in codes({"INTERACTIONS": interactions(), "ITEMS": items}, kinds={"ITEMS": {"C": kind}})


def test_empty_columns_and_tables_are_fine():
    items = pa.table({"ITEM_ID": pa.array([], pa.string()), "PRICE": pa.array([], pa.float64())})
    assert profile({"ITEMS": items}).datasets["ITEMS"].column("PRICE").completeness == 1
    nothing = pa.table({"ITEM_ID": ["a"], "PRICE": pa.array([None], pa.float64())})
    assert profile({"ITEMS": nothing}).datasets["ITEMS"].column("PRICE").unique == 0
