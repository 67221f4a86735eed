"""A simulated market of known truth, on which policies of recommendation are compared by the clicks they bring.

Users have tastes, items a subject, a quality and an age; new items arrive every day, old ones fade, and a list's upper
places are looked at more often. A policy sees what a product would see: events, impressions and metadata, never the truth.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from recipes.columns import Columns, Kind, encode_column
from recipes.data import Ids, Interactions, TrainingData
from recipes.impressions import Impressions, SeenLists
from recipes.numerics.arrays import Floats, Indexes, unit

DAY = 86_400
START = 1_700_000_000
SUBJECTS, CREATORS = 12, 90
FACTORS = 8  # dimensions of tastes that are no subjects
# The share of the items whose categories are true; of all where nothing is said.
TRUST_IN_METADATA = {"good": 1.0, "noisy": 0.55, "none": 0.0}
VECTOR_SIZE, VECTOR_NOISE = 16, 0.5  # of vectors that tell subjects, and its standard deviation, where a subject's is 1


@dataclass(frozen=True)
class World:
    """The rules of a market.

    Attributes:
        users, items: at the start.
        metadata: "good", "noisy" (almost half of it wrong), "none" (all of it wrong), "vectors" (numbers instead of categories)
            or "absent" (creation times alone).
        growth: new items a day as a share of the first ones.
        fade_days: days after which an item's odds of a click have fallen to 1 / e; infinite where items do not fade.
        new_quality: added to the quality of items that arrive, in log-odds.
        position_bias: power of a place's rank by which the chance that it is looked at falls.
        base_age: days over which the first items were made.
        past_days: days of browsing before the first round.
        rounds: days that are simulated.
        length: places of a list.
        odds: log-odds that an average user clicks on a new, average item that is looked at.
        visits: share of the users who come on a day; the others get no list.
        tells_all_lists: whether the product knows of lists without a click.
        tastes: "subjects", or "factors" where subjects are places in a space of fewer dimensions and items stand around them.
    """

    users: int = 400
    items: int = 600
    metadata: str = "good"
    growth: float = 0.09
    fade_days: float = 10.0
    new_quality: float = 0.0
    position_bias: float = 0.5
    base_age: float = 8.0
    past_days: int = 8
    rounds: int = 9
    length: int = 10
    odds: float = -1.6
    visits: float = 1.0
    tastes: str = "subjects"
    tells_all_lists: bool = True


WORLDS: Mapping[str, World] = {
    "fast": World(),
    "noisy": World(metadata="noisy"),
    "none": World(metadata="none"),
    "vectors": World(metadata="vectors"),
    "absent": World(metadata="absent"),
    "still": World(growth=0.0, fade_days=float("inf")),
    "lasting": World(fade_days=float("inf")),
    "poor-newcomers": World(fade_days=float("inf"), new_quality=-1.5),
    "good-newcomers": World(fade_days=float("inf"), new_quality=1.0),
    "top-heavy": World(position_bias=1.2),
    "growing": World(growth=0.25),
    "old-base": World(base_age=60.0),
    "large-and-slow": World(items=1500, growth=0.03, fade_days=20.0, base_age=60.0),
    "rare-clicks": World(odds=-3.0),
    "few-visits": World(visits=0.4),
    "factors": World(tastes="factors"),
    "clicked-lists": World(tells_all_lists=False),
}


@dataclass
class Market:
    """The truth, and the log of what happened.

    Attributes:
        taste: (U, S) what users like of each subject or factor, in log-odds.
        subject: (N, S) what items are about: rows that sum to 1, or places in the space of factors.
        quality: (N,) in log-odds.
        born: (N,) day.
        named_subject, maker: (N,) the subject and creator that the metadata name.
        events: (user, item, day and time in seconds, list) of each click.
        lists: (user, time, items) of each list that was shown.
    """

    world: World
    rng: np.random.Generator
    taste: Floats
    subject: Floats
    quality: Floats
    born: NDArray[np.float64]
    named_subject: Indexes
    maker: Indexes
    events: list[tuple[int, int, int, int]] = field(default_factory=list)
    lists: list[tuple[int, int, Indexes]] = field(default_factory=list)
    shown: Indexes = field(default_factory=lambda: np.zeros(0, np.int64))

    @classmethod
    def open(cls, world: World, seed: int) -> Market:
        """A market with its first items and the browsing of the days before."""
        rng = np.random.default_rng(seed)
        size = FACTORS if world.tastes == "factors" else SUBJECTS
        taste = rng.normal(0, 1.6, (world.users, size)).astype(np.float32)
        none = np.zeros(0)
        market = cls(
            world, rng, taste, np.zeros((0, size), np.float32), none.astype(np.float32), none,
            none.astype(np.int64), none.astype(np.int64),
        )  # fmt: skip
        market.arrive(world.items, rng.uniform(-world.past_days - world.base_age, -world.past_days, world.items), 0.0)
        for day in range(-world.past_days, 0):
            market._browse(day)
        return market

    @property
    def num_items(self) -> int:
        """Items so far."""
        return len(self.quality)

    def arrive(self, count: int, born: NDArray[np.float64], better: float) -> None:
        """Add items."""
        rng = self.rng
        main = rng.integers(0, SUBJECTS, count)
        maker = rng.integers(0, CREATORS // SUBJECTS, count) * SUBJECTS + main  # creators keep to a subject
        subject = self._subjects(main)
        false = rng.random(count) >= TRUST_IN_METADATA.get(self.world.metadata, 1.0)
        named_subject = np.where(false, rng.integers(0, SUBJECTS, count), main)
        made = np.where(false, rng.integers(0, CREATORS, count), maker)
        quality = rng.normal(better, 0.6, count)
        self.subject = np.concatenate([self.subject, subject.astype(np.float32)])
        self.quality = np.concatenate([self.quality, quality.astype(np.float32)])
        self.born = np.concatenate([self.born, born])
        self.named_subject = np.concatenate([self.named_subject, named_subject])
        self.maker = np.concatenate([self.maker, made])
        self.shown = np.concatenate([self.shown, np.zeros(count, np.int64)])

    def _subjects(self, main: Indexes) -> NDArray[np.float64]:
        """(C, S) what items are about whose main subjects are these."""
        if self.world.tastes == "factors":
            centres = unit(np.random.default_rng(2).normal(0, 1, (SUBJECTS, FACTORS)).astype(np.float32))
            own = unit(self.rng.normal(0, 1, (len(main), FACTORS)).astype(np.float32))
            return np.asarray(0.65 * centres[main] + 0.35 * own, np.float64)
        subject = self.rng.dirichlet(np.full(SUBJECTS, 0.15), len(main)) * 0.35
        subject[np.arange(len(main)), main] += 0.65
        return subject

    def appeal(self, day: float) -> Floats:
        """(U, N) chance of a click on an item that is looked at."""
        age = np.maximum(day - self.born, 0)
        odds = self.taste @ self.subject.T + self.quality - age / self.world.fade_days + self.world.odds
        return np.asarray(1 / (1 + np.exp(-odds)), np.float32)

    def show(self, day: int, lists: Indexes) -> Indexes:
        """(U, K) 1 where users click on what they are shown, one list each, of items; all of it is logged.

        Rows of -1 are of users who do not come.
        """
        chance = np.take_along_axis(self.appeal(day), np.maximum(lists, 0), axis=1)
        looked = (1.0 + np.arange(lists.shape[1])) ** -self.world.position_bias
        clicks = (self.rng.random(lists.shape) < chance * looked) & (lists >= 0)
        moments = START + day * DAY + self.rng.integers(0, DAY // 2, len(lists))
        for user in np.flatnonzero((lists >= 0).any(axis=1)).tolist():
            number = len(self.lists)
            self.lists.append((user, int(moments[user]), lists[user][lists[user] >= 0]))
            for place in np.flatnonzero(clicks[user]):
                self.events.append((user, int(lists[user, place]), int(moments[user]) + int(place) * 20 + 20, number))
        self.shown += np.bincount(lists[lists >= 0], minlength=self.num_items)
        return clicks.astype(np.int64)

    def _browse(self, day: int) -> None:
        """A day before the first: users come upon items by chance and take some."""
        chance = self.appeal(day)
        for user in range(self.world.users):
            met = self.rng.choice(self.num_items, 12, replace=False)
            taken = met[self.rng.random(len(met)) < chance[user, met]]
            at = START + day * DAY + int(self.rng.integers(0, DAY - 4000))
            self.events += [(user, int(item), at + 60 * number, -1) for number, item in enumerate(taken)]

    def data(self) -> TrainingData:
        """What a product knows: events with the lists they came from, and metadata."""
        users, items, times, lists = np.array(self.events, np.int64).reshape(-1, 4).T
        order = np.lexsort((times, users))
        empty = np.zeros(0, np.int64)
        shown = [self.lists[number][2] if number >= 0 else empty for number in lists[order]]
        offsets = np.concatenate([[0], np.cumsum([len(found) for found in shown])]).astype(np.int64)
        size = len(order)
        events = Interactions(
            users[order], items[order], times[order], np.zeros(size, np.int16), ("click",), np.full(size, np.nan, np.float32),
            Impressions(offsets, np.concatenate([empty, *shown])),
        )  # fmt: skip
        names = Ids([f"user {user}" for user in range(self.world.users)])
        item_names = Ids([f"item {item}" for item in range(self.num_items)])
        seen = self._without_clicks(lists) if self.world.tells_all_lists else None
        return TrainingData(names, item_names, events, self._metadata(), seen=seen)

    def _metadata(self) -> Columns:
        """What is known of the items."""
        columns: Columns = {}
        if self.world.metadata == "vectors":
            cells = [" ".join(f"{value:.3f}" for value in vector) for vector in self.vectors]
            columns["VECTOR"] = encode_column(pa.array(cells), Kind.TEXT)
        elif self.world.metadata != "absent":
            for name, codes in (("GENRE", self.named_subject), ("CREATOR", self.maker)):
                cells = [f"{name.lower()} {code}" for code in codes]
                columns[name] = encode_column(pa.array(cells), Kind.CATEGORICAL)
        created = pa.array((START + self.born * DAY).astype(np.int64))
        return columns | {"CREATION_TIMESTAMP": encode_column(created, Kind.NUMERIC)}

    @property
    def vectors(self) -> Floats:
        """(N, VECTOR_SIZE) numbers that tell what items are about; an item's stay the same."""
        directions, noise = np.random.default_rng(0), np.random.default_rng(1)
        exact = self.subject @ directions.normal(0, 1, (self.subject.shape[1], VECTOR_SIZE))
        return np.asarray(exact + noise.normal(0, VECTOR_NOISE, exact.shape), np.float32)

    def _without_clicks(self, clicked: Indexes) -> SeenLists:
        """The lists of which nothing was taken, given the lists of all clicks."""
        is_clicked = np.isin(np.arange(len(self.lists)), clicked)
        users, times, items = zip(*self.lists, strict=True) if self.lists else ((), (), ())
        offsets = np.concatenate([[0], np.cumsum([len(shown) for shown in items])]).astype(np.int64)
        shown = Impressions(offsets, np.concatenate([np.zeros(0, np.int64), *items]))
        return SeenLists(np.array(users, np.int64), np.array(times, np.int64), shown).keep(~is_clicked)


