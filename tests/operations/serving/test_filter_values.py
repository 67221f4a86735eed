"""What the filter editor offers after a field: values of the data, and nothing of other accounts."""

from __future__ import annotations

import pytest

from console.errors import InvalidInputException, ResourceNotFoundException
from console.models import Event
from tests.factories import call, trained
from tests.worlds import films


def values(account, group, field, **options):
    told = call("SearchFilterValues", account, dataset_group_arn=group.arn, field=field, **options)
    return [entry["value"] for entry in told["values"]]


def test_it_works(account, run_jobs):
    group = films(account)
    trained(account, run_jobs, group, "aws-popularity-count")
    assert sorted(values(account, group, "Items.GENRES")) == ["Action", "Classic", "Comedy", "Drama", "Horror"]
    assert values(account, group, "items.genres", query="c")[:2] == ["Classic", "Comedy"]
    assert values(account, group, "Items.GENRES", query="o", max_results=1) != []
    assert values(account, group, "CurrentUser.TIER", query="go") == ["gold"]


def test_counted_values_come_first_and_numbers_have_a_range(account):
    group = films(account)
    items = group.datasets.get(type="ITEMS")
    items.statistics |= {
        "columns": {"GENRES": {"top": [["Drama", 9], ["Comedy", 4]]}, "PRICE": {"min": 0.5, "max": 9.0}}
    }
    items.save()
    told = call("SearchFilterValues", account, dataset_group_arn=group.arn, field="Items.GENRES")
    assert told["values"] == [{"value": "Drama", "count": 9}, {"value": "Comedy", "count": 4}]
    price = call("SearchFilterValues", account, dataset_group_arn=group.arn, field="Items.PRICE")
    assert price == {"values": [], "low": 0.5, "high": 9.0}


def test_streamed_event_types_are_offered_too(account):
    group = films(account)
    interactions = group.datasets.get(type="INTERACTIONS")
    interactions.statistics |= {"event_types": {"watch": 7}}
    interactions.save()
    Event.objects.create(dataset_group=group, event_id="1", user_id="u1", session_id="s", item_id="i1",
                         event_type="rent", timestamp=1)  # fmt: skip
    assert values(account, group, "Interactions.EVENT_TYPE") == ["watch", "rent"]


def test_a_field_of_no_dataset_is_refused(account):
    with pytest.raises(
        InvalidInputException, match=r"Actions\.PRICE names no dataset of films, which has INTERACTIONS"
    ):
        values(account, films(account), "Actions.PRICE")


def test_others_see_nothing(account, other_account):
    with pytest.raises(ResourceNotFoundException):
        values(other_account, films(account), "Items.GENRES")
