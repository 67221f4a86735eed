"""Relevance of young items, put in the place of what a model that learns from events can say of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recipes.cold_start.appeal import Lift, Prior, Values, appeal_of_metadata, learn_prior, posterior
from recipes.cold_start.calibration import LOOKS, Calibration, Look, Slope, Tests, Withheld
from recipes.cold_start.evidence import Evidence, gather, residual
from recipes.cold_start.profiles import Directions, Takers, item_sums, learn_directions, profiles
from recipes.data import Histories, TrainingData
from recipes.numerics.arrays import Floats, Indexes, pair_keys, unit
from recipes.numerics.cooccurrence_embedding import cooccurrence_vectors, nearest_cooccurrence

LATENT = 32  # dimensions of the co-occurrence embedding
MATURE = 150.0  # events, had or expected, at which what was learned from an item's counts half
MATURE_AMONG = 30_000  # events of all items, up to which that holds
MIN_MATURE = 20.0  # the same where there are so many that it is well known which items are alike
GROWN_UP = 0.95  # weight of what was learned from events from which on nothing else counts
WITHHELD = 0.15  # share of the items to calibrate on
MIN_WITHHELD, MIN_FOLLOWING = 5, 20
MAX_EVENTS = 200_000  # that a fit looks at
MAX_TAKERS = 1000  # users who tell looks apart


@dataclass(frozen=True)
class ColdRelevance:
    """What there is to say of young items, and of all by users' tastes.

    Attributes:
        latent: (M, LATENT) co-occurrence embedding of the first items, those that the last full training knew.
        rows: (N, K) what an event with each item adds to a profile.
        lift: of the takers of all N items.
        items: (Y,) the young ones.
        level: (Y,) log of how likely they are against an ordinary item.
        trust: (Y,) weight of what the other components learned of them from events.
    """

    latent: Floats
    rows: Floats
    lift: Lift
    items: Indexes
    level: Floats
    trust: Floats


def latent_vectors(histories: Histories, num_items: int) -> Floats:
    """(N, LATENT) items by what they stand next to in histories."""
    return cooccurrence_vectors(nearest_cooccurrence(histories.row, histories.item_index, num_items), LATENT)


@dataclass(frozen=True)
class View:
    """Takers of items in the light of some traits: what is needed to say who an item is for."""

    look: Look
    rows: Floats
    directions: Directions
    prior: Prior
    takers: Takers
    people: Floats

    @classmethod
    def of(cls, histories: Histories, features: Floats, latent: Floats, look: Look) -> View | None:
        """Learn it; None where items' takers do not differ."""
        traits = np.hstack([features * np.float32(look.content), unit(latent) * np.float32(look.latent)]).astype(
            np.float32
        )
        directions = learn_directions(histories, traits, look.shrinkage) if traits.any() else None
        if directions is None:
            return None
        rows = directions.of_items(traits)
        takers = Takers.of(histories, len(rows))
        people = takers.profiles(histories, rows)
        sums = item_sums(takers.item, people, len(rows))
        counts = np.bincount(takers.item, minlength=len(rows))
        return cls(look, rows, directions, learn_prior(features, sums, counts, directions.between), takers, people)

    def lift(self, features: Floats, trust: Values | float = 1.0) -> Lift:
        """Of all items, as far as metadata tell and takers do; what each of the P takers counts is `trust`."""
        counted, size = np.broadcast_to(trust, len(self.people)), len(self.rows)
        sums = item_sums(self.takers.item, self.people * counted[:, None], size)
        counts = np.bincount(self.takers.item, counted, minlength=size).astype(np.float64)
        return Lift.of(posterior(self.prior, features, sums, counts), self.directions.between)

    def lifts(self, features: Floats, histories: Histories, trust: float = 1.0) -> Floats:
        """(B, N) of users with these histories."""
        return self.lift(features, trust).of_profiles(profiles(histories, self.rows))


def learn_cold(
    data: TrainingData, histories: Histories, features: Floats, calibration: Calibration, latent: Floats | None = None
) -> ColdRelevance | None:
    """What there is to say of the young items among `data`; None where nothing tells users apart.

    Args:
        data: the present catalogue and counts.
        histories: what models learn from.
        features: (N, F) metadata of the items.
        calibration: as a full training learned it.
        latent: what it learned, of the first items; learned anew without.
    """
    evidence = gather(data, None if latent is None else len(latent))
    known = evidence.events + np.where(evidence.events > 0, evidence.expected, 0)
    trust = known / (known + _maturity(len(data.interactions)))
    is_described = ~evidence.is_ageless | features.any(axis=1)  # of the others nothing at all is known
    items = np.flatnonzero(evidence.is_young & (trust < GROWN_UP) & is_described)
    histories = sample_users(histories, MAX_EVENTS)
    vectors = latent_vectors(histories, data.num_items) if latent is None else latent
    view = View.of(histories, features, _padded(vectors, data.num_items), calibration.look)
    if view is None or len(items) == data.num_items:
        return None
    usual = np.where(evidence.is_young, evidence.usual_of_young, 1.0)
    appeal, is_unmet = _appeal(evidence, features), evidence.is_unmet
    residuals = residual(evidence.telling, evidence.expected, np.where(is_unmet, usual, usual * appeal))
    residuals[is_unmet] *= appeal[is_unmet]
    found = np.log(residuals) + evidence.age_level
    found -= np.log(np.exp(np.delete(found, items)).mean())
    level = calibration.level + calibration.surplus + calibration.youth - np.log(calibration.usual) + found[items]
    trust_in_takers = np.where(_came_by_themselves(data, view.takers, items), 1.0, calibration.taker)
    lift = view.lift(features, trust_in_takers)
    return ColdRelevance(vectors, view.rows, lift, items, level.astype(np.float32), trust[items].astype(np.float32))