class Policy(Protocol):
    """Whoever makes the lists."""

    def learn(self, day: int, market: Market) -> None:
        """Take up what is known at the beginning of a day."""

    def lists(self, length: int) -> Indexes:
        """(U, K) items for every user."""


PolicyFactory: TypeAlias = Callable[[int], Policy]


@dataclass(frozen=True)
class MarketOutcome:
    """What a policy brought in one world under one seed, by round.

    Attributes:
        rate: (R,) clicks a place.
        old_rate: (R,) the same of places with items of the beginning; NaN where there were none.
        new_share: (R,) share of the places with items that arrived since.
        found: share of the good new items (best quarter by quality) shown at least fifty times within eight rounds.
    """

    rate: NDArray[np.float64]
    old_rate: NDArray[np.float64]
    new_share: NDArray[np.float64]
    found: float


def simulate(world: World, make: PolicyFactory, seed: int) -> MarketOutcome:
    """Let a policy make the lists of every round of a market."""
    market, policy = Market.open(world, seed), make(seed)
    arriving = round(world.items * world.growth)
    rate, old_rate, new_share = (np.full(world.rounds, np.nan) for _ in range(3))
    for day in range(world.rounds):
        market.arrive(arriving, np.full(arriving, day - 0.02), world.new_quality)
        policy.learn(day, market)
        lists = policy.lists(world.length)
        if world.visits < 1:
            lists[market.rng.random(len(lists)) >= world.visits] = -1
        clicks = market.show(day, lists)
        is_old, places = (lists < world.items) & (lists >= 0), int((lists >= 0).any(axis=1).sum()) * world.length
        rate[day] = clicks.sum() / places
        old_rate[day] = clicks[is_old].mean() if is_old.any() else np.nan
        new_share[day] = 1 - is_old.sum() / places
    return MarketOutcome(rate, old_rate, new_share, _found(market))


def _found(market: Market) -> float:
    world = market.world
    new = np.flatnonzero((market.born >= -0.5) & (market.born < 5))  # those with three rounds or more to be found in
    if not len(new):
        return float("nan")
    good = new[market.quality[new] >= np.quantile(market.quality[new], 0.75)]
    return float((market.shown[good] >= min(50, world.users / 8)).mean())
