"""Every change is written down: who, through which door, what it was and what it became."""

from __future__ import annotations

import pytest

from console.errors import InvalidInputException, InvalidNextTokenException
from console.models import AuditEntry
from console.operations.auditing import acting_as
from tests.factories import call
from tests.operations import worlds


@pytest.fixture
def group(account) -> str:
    acting_as("alice", "console")
    return call("CreateDatasetGroup", account, name="films")["datasetGroupArn"]


def entries(account, **params) -> list[dict]:
    return call("ListAuditEntries", account, **params)["auditEntries"]


def test_it_works(account, group):
    made = (
        call(
            "CreateFilter",
            account,
            name="f",
            dataset_group_arn=group,
            filter_expression='INCLUDE ItemID WHERE Items.ITEM_ID IN ("a")',
        )
        if worlds.dataset(account, "ITEMS")
        else {}
    )
    arn = made["filterArn"]
    acting_as("bob", "api")
    call("TagResource", account, resource_arn=arn, tags=[{"tagKey": "team", "tagValue": "films"}])
    call("DeleteFilter", account, filter_arn=arn)
    deleted, tagged, created = entries(account, resource_arn=arn)
    assert [e["operation"] for e in (created, tagged, deleted)] == ["CreateFilter", "TagResource", "DeleteFilter"]
    assert (created["actor"], created["door"]) == ("alice", "console")
    assert (deleted["actor"], deleted["door"]) == ("bob", "api")
    assert {c["member"]: c.get("after") for c in created["changes"]}["name"] == "f"
    assert {"member": "tags", "after": "{'team': 'films'}"} in tagged["changes"]
    assert all("after" not in change for change in deleted["changes"])


def test_what_is_refused_is_not_written_down(account, group):
    with pytest.raises(InvalidInputException):
        call("CreateDatasetGroup", account, name="x", role_arn="arn:aws:iam::000000000001:role/any")
    assert len(entries(account)) == 1


def test_pages_of_the_audit(account, group):
    for name in ("b", "c"):
        call("CreateDatasetGroup", account, name=name)
    first = call("ListAuditEntries", account, max_results=2)
    rest = call("ListAuditEntries", account, next_token=first["nextToken"])
    names = [e["resourceArn"].rpartition("/")[2] for e in (*first["auditEntries"], *rest["auditEntries"])]
    assert names == ["c", "b", "films"]
    with pytest.raises(InvalidNextTokenException):
        call("ListAuditEntries", account, next_token="x")


def test_nobody_else_sees_it(account, other_account, group):
    assert entries(other_account, resource_arn=group) == []
    assert AuditEntry.objects.count() == 1
