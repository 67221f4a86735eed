"""A small invented world as CSV: users who like one genre, items of it."""

from __future__ import annotations

import csv
import io
import json
import random

GENRES = ("action", "comedy", "drama", "horror")
START = 1_700_000_000
NAMESPACE = "com.amazonaws.personalize.schema"
INTERACTIONS = [("USER_ID", "string"), ("ITEM_ID", "string"), ("TIMESTAMP", "long"), ("EVENT_TYPE", "string")]
ITEMS = [("ITEM_ID", "string"), ("TITLE", "string"), ("GENRE", "string"), ("CREATION_TIMESTAMP", "long")]


def genre_of(item: str) -> str:
    """An item's genre stands in its id: "drama-17"."""
    return item.partition("-")[0]


def taste_of(user: int) -> str:
    """The genre that the user likes."""
    return GENRES[user % len(GENRES)]


def interactions(users: int = 80, per_user: int = 25, items_per_genre: int = 30) -> list[tuple[str, str, int, str]]:
    """Events of which four in five follow the user's taste, oldest first."""
    rng = random.Random(11)
    rows = []
    for user in range(users):
        time = START + rng.randrange(86_400)
        for _ in range(per_user):
            genre = taste_of(user) if rng.random() < 0.8 else rng.choice(GENRES)
            item = f"{genre}-{min(int(rng.expovariate(0.12)), items_per_genre - 1)}"
            time += rng.randrange(60, 7200)
            rows.append((f"user-{user}", item, time, rng.choice(["click", "watch"])))
    return sorted(rows, key=lambda row: row[2])


def items(items_per_genre: int = 30) -> list[tuple[str, str, str, int]]:
    """All items, five fresh ones without interactions in each genre among them."""
    rows = [(f"{g}-{n}", f"The {g} film {n}", g, START - 90 * 86_400) for g in GENRES for n in range(items_per_genre)]
    return rows + [(f"{g}-new{n}", f"A new {g} film {n}", g, START + 300_000) for g in GENRES for n in range(5)]


def to_csv(header: list[str], rows: list[tuple[object, ...]]) -> str:
    """CSV text."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def schema(kind: str, fields: list[tuple[str, str]]) -> str:
    """An Avro schema; GENRE is categorical."""
    avro = [{"name": n, "type": t} | ({"categorical": True} if n == "GENRE" else {}) for n, t in fields]
    return json.dumps({"type": "record", "name": kind, "namespace": NAMESPACE, "fields": avro, "version": "1.0"})
