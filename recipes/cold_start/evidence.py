"""What happened to items so far: lists they were in, events they had, and how many they would have had, were they like others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from recipes.clock import DAY, robust_newest
from recipes.cold_start.fading import Exposures, learn_fading
from recipes.columns import Numeric
from recipes.data import TrainingData
from recipes.impressions import Impressions, SeenLists
from recipes.numerics.arrays import EventIndexes, Indexes, pair_keys, ragged_positions

CREATED = "CREATION_TIMESTAMP"
MAX_CELLS, STRETCHES = 2_000_000, 60  # of items by time
SAME_LIST_S = 3600  # events of a user with the same list within this time are of one showing
PLACES = 50  # of a list that are kept apart
PLACE_PRIOR = 5.0  # clicks at the mean rate added to every place
USUAL_SHAPE, PRIOR_ITEMS = 2.0, 5.0  # of what items do beyond what is expected, and items' worth of belief in it
SHAPES = np.geomspace(0.5, 20.0, 15)
YOUTH_DAYS = 30  # age at which an item is not young any more, whatever happened to it
AFTER_START = 0.05  # share of the log's span after which an item must have been made to be young
LATELY = 0.1  # newest share of the events that tell how likely items are that had none before
MIN_CHANCE = 0.5  # expected events for each that an item had outside lists: it must have been met to be taken
MIN_EXPECTED = 0.5  # events of an item that tells how much items differ
MIX = np.uint64(0x9E3779B97F4A7C15)
MIN_LISTS = 20  # fewer say nothing of how lists are clicked
KNOWN = 0.2  # lists without a click for each with one, from which on they are thought to be known
FEW_TWICE = 0.05  # lists with two clicks for each with one, below which nothing follows of those without any
MOST_MISSING = 3.0  # lists without a click that are added for each with one
Values = NDArray[np.float64]


@dataclass(frozen=True)
class Trials:
    """Places of lists that were shown, each list once: (T,) item, place from 0, time, and whether it was taken."""

    user: Indexes
    item: Indexes
    place: Indexes
    time: Indexes
    taken: NDArray[np.bool_]


@dataclass(frozen=True)
class Evidence:
    """Of each item.

    Attributes:
        created: (N,) seconds.
        newest: from which ages count.
        events: (N,) events.
        telling: (N,) of them, those that say how an item does: not the one that only says since when there is the item.
        expected: (N,) events that an ordinary item would have had in the same places and days at the same ages.
        age_level: (N,) log of how likely items of its present age are taken, against new ones.
        is_young: (N,) true for items that are new to the log.
        is_dated: (N,) whose creation their metadata tell.
        is_ageless: (N,) true for those without events and date that the last full training knew.
        is_unmet: (N,) that nobody took and no list showed: they may have come only now, whatever their date.
        usual_of_young: by how much the young items together do better than expected; 1 where no lists are known.
    """

    created: Indexes
    newest: int
    events: Values
    telling: Values
    expected: Values
    age_level: Values
    is_young: NDArray[np.bool_]
    is_dated: NDArray[np.bool_]
    is_ageless: NDArray[np.bool_]
    is_unmet: NDArray[np.bool_]
    usual_of_young: float


def creation_times(data: TrainingData) -> tuple[Indexes, int]:
    """(N,) when items were made: what the items say, else their first event, else the newest time; and that time."""
    events = data.interactions
    newest = robust_newest(events.timestamp)
    first = np.full(data.num_items, np.iinfo(np.int64).max)
    np.minimum.at(first, events.item_index, events.timestamp)
    created = np.where(data.item_counts > 0, first, newest)
    column = data.items.get(CREATED)
    if isinstance(column, Numeric):
        created = np.where(np.isnan(column.values), created, np.nan_to_num(column.values))
    return created.astype(np.int64), newest


@dataclass(frozen=True)
class ShownLists:
    """Lists that were shown, each once: (L + 1,) offsets, (T,) items, (L,) user and time, (T,) whether an item was taken."""

    offsets: Indexes
    items: Indexes
    user: Indexes
    time: Indexes
    taken: NDArray[np.bool_]


def shown_lists(data: TrainingData) -> ShownLists:
    """The lists that events came from, however many events of a user came from one, and those that were only seen."""
    events = data.interactions
    lists = Impressions(np.zeros(1, np.int64), np.zeros(0, np.int64))
    with_list = np.zeros(0, np.int64)
    if events.impressions is not None:
        with_list = np.flatnonzero(np.diff(events.impressions.offsets) > 0)
        lists = events.impressions.take(with_list)
    named = SeenLists(events.user_index[with_list].astype(np.int64), events.timestamp[with_list], lists)
    number, first = _showings(named)
    taken = np.isin(
        np.repeat(np.arange(len(first)), np.diff(lists.offsets)[first]) * data.num_items + lists.take(first).items,
        number * data.num_items + events.item_index[with_list],
    )
    shown = [named.take(first), *([] if data.seen is None else [_only_seen(data.seen, named)])]
    offsets = np.concatenate([[0], np.cumsum(np.concatenate([np.diff(part.impressions.offsets) for part in shown]))])
    items = np.concatenate([part.impressions.items for part in shown])
    return ShownLists(
        offsets.astype(np.int64),
        items,
        np.concatenate([part.user_index for part in shown]),
        np.concatenate([part.timestamp for part in shown]),
        np.concatenate([taken, np.zeros(len(items) - len(taken), bool)]),
    )


def trials_of(data: TrainingData) -> Trials | None:
    """The places of the lists that were shown; None where too few are known."""
    lists = shown_lists(data)
    if len(lists.user) < MIN_LISTS:
        return None
    lists = _with_missing(lists)
    sizes = np.diff(lists.offsets)
    place = np.minimum(np.arange(len(lists.items)) - np.repeat(lists.offsets[:-1], sizes), PLACES - 1)
    return Trials(np.repeat(lists.user, sizes), lists.items, place, np.repeat(lists.time, sizes), lists.taken)


def _with_missing(lists: ShownLists) -> ShownLists:
    """The lists, and copies of them from which nothing was taken, as many as are not known of.

    Whoever takes nothing mostly leaves no trace, and the fewer are taken the more lists are missing: what then was shown seems better
    than it is. How many there were at least on a day, follows from how many lists had one and two items taken (Chao 1984,
    "Nonparametric estimation of the number of classes in a population"). None are added where lists without a click are known, and
    where hardly any has two.
    """
    taken = np.add.reduceat(lists.taken.astype(np.int64), lists.offsets[:-1])
    clicked, singles, doubles = (int(counted.sum()) for counted in (taken > 0, taken == 1, taken == 2))
    if len(taken) - clicked > KNOWN * clicked or doubles < FEW_TWICE * singles:
        return lists
    day = np.unique(lists.time // DAY, return_inverse=True)[1]
    number, once, twice = (np.bincount(day, counted) for counted in (taken > 0, taken == 1, taken == 2))
    of_all = MIN_LISTS * _without_any(singles, doubles) / clicked
    missing = np.minimum((_without_any(once, twice) + of_all) / (number + MIN_LISTS), MOST_MISSING) * number
    copies = np.where(taken > 0, (missing / np.maximum(number, 1))[day], 0)
    rows = np.repeat(np.arange(len(copies)), (copies + np.random.default_rng(0).random(len(copies))).astype(np.int64))
    offsets, places = ragged_positions(lists.offsets, rows)
    return ShownLists(
        np.concatenate([lists.offsets, lists.offsets[-1] + offsets[1:]]),
        np.concatenate([lists.items, lists.items[places]]),
        np.concatenate([lists.user, lists.user[rows]]),
        np.concatenate([lists.time, lists.time[rows]]),
        np.concatenate([lists.taken, np.zeros(len(places), bool)]),
    )


def _without_any(once: Indexes | int, twice: Indexes | int) -> Values:
    """How many lists at least had no item taken, given how many had one and two."""
    return np.asarray(once * np.maximum(once - 1, 0) / (2 * (twice + 1)), np.float64)


def _only_seen(seen: SeenLists, named: SeenLists) -> SeenLists:
    """The showings of lists from which nothing was taken: not those that a user's event of about that day came from."""
    seen = seen.take(np.flatnonzero(np.diff(seen.impressions.offsets) > 0))
    seen = seen.take(_showings(seen)[1])
    known = _days(named, 0)
    return seen.keep(~np.any([np.isin(_days(seen, shift), known) for shift in (-1, 0, 1)], axis=0))


