"""Small invented worlds in which the right answer is known; every recipe's tests draw from here."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa

from recipes.data import Ids, TrainingData

DAY = 86_400
START = 1_700_000_000
GENRES = ("comedy", "drama", "horror", "western", "sport", "music")
ACTIONS = ("join club", "newsletter", "rare offer")
WORDS = {
    "comedy": "a funny pair of friends stumble from one silly joke into another and laugh",
    "drama": "a grieving family slowly learns how to forgive an old quiet betrayal",
    "horror": "a haunted house where a monster in the dark hunts frightened visitors",
    "western": "a lone sheriff rides a horse through the desert to face the outlaws",
    "sport": "a small team trains all summer and plays the final match of the league",
    "music": "a young singer tours with her band and records the song of the year",
}


def checkerboard(size: int = 50, seed: int = 0) -> TrainingData:
    """User u has taken every item of u's own parity but item u: the withheld one is the only right answer left.

    Ids are "u0" and "i0"; user and item indexes equal those numbers. Orders are random, one event a minute.
    """
    rng = np.random.default_rng(seed)
    pairs = [
        (user, int(item))
        for user in range(size)
        for item in rng.permutation(np.arange(user % 2, size, 2))
        if item != user
    ]
    users, items = zip(*pairs, strict=True)
    events = pa.table(
        {
            "USER_ID": [f"u{user}" for user in users],
            "ITEM_ID": [f"i{item}" for item in items],
            "TIMESTAMP": START + 60 * np.arange(len(pairs)),
        }
    )
    return _in_order(events, size)


def tasteful(
    num_users: int = 120,
    num_items: int = 60,
    num_cold: int = 6,
    num_genres: int = 4,
    events_per_user: int = 20,
    seed: int = 0,
) -> TrainingData:
    """Films of which user u likes one genre, u modulo the genres; nine in ten events follow that taste.

    Item i is of genre i modulo the genres. The last `num_cold` items have no interactions and were created in the last days.
    Interactions have EVENT_TYPE (watch after most clicks), EVENT_VALUE (share watched), IMPRESSION (the item and four others)
    and DEVICE; items GENRE, TITLE, DESCRIPTION, YEAR, PRICE, CREATION_TIMESTAMP; users AGE and FAVOURITE (their genre, known
    for two in three). The events of all users spread over 60 days.
    """
    rng = np.random.default_rng(seed)
    warm = num_items - num_cold
    user = np.repeat(np.arange(num_users), events_per_user)
    taste = np.where(rng.random(len(user)) < 0.9, user % num_genres, rng.integers(0, num_genres, len(user)))
    within = np.minimum(rng.geometric(0.2, len(user)) - 1, (warm - 1 - taste) // num_genres)
    item = taste + num_genres * within
    watched = rng.random(len(user)) < 0.7
    others = rng.integers(0, warm, (len(user), 4))
    events = pa.table(
        {
            "USER_ID": [f"u{u}" for u in user],
            "ITEM_ID": [f"i{i}" for i in item],
            "TIMESTAMP": START + np.sort(rng.integers(0, 60 * DAY, (num_users, events_per_user)), axis=1).ravel(),
            "EVENT_TYPE": np.where(watched, "watch", "click").tolist(),
            "EVENT_VALUE": np.where(watched, rng.uniform(0.5, 1.0, len(user)), 0.1).astype(np.float32),
            "IMPRESSION": ["|".join(f"i{i}" for i in (shown, *row)) for shown, row in zip(item, others, strict=True)],
            "DEVICE": np.where(rng.random(len(user)) < 0.5, "phone", "tv").tolist(),
        }
    )
    return TrainingData.from_tables(
        events, _films(num_items, num_cold, num_genres, rng), _people(num_users, num_genres, rng)
    )


def actions(num_users: int = 90, num_actions: int = 6, seed: int = 0) -> TrainingData:
    """Actions as items: user u takes action a if a is u modulo the actions, else nearly always declines it.

    Every action has some fifty takings and more refusals within six weeks. Actions have VALUE; users GROUP, which tells what
    they take.
    """
    rng = np.random.default_rng(seed)
    user = np.repeat(np.arange(num_users), 3 * num_actions)
    action = np.tile(np.repeat(np.arange(num_actions), 3), num_users)
    taken = rng.random(len(user)) < np.where(user % num_actions == action, 0.9, 0.1)
    events = pa.table(
        {
            "USER_ID": [f"u{u}" for u in user],
            "ITEM_ID": [f"i{a}" for a in action],
            "TIMESTAMP": START + rng.integers(0, 30 * DAY, len(user)),
            "EVENT_TYPE": np.where(taken, "TAKEN", "NOT_TAKEN").tolist(),
        }
    )
    catalogue = pa.table({"ITEM_ID": [f"i{a}" for a in range(num_actions)], "VALUE": np.linspace(1, 10, num_actions)})
    people = pa.table(
        {
            "USER_ID": [f"u{u}" for u in range(num_users)],
            "GROUP": [f"group {u % num_actions}" for u in range(num_users)],
        }
    )
    return TrainingData.from_tables(events, catalogue, people)


def number(identifier: str) -> int:
    """The number in an id of these worlds: "i12" is 12."""
    return int(identifier[1:])


def item_genres(data: TrainingData, num_genres: int = 4) -> np.ndarray:
    """(N,) the genre's number of each item of `tasteful`, in index order."""
    return np.array([number(item) % num_genres for item in data.item_ids.array.to_pylist()])