def _appeal(evidence: Evidence, features: Floats) -> Values:
    """(N,) how much oftener than others items are taken, as far as metadata tell; mean 1 among those that nobody met.

    When an item without a date was first taken does not tell since when there is the item: it counts as there all the time.
    What items that nobody met are worth together is estimated elsewhere: metadata only tell them apart.
    """
    chances = np.maximum(evidence.expected, np.where(evidence.is_dated, 0, evidence.events.mean()))
    appeal = appeal_of_metadata(features, evidence.telling, chances)
    if evidence.is_unmet.any():
        appeal[evidence.is_unmet] /= appeal[evidence.is_unmet].mean()
    return appeal


def _maturity(num_events: int) -> float:
    """Events of an item at which what was learned from them counts half.

    >>> [_maturity(events) for events in (8_000, 60_000, 400_000)]
    [150.0, 75.0, 20.0]
    """
    return float(np.clip(MATURE * MATURE_AMONG / max(1, num_events), MIN_MATURE, MATURE))


def _came_by_themselves(data: TrainingData, takers: Takers, young: Indexes) -> NDArray[np.bool_]:
    """(P,) who took a young item that no list showed them: lists are made for some users, whose tastes say less."""
    is_young = np.zeros(data.num_items, bool)
    is_young[young] = True
    by_itself = is_young[takers.item]
    events = data.interactions
    if events.impressions is not None:
        from_list = np.diff(events.impressions.offsets) > 0
        keys = pair_keys(events.user_index[from_list], events.item_index[from_list], data.num_items)
        by_itself &= ~np.isin(takers.user * data.num_items + takers.item, keys)
    return by_itself


def learn_calibration(
    histories: Histories, queries: Histories, row: Indexes, item: Indexes, features: Floats, seed: int
) -> Withheld:
    """Withhold some items as if they were new and see how much what would be said of them is worth.

    Args:
        histories: what models learn from, without what followed.
        queries: Q histories.
        row: (P,) queries.
        item: (P,) what followed.
        features: (N, F) metadata.
        seed: draws the items.
    """
    num_items = len(features)
    taken = np.flatnonzero(np.bincount(histories.item_index, minlength=num_items))
    withheld = np.sort(np.random.default_rng(seed).permutation(taken)[: int(WITHHELD * len(taken))])
    if len(withheld) < MIN_WITHHELD or len(row) < MIN_FOLLOWING:
        return Withheld(Calibration())
    is_withheld = np.zeros(num_items, bool)
    is_withheld[withheld] = True
    sampled = sample_users(histories, MAX_EVENTS)
    kept = sampled.keep(~is_withheld[sampled.item_index])
    possible = np.ones((len(queries), num_items), bool)
    possible[queries.row, queries.item_index] = False
    asked, tests = queries.keep(~is_withheld[queries.item_index]), Tests.of(possible, withheld, row, item)
    view, slope = _best_view(kept, _taken(sampled, withheld), withheld, features)
    if view is None:
        return Withheld(Calibration())
    lifts = view.lifts(features, asked)[:, withheld]
    return Withheld(tests.calibrated(lifts, view.look, slope), withheld, lifts)


def _taken(histories: Histories, items: Indexes) -> tuple[Indexes, Indexes]:
    """(P,) twice: which user took which of the items, as places among them; of users drawn at random."""
    place = np.full(int(max(histories.item_index.max(initial=0), items.max())) + 1, -1, np.int64)
    place[items] = np.arange(len(items))
    taken = place[histories.item_index]
    row, taken = histories.row[taken >= 0], taken[taken >= 0]
    users = np.unique(row)
    chosen = np.isin(row, np.random.default_rng(0).permutation(users)[:MAX_TAKERS])
    return row[chosen], taken[chosen]


def _best_view(
    kept: Histories, taken: tuple[Indexes, Indexes], withheld: Indexes, features: Floats
) -> tuple[View | None, Slope]:
    """The view under which it is likeliest who took which of the withheld items, and what lifts count in it."""
    latent = latent_vectors(kept, len(features))
    best: tuple[View | None, Slope] = None, Slope(likelihood=-np.inf)
    users, row = np.unique(taken[0], return_inverse=True)
    for look in LOOKS:
        view = View.of(kept, features, latent, look)
        if view is not None:
            lifts = view.lift(features).only(withheld).of_profiles(profiles(kept, view.rows)[users])
            slope = Slope.learned(lifts, row, taken[1])
            best = (view, slope) if slope.likelihood > best[1].likelihood else best
    return best


def taste(histories: Histories, queries: Histories, features: Floats, calibration: Calibration) -> Floats | None:
    """(Q, N) lifts of all items for users with these histories; None where items' takers do not differ."""
    kept = sample_users(histories, MAX_EVENTS)
    view = View.of(kept, features, latent_vectors(kept, len(features)), calibration.look)
    return None if view is None else view.lifts(features, queries, calibration.taker)


def _padded(latent: Floats, size: int) -> Floats:
    return np.pad(latent, ((0, size - len(latent)), (0, 0)))


def sample_users(histories: Histories, most: int) -> Histories:
    """Users in a fixed random order until their events are too many; the others without any."""
    sizes = np.diff(histories.offsets)
    if sizes.sum() <= most:
        return histories
    order = np.random.default_rng(0).permutation(len(sizes))
    chosen = np.zeros(len(sizes), bool)
    chosen[order[np.cumsum(sizes[order]) <= most]] = True
    return histories.keep(np.repeat(chosen, sizes))
