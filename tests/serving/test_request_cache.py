"""What requests keep for a moment: nothing of this process's own writes is missed, nothing of others' for long."""

from __future__ import annotations

import os

import pytest

from console.errors import InvalidInputException, ResourceNotFoundException
from console.models import Campaign, Experiment, Filter, SolutionVersion
from console.serving import caches
from console.serving.caches import RequestCache
from console.serving.targets import bound_filter, campaign_target
from tests.factories import call, make_campaign, make_version
from tests.worlds import films


@pytest.fixture
def group(account):
    return films(account)


@pytest.fixture
def versions(group):
    return [make_version(group, recipe) for recipe in ("aws-user-personalization", "aws-popularity-count")]


@pytest.fixture
def campaign(account, versions):
    return make_campaign(account, versions[0])


@pytest.fixture
def clock(monkeypatch):
    """Seconds by hand."""
    now = [100.0]
    monkeypatch.setattr(caches, "monotonic", lambda: now[0])
    return now


def test_it_works(clock):
    known, told = RequestCache(), iter(range(10))
    assert [known.get("a", lambda: next(told)) for _ in range(3)] == [0, 0, 0]
    assert known.get("b", lambda: next(told)) == 1
    clock[0] += caches.FRESH_S
    assert [known.get("a", lambda: next(told)) for _ in range(2)] == [2, 2]
    known.forget()
    assert known.get("a", lambda: next(told)) == 3


def test_what_was_read_while_something_was_written_is_not_kept():
    known = RequestCache()

    def read() -> str:
        known.forget()  # the write that another thread has just committed
        return "as it was"

    assert known.get("a", read) == "as it was"
    assert known.get("a", lambda: "as it is") == "as it is"


def test_what_is_missing_or_raises_is_asked_again():
    known = RequestCache()
    assert known.get("a", lambda: None) is None
    with pytest.raises(ZeroDivisionError):
        known.get("a", lambda: 1 // 0)
    assert known.get("a", lambda: "there") == "there"


def test_it_holds_a_bounded_number(monkeypatch):
    monkeypatch.setattr(caches, "MOST", 3)
    known = RequestCache()
    for number in range(10):
        known.get(number, lambda: "x")
    assert len(known._known) <= 3


def test_requests_read_a_campaign_once_in_a_while(account, campaign, clock, django_assert_num_queries):
    campaign_target(account, campaign, "u1")
    with django_assert_num_queries(0):
        campaign_target(account, campaign, "u2")
    clock[0] += caches.FRESH_S
    with django_assert_num_queries(1):
        campaign_target(account, campaign, "u1")


def test_what_another_process_writes_is_honoured_after_a_quarter_of_a_second(account, campaign, versions, clock):
    assert campaign_target(account, campaign)[1].name == "aws-user-personalization"
    Campaign.objects.update(solution_version=SolutionVersion.objects.by_arn(account, versions[1], field="x"))
    clock[0] += caches.FRESH_S
    assert campaign_target(account, campaign)[1].name == "aws-popularity-count"
    Campaign.objects.update(status="CREATE FAILED")
    clock[0] += caches.FRESH_S
    with pytest.raises(InvalidInputException, match="is CREATE FAILED"):
        campaign_target(account, campaign)


def test_what_this_process_writes_is_honoured_at_once(account, campaign, versions, clock):
    assert campaign_target(account, campaign)[1].name == "aws-user-personalization"
    call("UpdateCampaign", account, campaign_arn=campaign, solution_version_arn=versions[1], campaign_config={})
    assert campaign_target(account, campaign)[1].name == "aws-popularity-count"
    call("DeleteCampaign", account, campaign_arn=campaign)
    with pytest.raises(ResourceNotFoundException):
        campaign_target(account, campaign)


def test_experiments_begin_and_stop_in_time(account, campaign, versions, clock):
    assert campaign_target(account, campaign, "u1")[0].arm is None
    made = call("CreateExperiment", account, name="e", campaign_arn=campaign, treatment_version_arn=versions[1])
    assert campaign_target(account, campaign, "u1")[0].arm
    call("StopExperiment", account, experiment_arn=made["experimentArn"])
    assert campaign_target(account, campaign, "u1")[0].arm is None

    call("CreateExperiment", account, name="f", campaign_arn=campaign, treatment_version_arn=versions[1])
    assert campaign_target(account, campaign, "u1")[0].arm
    Experiment.objects.filter(status="RUNNING").update(status="STOPPED", treatment=None)  # by another process
    clock[0] += caches.FRESH_S
    assert campaign_target(account, campaign, "u1")[0].arm is None


def test_accounts_are_kept_apart(account, other_account, campaign):
    campaign_target(account, campaign)
    with pytest.raises(ResourceNotFoundException):
        campaign_target(other_account, campaign)


def test_filters_are_honoured_as_campaigns_are(account, group, clock):
    arn = call(
        "CreateFilter", account, name="f", dataset_group_arn=group.arn,
        filter_expression='EXCLUDE ItemID WHERE INTERACTIONS.EVENT_TYPE IN ("click")',
    )["filterArn"]  # fmt: skip
    assert bound_filter(account, arn, None, group.pk)
    Filter.objects.update(status="CREATE FAILED")
    assert bound_filter(account, arn, None, group.pk)
    clock[0] += caches.FRESH_S
    with pytest.raises(InvalidInputException, match="is CREATE FAILED"):
        bound_filter(account, arn, None, group.pk)


def test_a_write_of_another_process_is_seen_at_once():
    known, values = RequestCache(), iter(["old", "new"])
    assert known.get("key", lambda: next(values)) == "old"
    other = os.fork()
    if not other:
        known.forget()
        os._exit(0)
    os.waitpid(other, 0)
    assert known.get("key", lambda: next(values)) == "new"