def user_tastes(data: TrainingData, num_genres: int = 4) -> np.ndarray:
    """(U,) the genre's number that each user of `tasteful` likes, in index order."""
    return np.array([number(user) % num_genres for user in data.user_ids.array.to_pylist()])


def _in_order(events: pa.Table, size: int) -> TrainingData:
    """The data with item indexes equal to the numbers in the ids, whatever the events' order."""
    data = TrainingData.from_tables(events)
    numbers = np.array([number(item) for item in data.item_ids.array.to_pylist()])
    interactions = replace(data.interactions, item_index=numbers[data.interactions.item_index])
    return TrainingData(data.user_ids, Ids([f"i{item}" for item in range(size)]), interactions)


def _films(num_items: int, num_cold: int, num_genres: int, rng: np.random.Generator) -> pa.Table:
    genres = [GENRES[item % num_genres] for item in range(num_items)]
    created = START - rng.integers(30, 900, num_items) * DAY
    created[num_items - num_cold :] = START + rng.integers(50, 60, num_cold) * DAY
    return pa.table(
        {
            "ITEM_ID": [f"i{item}" for item in range(num_items)],
            "GENRE": [f"{genre}|short" if item % 7 == 0 else genre for item, genre in enumerate(genres)],
            "TITLE": [f"The {genre} film number {item}" for item, genre in enumerate(genres)],
            "DESCRIPTION": [" ".join(rng.permutation(WORDS[genre].split())) for genre in genres],
            "YEAR": rng.integers(1980, 2024, num_items),
            "PRICE": np.round(rng.uniform(1, 20, num_items), 2),
            "CREATION_TIMESTAMP": created,
        }
    )


def _people(num_users: int, num_genres: int, rng: np.random.Generator) -> pa.Table:
    known = rng.random(num_users) < 2 / 3
    return pa.table(
        {
            "USER_ID": [f"u{user}" for user in range(num_users)],
            "AGE": 20 + 10 * (np.arange(num_users) % num_genres) + rng.integers(0, 9, num_users),
            "FAVOURITE": [GENRES[user % num_genres] if told else None for user, told in enumerate(known.tolist())],
        }
    )


def action_world(num_users=300, seed=0, spread_days=30, delay_days=0.0, **columns):
    """Gold users take "join club", others "newsletter", three times in four; each is shown five actions."""
    rng, rows = np.random.default_rng(seed), []
    for user in range(num_users):
        for moment in np.sort(rng.integers(0, spread_days * DAY, 5)).tolist():
            action = int(rng.integers(0, 2))
            wanted = (user % 2 == action) == (rng.random() < 0.75)
            rows.append((f"u{user}", ACTIONS[action], START + moment, "Viewed"))
            kind, later = ("Taken", int(delay_days * DAY)) if wanted else ("Not Taken", 0)
            rows.append((f"u{user}", ACTIONS[action], START + moment + later + 1, kind))
    users, actions, times, kinds = zip(*rows, strict=True)
    events = {"USER_ID": users, "ITEM_ID": actions, "TIMESTAMP": times, "EVENT_TYPE": kinds}
    people = {"USER_ID": [f"u{u}" for u in range(num_users + 2)], "TIER": ["gold", "free"] * (num_users // 2 + 1)}
    return TrainingData.from_tables(
        pa.table(events), pa.table({"ITEM_ID": ACTIONS, "VALUE": [1, 2, 9], **columns}), pa.table(people)
    )
