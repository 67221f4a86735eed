"""Limits of an account: its own quotas and rate hold for it, and for nobody else."""

from __future__ import annotations

import io
import json
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command

from console import limits, rates
from console.errors import LimitExceededException, ThrottlingException
from console.models import Account
from console.operations.base import call_by_wire_names
from tests.api.conftest import caller  # noqa: F401  a fixture


@pytest.fixture(autouse=True)
def _standing_clock(monkeypatch):
    """However slow the machine is, no time passes between requests."""
    rates.RATE.forget()
    monkeypatch.setattr(rates, "time", SimpleNamespace(monotonic=lambda: 1000.0))
    yield
    rates.RATE.forget()


def limited(account, **options) -> Account:
    call_command("limit_account", account.name, stdout=io.StringIO(), **options)
    return Account.objects.get(pk=account.pk)


def test_a_quota_of_its_own_holds_for_an_account_alone(account, other_account):
    account = limited(account, quota=["DATASET_GROUPS=1"])
    call_by_wire_names("CreateDatasetGroup", account, {"name": "one"})
    with pytest.raises(LimitExceededException, match="More than 1"):
        call_by_wire_names("CreateDatasetGroup", account, {"name": "two"})
    for name in ("one", "two"):
        call_by_wire_names("CreateDatasetGroup", other_account, {"name": name})
    account = limited(account, quota=["DATASET_GROUPS=-"])
    call_by_wire_names("CreateDatasetGroup", account, {"name": "two"})


def test_who_sends_more_than_the_account_may_is_told_to_wait(account, other_account, caller):  # noqa: F811
    limited(account, requests_per_second="3")
    client, other = caller(account), caller(other_account)
    found = [client.get("/api/v1/recipes/") for _ in range(12)]
    assert found[0].status_code == 200
    refused = found[-1]
    assert (refused.status_code, refused["Retry-After"]) == (429, "1")
    assert refused.json()["code"] == "ThrottlingException"
    assert other.get("/api/v1/recipes/").status_code == 200


def test_the_servers_rate_holds_for_all_and_an_account_may_be_free_of_it(account, settings):
    settings.RATE_LIMIT = 2
    with pytest.raises(ThrottlingException, match="2 requests a second"):
        all(limits.admit(account) is None for _ in range(20))
    account = limited(account, requests_per_second="0")
    for _ in range(20):
        limits.admit(account)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"quota": ["KITTENS=1"]}, "is no quota"),
        ({"quota": ["SCHEMAS=many"]}, "whole number"),
        ({"requests_per_second": "²"}, "whole"),
    ],
)
def test_what_is_no_limit_is_refused(account, options, why):
    with pytest.raises(CommandError, match=why):
        limited(account, **options)


@pytest.mark.django_db
def test_an_unknown_account_is_refused():
    with pytest.raises(CommandError, match="no account"):
        call_command("limit_account", "nobody")


def test_the_command_prints_what_holds(account):
    said = io.StringIO()
    call_command("limit_account", account.name, quota=["SCHEMAS=7"], requests_per_second="5", stdout=said)
    assert json.loads(said.getvalue()) == {"SCHEMAS": 7, "requests_per_second": 5}
