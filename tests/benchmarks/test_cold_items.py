"""Items without events: what a recipe makes of them beside metadata alone and popularity."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.cold_items import measured, table_rows
from recipes.simulation import Market, World


@pytest.fixture(scope="module")
def data():
    return Market.open(World(users=150, items=160), 1).data()


def test_a_recipe_ranks_items_that_it_saw_no_event_of(data):
    figures = measured(data, ["aws-user-personalization"], 1)
    [(ndcg, mrr)], [(chance_ndcg, chance_mrr)] = figures["aws-user-personalization"], figures["popularity"]
    assert ndcg > chance_ndcg
    assert mrr > chance_mrr


def test_items_without_metadata_cannot_be_ranked_without_events(data):
    with pytest.raises(ValueError, match="no metadata"):
        measured(replace(data, items={}), [], 1)


def test_a_line_holds_means_errors_and_ratios_to_metadata_alone():
    rows = table_rows("d", 2, {"metadata alone": [(0.1, 0.2), (0.3, 0.2)], "popularity": [(0.1, 0.1), (0.1, 0.1)]})
    assert rows[1] == ["d", "popularity", "2", "0.1000", "0.0000", "0.50", "0.1000", "0.0000", "0.50"]
    assert rows[0][3:6] == ["0.2000", "0.1000", "1.00"]
