"""How a stack learns what new items are worth: some items are withheld as if new, and shown lists say what users take from them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from recipes.cold_start.calibration import Calibration, Withheld, scale_of, surplus_of
from recipes.cold_start.choices import Choices
from recipes.cold_start.evidence import gather, place_rates, trials_of
from recipes.cold_start.relevance import learn_calibration, taste
from recipes.numerics.arrays import Floats, Indexes
from recipes.stacking.holdout import HeldOut


def withhold(held_out: HeldOut) -> Withheld:
    """What is known of new items by the whole catalogue, and what tastes say of all items."""
    place = _places(held_out)
    known, asked = (
        replace(part, item_index=place[part.item_index])
        for part in (rows.keep(place[rows.item_index] >= 0) for rows in (held_out.training, held_out.queries.histories))
    )
    queries, features = held_out.queries, held_out.context.item_features[held_out.columns]
    found = learn_calibration(known, asked, queries.row, queries.item, features, held_out.context.run.seed)
    tastes = taste(known, asked, features, found.calibration)
    return found if tastes is None else replace(found, tastes=tastes)


def calibrated(held_out: HeldOut, withheld: Withheld, scores: Floats) -> Calibration:
    """On which scale new items are, against (Q, C) scores of all others; learned from lists where users took enough from them."""
    queries, seen = held_out.queries, (held_out.queries.seen.row, held_out.queries.seen.item)
    choices = _choices(held_out) if len(withheld.items) and withheld.tastes.size else None
    unseen = scores.copy()
    unseen[seen] = -np.inf
    scale = scale_of(unseen, queries.row, queries.item)
    if choices is not None and choices.tells:
        return choices.calibrated(withheld, scores, seen, gather(held_out.context.data).usual_of_young, scale)
    surplus = surplus_of(unseen, scale, queries.row, queries.item)
    return replace(withheld.calibration, scale=scale, surplus=surplus)


def _places(held_out: HeldOut) -> Indexes:
    """(N,) each item's column, -1 without."""
    place = np.full(held_out.context.num_items, -1, np.int64)
    place[held_out.columns] = np.arange(len(held_out.columns))
    return place


def _choices(held_out: HeldOut) -> Choices | None:
    """The places of lists that users were shown after the first query of each; None where no lists are known."""
    data, queries = held_out.context.data, held_out.validation.histories
    trials = trials_of(data)
    if trials is None:
        return None
    user, first = np.unique(queries.user_index, return_index=True)
    row, last = np.full(len(data.user_ids), -1, np.int64), np.zeros(len(data.user_ids), np.int64)
    row[user], last[user] = first, queries.timestamp[queries.offsets[first + 1] - 1]
    place = _places(held_out)[trials.item]
    chosen = (row[trials.user] >= 0) & (trials.time > last[trials.user]) & (place >= 0)
    evidence, item = gather(data), trials.item[chosen]
    is_young = evidence.is_young[item]
    ordinary = np.log(np.exp(evidence.age_level[~evidence.is_young]).mean()) if not evidence.is_young.all() else 0.0
    return Choices(
        row[trials.user[chosen]],
        place[chosen],
        np.log(place_rates(trials))[trials.place[chosen]],
        trials.taken[chosen],
        is_young,
        np.where(is_young, evidence.age_level[item] - ordinary, 0.0),
    )
