"""Use cases are recipes with settings: they exist, fit the reference, and train on their own events."""

from __future__ import annotations

import numpy as np
import pytest

from recipes import use_cases
from recipes.base import RecipeError, RecipeType
from recipes.run import Run
from recipes.use_cases import USE_CASES, Domain
from tests.recipes.worlds import tasteful


def test_there_are_ten():
    by_domain = {domain: [u for u in USE_CASES.values() if u.domain is domain] for domain in Domain}
    assert {domain: len(found) for domain, found in by_domain.items()} == {
        Domain.ECOMMERCE: 5,
        Domain.VIDEO_ON_DEMAND: 5,
    }
    assert all(name == use_case.name for name, use_case in USE_CASES.items())


@pytest.mark.parametrize("use_case", USE_CASES.values(), ids=list(USE_CASES))
def test_inputs_fit_the_recipe(use_case):
    if use_case.recipe().type is RecipeType.RELATED_ITEMS:
        assert "itemId" in use_case.inputs
    assert ("userId" in use_case.inputs) or not use_case.removes
    assert use_case.recipe().explores == use_case.explores


def test_it_trains_on_its_events():
    data = tasteful(events_per_user=20)
    watched = use_cases.get("aws-vod-most-popular").select(data)
    watch = data.interactions.event_types.index("watch")
    assert len(watched.interactions) == np.count_nonzero(data.interactions.event_type == watch)
    model = use_cases.get("aws-vod-because-you-watched-x").recipe().fit(watched, Run())
    assert model.related(np.array([0])).shape == (1, data.num_items)


def test_too_few_events_are_refused():
    with pytest.raises(RecipeError, match="Best sellers needs 1,000 Purchase events, there are 0"):
        use_cases.get("aws-ecomm-popular-items-by-purchases").select(tasteful())


def test_an_unknown_name_lists_those_there_are():
    with pytest.raises(ValueError, match="There is no use case x; there are aws-ecomm-popular-items-by-views"):
        use_cases.get("x")
