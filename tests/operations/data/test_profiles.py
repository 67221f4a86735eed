"""What people are told about a dataset."""

from __future__ import annotations

from console.operations.data.profiles import profile_dataset
from tests.factories import ITEMS, events_csv, make_dataset


def test_it_works(account, load):
    arn = make_dataset(account)
    load(arn, events_csv(100))

    found = profile_dataset(account, dataset_arn=arn)

    assert (found["rows"], found["users"], found["items"], found["streamedRows"]) == (100, 7, 11, 0)
    assert found["eventTypes"] == [{"value": "click", "count": 100}]
    assert found["timeline"]["counts"] == [100]
    assert found["insights"][0] == {"level": "warning", "text": "100 interactions; training needs at least 1,000."}


def test_it_tells_of_gaps(account, load):
    arn = make_dataset(account, "Items", ITEMS)
    load(arn, "ITEM_ID,YEAR,GENRE\n" + "".join(f"{n},1990,{'War|Drama' * (n < 3)}\n" for n in range(10)))

    found = profile_dataset(account, dataset_arn=arn)

    genre = next(column for column in found["columns"] if column["name"] == "GENRE")
    assert genre["completeness"] == 0.3
    assert genre["top"] == [{"value": "War", "count": 3}, {"value": "Drama", "count": 3}]
    assert [insight["text"] for insight in found["insights"]] == ["Only 30 % of GENRE is filled."]


def test_an_empty_dataset_has_a_profile(account):
    found = profile_dataset(account, dataset_arn=make_dataset(account))

    assert found["rows"] == 0
    assert found["insights"][0]["level"] == "note"
