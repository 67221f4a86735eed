"""A sample answers with what trains in seconds, and goes on to what is better."""

from __future__ import annotations

import pytest

from console.models import Campaign, SampleLoad, Solution
from console.operations.base import call_by_wire_names
from console.samples import loading
from tests.factories import tiny_sample

TINY = tiny_sample("aws-popularity-count", "aws-sims")


@pytest.fixture
def loaded(account, run_jobs, monkeypatch) -> SampleLoad:
    monkeypatch.setitem(loading.SAMPLES, TINY.name, TINY)
    call_by_wire_names("LoadSample", account, {"sampleName": TINY.name})
    run_jobs()
    return SampleLoad.objects.get()


def test_it_answers_before_the_better_model_is_trained(loaded):
    assert loaded.status == loaded.done, loaded.failure_reason
    said = "\n".join(loaded.progress["log"])
    assert said.index("shown answers requests with quick/") < said.index("training better")
    assert "shown answers with better/" in said
    assert Campaign.objects.get().solution_version.solution.name == "better"


def test_a_campaign_that_a_person_has_changed_stays_as_it_is(loaded, account):
    other = Solution.objects.get(name="better").versions.get()
    group = other.solution.dataset_group
    Solution.objects.filter(name="better").update(name="chosen by Alice")
    assert loading._deploy(group, TINY.campaigns[0]) == ""
    assert Campaign.objects.get().solution_version == other


@pytest.mark.parametrize("name", loading.SAMPLES)
def test_each_sample_answers_for_a_user_after_what_trains_in_seconds(name):
    sample = loading.SAMPLES[name]
    first = next(iter(sample.solutions))
    assert sample.fast == {first}
    assert sample.solutions[first] == sample.solutions[sample.campaigns[0].solution]
    assert {
        campaign.until
        for campaign in sample.campaigns
        if sample.solutions[campaign.solution] == sample.solutions[first]
    } == {first}


def test_what_is_done_rises_from_step_to_step():
    shares = list(loading._shares(loading.SAMPLES["movielens-100k"], 3))
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert shares[-2] < 0.5  # most of the time goes into the network, which comes last