def _days(lists: SeenLists, shift: int) -> NDArray[np.uint64]:
    """(L,) the same number for the same list of a user on the same day, some days before or after."""
    day = (lists.timestamp // DAY + shift).astype(np.uint64)
    return (_marks(lists.impressions) ^ (lists.user_index.astype(np.uint64) << np.uint64(32))) * MIX + day


def _marks(lists: Impressions) -> NDArray[np.uint64]:
    """(L,) a number of each list, none of which is empty, that differs where items or their places do."""
    sizes = np.diff(lists.offsets)
    if not len(sizes):
        return np.zeros(0, np.uint64)
    place = np.arange(len(lists.items)) - np.repeat(lists.offsets[:-1], sizes)
    mixed = (lists.items.astype(np.uint64) + np.uint64(1)) * MIX
    mixed ^= mixed >> np.uint64(29)
    mixed *= 2 * place.astype(np.uint64) + np.uint64(1)
    marks: NDArray[np.uint64] = np.add.reduceat(mixed, lists.offsets[:-1])
    return marks


def _showings(lists: SeenLists) -> tuple[Indexes, Indexes]:
    """Of L lists, none of which is empty: (L,) which showing each belongs to, and the first list of each showing.

    A user's events with the same list are of one showing, whatever other lists the user took from between them.
    """
    if not len(lists):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    mark, sizes, user, time = (
        _marks(lists.impressions),
        np.diff(lists.impressions.offsets),
        lists.user_index,
        lists.timestamp,
    )
    order = np.lexsort((time, sizes, mark, user))
    same = np.diff(time[order]) <= SAME_LIST_S
    for key in (user, mark, sizes):
        same &= key[order][1:] == key[order][:-1]
    is_first = np.concatenate([[True], ~same])
    first = order[is_first]
    number = np.empty_like(order)
    number[order] = np.argsort(np.argsort(first))[np.cumsum(is_first) - 1]
    return number, np.sort(first)


def gather(data: TrainingData, known_items: int | None = None) -> Evidence:
    """All evidence in the data; items from index `known_items` on came after the last full training."""
    created, newest = creation_times(data)
    cells = exposures(data, created, newest)
    curve = learn_fading(cells, data.num_items)
    arrived = np.arange(data.num_items) >= (data.num_items if known_items is None else known_items)
    is_young = is_new_to_log(data, created, newest) | arrived
    weight = np.exp(curve.of(cells.age))
    weight *= _level_of_time(cells, weight, is_young)
    expected = np.bincount(cells.item, cells.expected * weight, minlength=data.num_items).astype(np.float64)
    by_itself = np.bincount(cells.item[~cells.is_listed], cells.events[~cells.is_listed], minlength=data.num_items)
    expected = np.maximum(expected, MIN_CHANCE * by_itself)
    level = curve.of(np.maximum(newest - created, 0) / DAY)
    dated, untried = _is_dated(data), data.item_counts == 0
    is_unmet = untried & (np.bincount(cells.item[cells.is_listed], minlength=data.num_items) == 0)
    expected[is_unmet] = 0
    ageless = untried & ~dated & ~arrived  # mostly as old as the log, in which nobody took them
    level[ageless] += _level_of_untried(data, ageless)
    expected[ageless] += len(data.interactions) / data.num_items
    events = data.item_counts.astype(np.float64)
    telling = events - _is_met(data, created)
    had, chances = float(telling[is_young].sum()), float(expected[is_young].sum())
    usual = (PRIOR_ITEMS + had) / (PRIOR_ITEMS + chances) if cells.is_listed.any() else 1.0
    return Evidence(created, newest, events, telling, expected, level, is_young, dated, ageless, is_unmet, usual)


def is_new_to_log(data: TrainingData, created: Indexes, newest: int) -> NDArray[np.bool_]:
    """(N,) items made lately and after the log began, and those that nobody has taken.

    The first event of an item of unknown age does not tell that it was new then: rare items are met late.
    """
    start = int(np.quantile(data.interactions.timestamp, 0.01)) if len(data.interactions) else newest
    since = max(start + AFTER_START * (newest - start), newest - YOUTH_DAYS * DAY)
    found: NDArray[np.bool_] = (_is_dated(data) & (created > since)) | (data.item_counts == 0)
    return found


def _level_of_time(cells: Exposures, weight: Values, is_young: NDArray[np.bool_]) -> Values:
    """(C,) what weighted expectations must be multiplied by to be as many as the events of each stretch, and of all lists.

    In lists, young items do not count: where they fill them, they would be compared with themselves.
    """
    group, size = cells.stretch + 1, int(cells.stretch.max(initial=-1)) + 2
    counted = np.where(cells.is_listed & is_young[cells.item], 0.0, 1.0)
    had = np.bincount(group, cells.events * counted, minlength=size)
    expected = np.bincount(group, cells.expected * weight * counted, minlength=size)
    had[0], expected[0] = had[0] + PRIOR_ITEMS, expected[0] + PRIOR_ITEMS
    levels: Values = (had / np.maximum(expected, 1e-9))[group]
    return levels


def _is_met(data: TrainingData, created: Indexes) -> NDArray[np.bool_]:
    """(N,) whose creation is the time of an event: an item made known by being taken would be taken once at least."""
    item, time = data.interactions.item_index, data.interactions.timestamp
    found = np.zeros(data.num_items, bool)
    found[item[time == created[item]]] = True
    return found


def _is_dated(data: TrainingData) -> NDArray[np.bool_]:
    """(N,) whose creation the items' metadata tell."""
    column = data.items.get(CREATED)
    return np.isfinite(column.values) if isinstance(column, Numeric) else np.zeros(data.num_items, bool)


def _level_of_untried(data: TrainingData, untried: NDArray[np.bool_]) -> float:
    """Log of how likely items are that nobody has taken so far and that may be as old as the log, against ordinary ones.

    Estimated from the newest events: how many are with items that had none before.
    """
    events = data.interactions
    is_late = events.timestamp > np.quantile(events.timestamp, 1 - LATELY)
    before = np.bincount(events.item_index[~is_late], minlength=data.num_items) > 0
    without = int((~before).sum())
    late = int(is_late.sum())
    if not without or not untried.any():
        return 0.0
    had = int((~before[events.item_index[is_late]]).sum())
    expected = late * without / data.num_items
    return float(min(0.0, np.log((had + PRIOR_ITEMS) / (expected + PRIOR_ITEMS))))


def exposures(data: TrainingData, created: Indexes, newest: int) -> Exposures:
    """Places in lists, each with the rate at which the place is clicked; and days on which any item could be taken without a list."""
    trials, impressions = trials_of(data), data.interactions.impressions
    events = data.interactions
    by_itself = np.ones(len(events), bool)
    if trials is not None and impressions is not None:
        by_itself = np.diff(impressions.offsets) == 0
    by_itself &= events.timestamp <= newest
    parts = [_by_themselves(events.item_index[by_itself], events.timestamp[by_itself], created)]
    if trials is not None:
        age = np.maximum(trials.time - created[trials.item], 0) / DAY
        rates = place_rates(trials)[trials.place]
        listed = np.full(len(age), -1, np.int64)
        parts.append(Exposures(trials.item, age, rates, trials.taken.astype(np.float64), listed))
    return Exposures(*(np.concatenate([getattr(part, name) for part in parts]) for name in Exposures.__annotations__))


def _by_themselves(item: EventIndexes, time: Indexes, created: Indexes) -> Exposures:
    """Cells of an item and a stretch of time, in which every event may be with any of the items that exist."""
    if not len(item):
        none = np.zeros(0)
        return Exposures(np.zeros(0, np.int64), none, none, none, none.astype(np.int64))
    low, high = int(time.min()), int(time.max()) + 1
    steps = int(np.clip(MAX_CELLS // max(1, len(created)), 1, min(STRETCHES, -(-(high - low) // DAY))))
    edges = np.linspace(low, high, steps + 1)
    stretch = np.clip(np.searchsorted(edges, time, side="right") - 1, 0, steps - 1)
    taken = (
        np.bincount(pair_keys(item, stretch, steps), minlength=len(created) * steps)
        .reshape(-1, steps)
        .astype(np.float64)
    )
    there = np.clip((edges[1:] - created[:, None]) / np.diff(edges), 0, 1)  # (N, steps) share of the stretch
    expected = there * taken.sum(axis=0) / np.maximum(there.sum(axis=0), 1)
    age = np.maximum((np.maximum(edges[:-1], created[:, None]) + edges[1:]) / 2 - created[:, None], 0) / DAY
    row, column = np.nonzero(there > 0)
    return Exposures(row, age[row, column], expected[row, column], taken[row, column], column)


def place_rates(trials: Trials) -> Values:
    """(PLACES,) chance that an ordinary item is taken from each place."""
    shown = np.bincount(trials.place, minlength=PLACES)
    taken = np.bincount(trials.place[trials.taken], minlength=PLACES)
    mean = taken.sum() / max(1, shown.sum())
    rates: Values = (taken + PLACE_PRIOR) / (shown + PLACE_PRIOR / max(mean, 1e-6))
    return rates


def residual(events: Values, expected: Values, usual: Values | float = 1.0) -> Values:
    """(N,) by how much items do better than expected: the mean of a gamma posterior around what is usual, 1 or (N,)."""
    shape = dispersion(events, expected)
    found: Values = (shape + events) / (shape / usual + expected)
    return found


def dispersion(events: Values, expected: Values) -> float:
    """The likeliest shape of the gamma distribution of what items do beyond what is expected; small where they differ much."""
    known = expected > MIN_EXPECTED
    had, chances = events[known], expected[known]
    found = []
    for shape in SHAPES:
        likelihood = (
            gammaln(had + shape) - gammaln(shape) + shape * np.log(shape) - (had + shape) * np.log(shape + chances)
        )
        found.append(float(likelihood.sum()) - 0.5 * PRIOR_ITEMS * np.log(shape / USUAL_SHAPE) ** 2)
    return float(SHAPES[int(np.argmax(found))])
