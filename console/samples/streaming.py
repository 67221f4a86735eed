"""A generated film service with known truth behind it, for trying the exploration of new titles.

1,931 titles, of which 191 came out within the last days and have no views yet. Every title has a place in a small space of
taste, from which its genres and its appeal follow; every viewer has a place too, and watches what is near, what is popular,
and what was on the screen: each event carries the impression it was chosen from.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from console.samples.plan import Field, Report, Sample, SampleCampaign, SampleDataset

NUM_TITLES = 1931
NUM_NEW = 191
NUM_VIEWERS = 1500
EVENTS_PER_VIEWER = 40
SHOWN = 10
DAY_S = 86_400
NOW_S = 1_790_000_000  # a fixed present: the sample is the same wherever and whenever it is made
GENRES = (
    "Drama",
    "Comedy",
    "Thriller",
    "Romance",
    "Documentary",
    "Animation",
    "Science fiction",
    "Horror",
    "Western",
    "Musical",
)
ADJECTIVES = (
    "Quiet",
    "Northern",
    "Broken",
    "Golden",
    "Last",
    "Hidden",
    "Paper",
    "Distant",
    "Silver",
    "Restless",
    "Blue",
    "Second",
)
NOUNS = ("Harbour", "Letter", "Winter", "Station", "Orchard", "River", "Signal", "Mirror", "Summer", "Railway", "Lantern", "Island",
         "Garden", "Engine", "Choir", "Border", "Comet", "Kitchen", "Archive", "Bridge")  # fmt: skip


@dataclass(frozen=True)
class World:
    """The truth: `titles` (N, D) and `viewers` (U, D) places in taste space, `appeal` (N,), `created` (N,) seconds."""

    titles: NDArray[np.float64]
    viewers: NDArray[np.float64]
    appeal: NDArray[np.float64]
    created: NDArray[np.int64]
    genres: NDArray[np.bool_]

    @property
    def affinity(self) -> NDArray[np.float64]:
        """(U, N) how much each viewer would like each title."""
        return 3.0 * self.viewers @ self.titles.T + self.appeal


def world(seed: int = 20) -> World:
    """The one world of the sample; the same seed gives the same world."""
    rng = np.random.default_rng(seed)
    centres = _unit(rng.normal(size=(len(GENRES), 6)))
    main = rng.integers(len(GENRES), size=NUM_TITLES)
    titles = _unit(centres[main] + 0.45 * rng.normal(size=(NUM_TITLES, 6)))
    closeness = titles @ centres.T
    genres = (closeness > 0.75) | (np.arange(len(GENRES)) == main[:, None])
    tastes = centres[rng.integers(len(GENRES), size=(NUM_VIEWERS, 2))].mean(axis=1)
    viewers = _unit(tastes + 0.3 * rng.normal(size=tastes.shape))
    age_days = np.where(
        np.arange(NUM_TITLES) < NUM_TITLES - NUM_NEW, rng.uniform(35, 1500, NUM_TITLES), rng.uniform(0, 5, NUM_TITLES)
    )
    return World(titles, viewers, rng.gumbel(0, 0.6, NUM_TITLES), (NOW_S - age_days * DAY_S).astype(np.int64), genres)


def datasets(_cache: Path, report: Report) -> list[SampleDataset]:
    """The generated datasets."""
    report("generating a film service: titles, viewers, impressions, events")
    truth = world()
    return [_interactions(truth), _items(truth), _users(truth)]


def _unit(places: NDArray[np.float64]) -> NDArray[np.float64]:
    units: NDArray[np.float64] = places / np.linalg.norm(places, axis=1, keepdims=True)
    return units


def _interactions(truth: World, seed: int = 21) -> SampleDataset:
    """Each viewer is shown SHOWN old titles at a time, half by taste and half by chance, and picks one."""
    rng = np.random.default_rng(seed)
    old = NUM_TITLES - NUM_NEW
    affinity = truth.affinity[:, :old]
    users, items, times, types, impressions = [], [], [], [], []
    for viewer in range(NUM_VIEWERS):
        count = int(np.clip(rng.poisson(EVENTS_PER_VIEWER), 2, None))
        weights = np.exp(affinity[viewer] - affinity[viewer].max())
        wanted = rng.choice(old, size=(count, SHOWN // 2), p=weights / weights.sum())
        shown = np.concatenate([wanted, rng.integers(old, size=(count, SHOWN - SHOWN // 2))], axis=1)
        picked = shown[np.arange(count), (affinity[viewer][shown] + rng.gumbel(size=shown.shape)).argmax(axis=1)]
        start = NOW_S - int(rng.uniform(1, 30) * DAY_S)
        users += [f"viewer-{viewer:04d}"] * count
        items += [_title_id(item) for item in picked]
        times += np.sort(rng.integers(start, NOW_S, size=count)).tolist()
        types += np.where(rng.random(count) < 0.6, "Watch", "Click").tolist()
        impressions += ["|".join(dict.fromkeys(map(_title_id, row))) for row in shown]
    rows = pa.table(
        {"USER_ID": users, "ITEM_ID": items, "TIMESTAMP": times, "EVENT_TYPE": types, "IMPRESSION": impressions}
    )
    fields = (
        Field("USER_ID"),
        Field("ITEM_ID"),
        Field("TIMESTAMP", "long"),
        Field("EVENT_TYPE"),
        Field("IMPRESSION", ["string", "null"]),
    )
    return SampleDataset("Interactions", fields, rows)


def _items(truth: World, seed: int = 22) -> SampleDataset:
    rng = np.random.default_rng(seed)
    adjectives, nouns = rng.integers(len(ADJECTIVES), size=NUM_TITLES), rng.integers(len(NOUNS), size=NUM_TITLES)
    number = rng.integers(1, 30, size=NUM_TITLES)
    rows = pa.table(
        {
            "ITEM_ID": [_title_id(item) for item in range(NUM_TITLES)],
            "TITLE": [
                f"The {ADJECTIVES[a]} {NOUNS[n]}, part {k}" for a, n, k in zip(adjectives, nouns, number, strict=True)
            ],
            "GENRES": ["|".join(np.array(GENRES)[has].tolist()) for has in truth.genres],
            "CREATION_TIMESTAMP": truth.created,
        }
    )
    fields = (Field("ITEM_ID"), Field("TITLE"), Field("GENRES", categorical=True), Field("CREATION_TIMESTAMP", "long"))
    return SampleDataset("Items", fields, rows)


def _users(truth: World, seed: int = 23) -> SampleDataset:
    rng = np.random.default_rng(seed)
    plans = np.array(["free", "basic", "premium"])[rng.integers(3, size=NUM_VIEWERS)]
    ids = [f"viewer-{viewer:04d}" for viewer in range(len(truth.viewers))]
    rows = pa.table({"USER_ID": ids, "AGE": rng.integers(16, 80, size=NUM_VIEWERS, dtype=np.int32), "PLAN": plans})
    return SampleDataset("Users", (Field("USER_ID"), Field("AGE", "int"), Field("PLAN", categorical=True)), rows)


def _title_id(item: int) -> str:
    return f"title-{item:04d}"


STREAMING_DEMO = Sample(
    name="streaming-demo",
    datasets=datasets,
    solutions={
        "streaming-quick": "aws-user-personalization",
        "streaming-popularity": "aws-popularity-count",
        "streaming-personal": "aws-user-personalization",
    },
    campaigns=(
        SampleCampaign(
            "streaming-explore-none",
            "streaming-personal",
            {"itemExplorationConfig": {"explorationWeight": "0", "explorationItemAgeCutOff": "30"}},
            until="streaming-quick",
        ),
        SampleCampaign(
            "streaming-explore-all",
            "streaming-personal",
            {"itemExplorationConfig": {"explorationWeight": "1", "explorationItemAgeCutOff": "30"}},
            until="streaming-quick",
        ),
    ),
    fast=frozenset({"streaming-quick"}),
)
