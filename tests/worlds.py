"""A dataset group with data in it, as imports would leave it: people like one genre each, some films are brand new."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from console import storage
from console.models import Account, Dataset, DatasetGroup, Schema
from console.scratch import scratch_folder

GENRES = ("Action", "Comedy", "Drama", "Horror")
NOW = 1_700_000_000
DAY = 86_400
FIELDS = {
    "INTERACTIONS": [("USER_ID", "string", {}), ("ITEM_ID", "string", {}), ("TIMESTAMP", "long", {}),
                     ("EVENT_TYPE", "string", {}), ("EVENT_VALUE", ["null", "float"], {})],
    "ITEMS": [("ITEM_ID", "string", {}), ("TITLE", "string", {}), ("GENRES", "string", {"categorical": True}),
              ("PRICE", "float", {}), ("CREATION_TIMESTAMP", "long", {})],
    "USERS": [("USER_ID", "string", {}), ("AGE", "int", {}), ("TIER", "string", {"categorical": True})],
}  # fmt: skip


def films(
    account: Account,
    name: str = "films",
    *,
    types: tuple[str, str] = ("click", "watch"),
    users: int = 60,
    items: int = 80,
    new: int = 8,
    each: int = 24,
    domain=None,
    title: Callable[[int], str] = "Film number {}".format,
) -> DatasetGroup:
    """A group with Interactions, Items and Users; user u and item i are of genre number u or i modulo four."""
    rng = random.Random(7)
    group = DatasetGroup.objects.create(account=account, name=name, domain=domain)
    liked = {genre: [i for i in range(items - new) if i % 4 == genre] for genre in range(4)}
    events: dict[str, list] = {column: [] for column, _, _ in FIELDS["INTERACTIONS"]}
    for user in range(users):
        start = NOW - 30 * DAY + user * 60
        for step in range(each):
            item = rng.choice(liked[user % 4]) if rng.random() < 0.9 else rng.randrange(items - new)
            row = (
                f"u{user}",
                f"i{item}",
                start + step * 3600,
                types[rng.random() < 0.2],
                rng.random(),
            )
            for column, value in zip(events, row, strict=True):
                events[column].append(value)
    catalogue = {
        "ITEM_ID": [f"i{i}" for i in range(items)],
        "TITLE": [title(i) for i in range(items)],
        "GENRES": [GENRES[i % 4] + ("|Classic" if i % 3 == 0 else "") for i in range(items)],
        "PRICE": [float(i % 10) for i in range(items)],
        "CREATION_TIMESTAMP": [NOW - DAY if i >= items - new else NOW - 400 * DAY for i in range(items)],
    }
    people = {
        "USER_ID": [f"u{u}" for u in range(users)],
        "AGE": [20 + u % 50 for u in range(users)],
        "TIER": [("free", "gold")[u % 2] for u in range(users)],
    }
    for kind, rows in (("INTERACTIONS", events), ("ITEMS", catalogue), ("USERS", people)):
        dataset(group, kind, rows)
    return group


def dataset(group: DatasetGroup, kind: str, rows: dict[str, list], fields: list | None = None) -> Dataset:
    """A dataset of the group with one bulk part."""
    fields = fields or FIELDS[kind]
    text = json.dumps({
        "type": "record", "name": kind.capitalize(), "namespace": "com.amazonaws.personalize.schema", "version": "1.0",
        "fields": [{"name": column, "type": type_, **more} for column, type_, more in fields],
    })  # fmt: skip
    schema = Schema.objects.create(account=group.account, name=f"{group.name}-{kind}", text=text, domain=group.domain)
    row = Dataset.objects.create(
        account=group.account, name=f"{group.name}-{kind}", dataset_group=group, schema=schema, type=kind
    )
    key = f"parts/{group.account.number}-{group.name}-{kind}"
    with scratch_folder() as scratch:
        folder = Path(scratch) / "part"
        folder.mkdir()
        pq.write_table(pa.table(rows), folder / "part-0.parquet")
        storage.publish_folder(folder, key)
    row.parts, row.revision, row.statistics = [f"{key}/part-0.parquet"], 1, {"rows": len(next(iter(rows.values())))}
    row.save()
    return row
