"""Snapshots: rows whose ids and types are dictionaries are the rows."""

from __future__ import annotations

import pyarrow as pa
import pytest

from console.ingest.snapshot import ENCODED, dataset_table, training_tables
from console.models import Event
from console.serving import seen_lists
from tests.worlds import films


@pytest.fixture
def group(account):
    """Bulk rows, two streamed ones, and one without a type."""
    group = films(account)
    for number, kind in enumerate(["click", "share", None]):
        Event.objects.create(
            dataset_group=group, event_id=str(number), user_id=f"u{number}", session_id="s", item_id="i1", event_type=kind or "",
            timestamp=1_800_000_000 + number, is_anonymous=False,
        )  # fmt: skip
    return group


@pytest.mark.parametrize("streamed", [True, False])
def test_encoded_rows_are_the_rows(group, streamed):
    plain = dataset_table(group, "INTERACTIONS", streamed=streamed)
    encoded = dataset_table(group, "INTERACTIONS", streamed=streamed, encoded=ENCODED)
    assert encoded.to_pylist() == plain.to_pylist()
    types = {name: encoded.schema.field(name).type for name in encoded.column_names}
    assert {name for name, kind in types.items() if pa.types.is_dictionary(kind)} == {
        "USER_ID",
        "ITEM_ID",
        "EVENT_TYPE",
    }


def test_metadata_are_left_as_they_are(group):
    assert not any(pa.types.is_dictionary(field.type) for field in training_tables(group).items.schema)


def test_rows_without_a_list_get_the_one_they_name(group):
    tables = training_tables(group)
    names = pa.array(["a", "b", None] * (tables.interactions.num_rows // 3), pa.string())
    lists = pa.array(["i1|i2", None, ""] * (tables.interactions.num_rows // 3), pa.string())
    tables.interactions = tables.interactions.slice(0, len(names)).append_column("RECOMMENDATION_ID", names)
    place = tables.interactions.column_names.index("IMPRESSION")
    tables.interactions = tables.interactions.set_column(place, "IMPRESSION", lists)
    group.seen_lists.create(recommendation_id="b", user_id="u1", timestamp=1, items=["i3", "i4"])
    found = seen_lists.joined(group, tables).interactions["IMPRESSION"].to_pylist()
    assert found[:3] == ["i1|i2", "i3|i4", ""]


def test_taken_interactions_are_held_by_nobody_else(group):
    tables = training_tables(group)
    number = tables.interactions.num_rows
    assert tables.take_interactions().num_rows == number
    assert tables.interactions.num_rows == 0
