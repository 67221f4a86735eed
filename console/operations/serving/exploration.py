"""Ours: what exploration shows, what is clicked of it, and what is known by now of each new item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from console.errors import InvalidInputException
from console.models import Account
from console.operations.base import operation
from console.serving import recorder
from console.serving.display import Cards
from console.serving.list_outcomes import Taken, by_list, taken_from
from console.serving.loader import MODEL_CACHE, LoadedModel
from console.serving.targets import any_target
from console.shapes import JSONDict
from recipes.evaluation.places import Rate, appeal, at_same_places, place_rates, rate_of
from recipes.numerics.arrays import Indexes

DAY = 86_400
NEWEST_LISTS, ITEMS = 5000, 25
MAX_TAKERS, ALSO_TAKEN, MIN_ALSO = 200, 3, 2
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Places:
    """Every place of the lists that were served: (P,) item (-1 unknown to the model), place from 0, list, explored, clicked."""

    item: Indexes
    place: Indexes
    row: Indexes
    explored: Mask
    clicked: Mask

    def counts(self, mask: Mask) -> Indexes:
        """(K,) how many of the masked ones are at each place."""
        return np.bincount(self.place[mask], minlength=int(self.place.max(initial=0)) + 1)


@operation
def get_exploration(
    account: Account,
    *,
    campaign_arn: str | None = None,
    recommender_arn: str | None = None,
    event_types: list[str] | None = None,
    max_lists: int = NEWEST_LISTS,
    max_results: int = ITEMS,
) -> JSONDict:
    """Places explored, clicks on them against the others at the same places, and the new items that were shown most.

    A click is an event that names the list by its recommendationId and one of its items. An item's appeal is how many clicks it
    had against an ordinary item at the same places: 1 is ordinary, and the interval says how much is known.
    """
    source = any_target(account, campaign_arn, recommender_arn, None)
    if source.exploration is None:
        raise InvalidInputException(
            f"{source.recipe} does not explore; aws-user-personalization does, and recommenders for a user.",
            field="campaignArn" if campaign_arn else "recommenderArn",
        )
    loaded = MODEL_CACHE.get(source.artefact)
    answers = recorder.recent_lists(source.arn, max_lists)
    taken = taken_from(source.group_id, list(answers), event_types)
    places = _places(loaded, answers, taken)
    new = np.flatnonzero(loaded.exploration.eligible(source.exploration.cutoff_days))
    return {
        "explorationWeight": source.exploration.weight,
        "explorationItemAgeCutOff": source.exploration.cutoff_days,
        "lists": len(answers),
        "since": min((kept["time"] for kept in answers.values()), default=None),
        **_rates(places),
        "hours": _hours(places, [kept["time"] for kept in answers.values()]),
        **_new_items(loaded, places, new, taken, Cards.of(loaded, source.group_id), max_results),
    }


def _places(loaded: LoadedModel, answers: Mapping[str, JSONDict], taken: Sequence[Taken]) -> Places:
    clicked, sizes = by_list(taken), [len(kept["items"]) for kept in answers.values()]
    items = [item for kept in answers.values() for item in kept["items"]]
    won = [
        item in explored for kept in answers.values() for explored in [set(kept["explored"])] for item in kept["items"]
    ]
    hit = [item in clicked.get(name, ()) for name, kept in answers.items() for item in kept["items"]]
    row = np.repeat(np.arange(len(sizes)), sizes)
    starts = np.cumsum([0, *sizes])[:-1]
    place = np.arange(len(items)) - np.repeat(starts, sizes)
    return Places(loaded.data.item_ids.indexes(items), place, row, np.array(won, bool), np.array(hit, bool))


def _rates(places: Places) -> JSONDict:
    explored, clicked, total = places.explored, places.clicked, len(places.item)
    found = at_same_places(
        places.counts(explored), places.counts(explored & clicked),
        places.counts(~explored), places.counts(~explored & clicked),
    )  # fmt: skip
    return {
        "places": total,
        "exploredShare": explored.sum() / total if total else None,
        "explored": _counted(explored, clicked),
        "exploited": _counted(~explored, clicked),
        "samePlaces": found
        and {
            "explored": _wire(found.explored),
            "exploited": _wire(found.others),
            "difference": _wire(found.difference),
        },
    }


def _counted(mask: Mask, clicked: Mask) -> JSONDict:
    trials, clicks = int(mask.sum()), int((mask & clicked).sum())
    return {"places": trials, "clicks": clicks, "rate": _wire(rate_of(clicks, trials))}


def _wire(rate: Rate | None) -> JSONDict | None:
    return None if rate is None else {"value": rate.value, "low": rate.low, "high": rate.high}


def _hours(places: Places, times: Sequence[int]) -> list[JSONDict]:
    """Each hour with lists, oldest first."""
    hour = np.asarray(times, np.int64) // 3600
    of_place = hour[places.row] if len(hour) else places.row
    return [
        {
            "start": int(start) * 3600,
            "places": int(here.sum()),
            "exploredShare": float(places.explored[here].mean()),
            "clicks": int(places.clicked[here].sum()),
            "exploredClicks": int((places.clicked & places.explored)[here].sum()),
        }
        for start in np.unique(hour)
        for here in [of_place == start]
    ]


def _new_items(
    loaded: LoadedModel,
    places: Places,
    new: Indexes,
    taken: Sequence[Taken],
    cards: Cards,
    most: int,
) -> JSONDict:
    """How many new items are in which state, and those that were shown most, the least known first among equals."""
    size, state = loaded.data.num_items, loaded.exploration
    known = places.item >= 0
    shown = np.bincount(places.item[known], minlength=size)
    explored = np.bincount(places.item[known & places.explored], minlength=size)
    clicks = np.bincount(places.item[known & places.clicked], minlength=size)
    exploited = ~places.explored
    rates = place_rates(places.counts(exploited & places.clicked), places.counts(exploited))
    expected = np.bincount(places.item[known], rates[places.place[known]], minlength=size).astype(np.float64)
    mean, low, high = appeal(clicks, expected)
    states = np.select([shown == 0, low > 1, high < 1], ["WAITING", "PLEASES", "DISAPPOINTS"], "OPEN")
    uncertainty = state.uncertainty()
    order = new[np.lexsort((-uncertainty[new], -explored[new], -shown[new]))][:most]
    takers = _takers(loaded, order, taken)
    age = np.maximum(state.newest - state.created, 0) / DAY
    return {
        "newItems": {"total": len(new)}
        | {name.lower(): int((states[new] == name).sum()) for name in ("WAITING", "OPEN", "PLEASES", "DISAPPOINTS")},
        "items": [
            {
                "itemId": loaded.data.item_ids[item],
                "ageDays": float(age[item]),
                "events": int(state.interactions[item]),
                "impressions": int(shown[item]),
                "exploredImpressions": int(explored[item]),
                "clicks": int(clicks[item]),
                "expectedClicks": float(expected[item]),
                "appeal": {"value": float(mean[item]), "low": float(low[item]), "high": float(high[item])},
                "uncertainty": float(uncertainty[item]),
                "state": str(states[item]),
                "users": len(takers[item]),
                "alsoTaken": [cards.title(other) or loaded.data.item_ids[other] for other in _also(loaded, item, takers[item])],
            }
            | cards.card(item)
            for item in order.tolist()
        ],
    }  # fmt: skip


def _takers(loaded: LoadedModel, items: Indexes, taken: Sequence[Taken]) -> dict[int, set[str]]:
    """Users who took each item, in the snapshot or from a list since."""
    data = loaded.data
    found: dict[int, set[str]] = {int(item): set() for item in items}
    mine = np.flatnonzero(np.isin(data.interactions.item_index, items))
    users = data.user_ids.take(data.interactions.user_index[mine])
    for item, user in zip(data.interactions.item_index[mine].tolist(), users, strict=True):
        found[item].add(user)
    for one in taken:
        item = data.item_ids.index(one.item_id)
        if item in found:
            found[item].add(one.user_id)
    return found


def _also(loaded: LoadedModel, item: int, users: set[str]) -> list[int]:
    """What these users took more than others did: by the count times the log of the count over the expected one."""
    data = loaded.data
    indexes = data.user_ids.indexes(sorted(users)[:MAX_TAKERS])
    chosen = indexes[indexes >= 0]
    if not len(chosen):
        return []
    had = np.concatenate(
        [np.unique(data.interactions.item_index[data.offsets[u] : data.offsets[u + 1]]) for u in chosen]
    )
    items, counts = np.unique(had, return_counts=True)
    usual = data.item_counts[items] * (len(had) / max(1, len(data.interactions)))
    score = counts * np.log(counts / np.maximum(usual, 1e-9))
    score[(items == item) | (counts < min(MIN_ALSO, len(chosen)))] = -np.inf
    best = np.argsort(-score, kind="stable")[:ALSO_TAKEN]
    return [int(items[at]) for at in best if score[at] > 0]
