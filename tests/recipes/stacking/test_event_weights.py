"""What an event is worth changes what is learned: people go from one page to A more often, but what they buy is B."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pyarrow as pa
import pytest

from recipes import catalogue
from recipes.data import Histories, TrainingData
from recipes.methods.popularity import distinct_users, weighted_users
from recipes.run import Run
from tests.recipes.worlds import START

START_PAGE, A, B = "start", "A", "B"


@cache
def shop(*, weighed: bool) -> TrainingData:
    """200 users look at the start page, then three in five at A while the others buy B; half go on to three of 20 fillers."""
    rng = np.random.default_rng(4)
    users, items, kinds = [], [], []
    for user in range(200):
        buys = user % 5 >= 3
        more = [f"filler {number}" for number in rng.permutation(20)[:3]] if user % 2 else []
        items += [START_PAGE, B if buys else A, *more]
        kinds += ["view", "purchase" if buys else "view", *("view" for _ in more)]
        users += [f"u{user}"] * (2 + len(more))
    events = pa.table(
        {
            "USER_ID": users,
            "ITEM_ID": items,
            "TIMESTAMP": START + np.arange(len(items)),
            "EVENT_TYPE": kinds,
        }
    )
    names = sorted(set(items))
    about = pa.table({"ITEM_ID": names, "NAME": names, "KIND": [name.partition(" ")[0] for name in names]})
    data = TrainingData.from_tables(events, about)
    if not weighed:
        return data
    return replace(data, interactions=replace(data.interactions, weight=_worth(data)))


def _worth(data: TrainingData) -> np.ndarray:
    purchase = data.interactions.event_types.index("purchase")
    worth = np.where(data.interactions.event_type == purchase, 1.0, 0.1)
    return (worth / worth.mean()).astype(np.float32)


def after_the_start_page(name: str, *, weighed: bool, **settings: object) -> float:
    """By how much B stands above A once the start page was seen."""
    data = shop(weighed=weighed)
    model = catalogue.get(name)(**settings).fit(data, Run(seed=1))
    page, a, b = data.item_ids.indexes([START_PAGE, A, B])
    scores = model.related(np.array([page])) if name == "aws-sims" else model.score(Histories.of([[int(page)]]))
    return float(scores[0, b] - scores[0, a])


def test_it_works():
    data = shop(weighed=True)
    plain, worth = distinct_users(data), weighted_users(data)
    a, b = data.item_ids.indexes([A, B])

    assert plain[a] > plain[b]
    assert worth[b] > worth[a]
    assert weighted_users(shop(weighed=False)) == pytest.approx(plain)
    assert worth.sum() == pytest.approx(len(data.interactions), rel=0.01)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("aws-popularity-count", {}),
        ("aws-trending-now", {}),
        ("aws-sims", {"popularity_discount_factor": 0.0}),
        ("aws-user-personalization", {"mode": "fast"}),
        ("aws-user-personalization-v2", {"mode": "fast"}),
        ("aws-personalized-ranking", {"mode": "fast"}),
        ("aws-personalized-ranking-v2", {"mode": "fast"}),
        pytest.param("aws-hrnn-metadata", {}, marks=pytest.mark.slow),  # the network, which all of HRNN share
    ],
)
def test_the_purchase_wins_where_it_weighs_more(name, settings):
    assert (
        after_the_start_page(name, weighed=False, **settings) < 0 < after_the_start_page(name, weighed=True, **settings)
    )


@pytest.mark.parametrize("size", [20, 20_100])
def test_sims_weighs_pairs_alike_in_small_and_large_catalogues(size, monkeypatch):
    monkeypatch.setattr("recipes.numerics.cooccurrence.DENSE_ITEMS", 0 if size > 20_000 else 20_000)

    assert after_the_start_page("aws-sims", weighed=True, popularity_discount_factor=0.0) > 0


@pytest.mark.parametrize("name", ["aws-similar-items", "aws-semantic-similarity"])
def test_what_is_bought_is_more_popular_among_related_items(name):
    a, b = shop(weighed=True).item_ids.indexes([A, B])
    before, after = (catalogue.get(name)().fit(shop(weighed=weighed), Run()).popularity for weighed in (False, True))

    assert before[a] > before[b]
    assert after[b] > after[a]


@pytest.mark.parametrize("name", ["aws-item-affinity", "aws-item-attribute-affinity"])
def test_buyers_stand_out_in_segments(name):
    """Affinity to B of those who bought it, against that of the others, each by the spread of all affinities."""
    gaps = []
    for weighed in (False, True):
        data = shop(weighed=weighed)
        model = catalogue.get(name)(hidden_dimension=32).fit(data, Run(seed=1))
        affinity = model.users @ model.items[data.item_ids.index(B)]
        gaps.append(affinity[np.arange(200) % 5 >= 3].mean() / max(1e-6, np.abs(affinity).mean()))
    assert gaps[1] != pytest.approx(gaps[0], rel=1e-3)
