"""How items are shown: guessed by name until somebody chooses, and chosen columns wherever an item is told of."""

from __future__ import annotations

import pytest

from console.errors import InvalidInputException, ResourceNotFoundException
from console.models import AuditEntry, Dataset
from tests.factories import call, trained
from tests.worlds import films

PICTURE = "https://images.example/{ITEM_ID}.jpg"


@pytest.fixture
def items(account) -> Dataset:
    return films(account).datasets.get(type="ITEMS")


def test_it_works(account, run_jobs, items):
    version = trained(account, run_jobs, items.dataset_group, "aws-popularity-count")
    told = call("GetItemDisplay", account, dataset_arn=items.arn)
    assert told["inForce"]["titleColumn"] == "TITLE"
    assert "picture" not in told["inForce"]
    assert len(told["items"]) == 6
    call("UpdateItemDisplay", account, dataset_arn=items.arn, title_column="genres", subtitle_columns=["PRICE"], picture=PICTURE)  # fmt: skip
    (card,) = call("GetItemCards", account, solution_version_arn=version, item_ids=["i1"])["items"]
    assert (card["title"], card["subtitle"], card["picture"]) == ("Comedy", "1", "https://images.example/i1.jpg")
    found = call("SearchItems", account, solution_version_arn=version, query="comedy")
    assert (found["total"], found["titleColumn"]) == (20, "GENRES")
    history = call("GetUserHistory", account, solution_version_arn=version, user_id="u1")["history"]
    assert history[0]["picture"] == f"https://images.example/{history[0]['itemId']}.jpg"
    entry = AuditEntry.objects.get(operation="UpdateItemDisplay")
    assert entry.after["display"]["titleColumn"] == "GENRES"
    call("UpdateItemDisplay", account, dataset_arn=items.arn)
    (card,) = call("GetItemCards", account, solution_version_arn=version, item_ids=["i1"])["items"]
    assert card["title"] == "Film number 1"
    assert "picture" not in card


def test_before_a_training_the_columns_are_told(account, items):
    told = call("GetItemDisplay", account, dataset_arn=items.arn)
    assert set(told) == {"datasetArn", "columns", "chosen"}
    assert "TITLE" in told["columns"]
    assert "ITEM_ID" not in told["columns"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"title_column": "NOPE"}, "NOPE is no column of Items, which has TITLE"),
        ({"subtitle_columns": ["PRICE", "NOPE"]}, "NOPE is no column"),
        ({"picture": "https://images.example/{NOPE}.jpg"}, "NOPE is no column"),
        ({"picture": "javascript:alert(1)"}, "it begins with http://, https://, / or a {COLUMN}"),
    ],
)
def test_what_cannot_be_shown_is_refused(account, items, wrong, message):
    with pytest.raises(InvalidInputException, match=message):
        call("UpdateItemDisplay", account, dataset_arn=items.arn, **wrong)


def test_only_items_are_shown_so(account, other_account, items):
    users = items.dataset_group.datasets.get(type="USERS")
    with pytest.raises(InvalidInputException, match="of type USERS, allowed is ITEMS"):
        call("GetItemDisplay", account, dataset_arn=users.arn)
    with pytest.raises(ResourceNotFoundException):
        call("GetItemDisplay", other_account, dataset_arn=items.arn)
