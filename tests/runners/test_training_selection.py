"""What a solution's configuration lets a training see: event types, thresholds and weights."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from console.runners.training_selection import Choice
from recipes.data import TrainingData


def clicks_and_watches() -> TrainingData:
    """Alice clicks twice and watches half; bob watches little and then all."""
    return TrainingData.from_tables(
        pa.table(
            {
                "USER_ID": ["alice", "alice", "alice", "bob", "bob"],
                "ITEM_ID": ["1", "2", "3", "1", "2"],
                "TIMESTAMP": [1, 2, 3, 4, 5],
                "EVENT_TYPE": ["click", "click", "watch", "watch", "watch"],
                "EVENT_VALUE": [0.0, 0.0, 0.5, 0.1, 1.0],
            }
        )
    )


def choice(*entries: dict[str, object]) -> Choice:
    return Choice.of({"eventsConfig": {"eventParametersList": list(entries)}}, None)


def test_it_works():
    data = clicks_and_watches()
    chosen = choice({"eventType": "click", "weight": 0.1}, {"eventType": "watch", "weight": 0.4})

    assert chosen.events(data.interactions).all()
    weight = chosen.weighed(data).interactions.weight
    assert weight.mean() == pytest.approx(1)
    assert weight[2:] / weight[0] == pytest.approx([4, 4, 4])


def test_only_listed_event_types_are_learned_from():
    assert choice({"eventType": "WATCH"}).events(clicks_and_watches().interactions).tolist() == [False] * 2 + [True] * 3


def test_a_threshold_leaves_out_smaller_values_of_its_type_only():
    chosen = choice({"eventType": "click"}, {"eventType": "watch", "eventValueThreshold": 0.5})

    assert chosen.events(clicks_and_watches().interactions).tolist() == [True, True, True, False, True]


def test_the_older_threshold_holds_for_all_events():
    chosen = Choice.of({"eventValueThreshold": "0.5"}, None)

    assert chosen.events(clicks_and_watches().interactions).tolist() == [False, False, True, False, True]


def test_only_the_ratio_of_weights_matters():
    data = clicks_and_watches()
    small, large = (
        choice({"eventType": "click", "weight": scale}, {"eventType": "watch", "weight": 5 * scale}).weighed(data)
        for scale in (0.01, 0.2)
    )

    assert small.interactions.weight == pytest.approx(large.interactions.weight)


def test_a_type_without_weight_counts_one_beside_weighed_ones():
    weight = choice({"eventType": "click", "weight": 0.5}, {"eventType": "watch"}).weighed(clicks_and_watches())

    assert weight.interactions.weight[2] / weight.interactions.weight[0] == pytest.approx(2)


@pytest.mark.parametrize("weights", [(None, None), (0.3, 0.3), (0.0, 0.0)])
def test_weights_that_tell_nothing_apart_leave_the_data_as_they_are(weights):
    entries = [
        {"eventType": kind} | ({} if weight is None else {"weight": weight})
        for kind, weight in zip(("click", "watch"), weights, strict=True)
    ]

    assert choice(*entries).weighed(clicks_and_watches()).interactions.weight is None


def test_an_event_that_two_rules_let_in_is_worth_the_more():
    chosen = choice(
        {"eventType": "watch", "weight": 0.1}, {"eventType": "watch", "eventValueThreshold": 0.9, "weight": 1.0}
    )
    data = clicks_and_watches()
    weight = chosen.weighed(data.keep(chosen.events(data.interactions))).interactions.weight

    assert np.argsort(weight, kind="stable").tolist() == [0, 1, 2]
    assert weight[2] / weight[0] == pytest.approx(10)
