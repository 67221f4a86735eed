"""What weight 0 would have earned: from recorded lists and the events that name them, for nobody else's campaign."""

from __future__ import annotations

import numpy as np
import pytest

from console.errors import ResourceNotFoundException
from console.models import DatasetGroup
from console.operations.data import event_trackers
from console.serving import recorder
from console.serving.loader import MODEL_CACHE
from console.serving.pipeline import ranked_items
from console.serving.targets import campaign_target
from recipes.exploration import Explored
from recipes.numerics.topk import top_k
from recipes.propensities import Draws
from tests.factories import call, put_events, trained
from tests.worlds import films


def lists(arn, group, count, rng, clicks_old=0.2, clicks_new=0.6):
    """Recorded lists of two places: the second shows the item of relevance half the time, else a new one; returns who clicked what."""
    clicked = []
    for number in range(count):
        is_new = rng.random() < 0.5
        items = ["i1", "new" if is_new else "i2"]
        recorder.record(
            f"RID-{number}",
            {"source": arn, "group": group, "items": items, "propensities": [1.0, 0.5], "explored": ["new"] if is_new else [],
             "beyondRelevance": ["new"] if is_new else [], "time": 1_700_000_000 + number},
        )  # fmt: skip
        chances = [clicks_old, clicks_new if is_new else clicks_old]
        clicked += [
            (f"RID-{number}", item) for item, chance in zip(items, chances, strict=True) if rng.random() < chance
        ]
    return clicked


@pytest.fixture
def campaign(account, run_jobs):
    version = trained(account, run_jobs, films(account), "aws-user-personalization")
    return call("CreateCampaign", account, name="estimated", solution_version_arn=version)["campaignArn"]


@pytest.fixture
def group(account, campaign):
    return DatasetGroup.objects.get()


def test_weight_0_is_estimated_from_what_was_shown(account, counted, campaign, group):
    tracking = event_trackers.create_event_tracker(account, name="t", dataset_group_arn=group.arn)["trackingId"]
    for name, item in lists(campaign, group.pk, 300, np.random.default_rng(1)):
        put_events(account, tracking, itemId=item, recommendationId=name)
    recorder.flush()
    told = call("GetOffPolicyEstimates", account, campaign_arn=campaign)
    assert told["lists"] == 300
    assert 100 < told["explored"] < 200
    served, [plain, normalised] = told["recorded"], told["estimates"]
    for found in (plain, normalised):
        assert found["low"] < 0.4 < found["high"]  # two places of 0.2
    assert served["value"] == pytest.approx(told["outcomes"] / 300)
    assert told["difference"]["value"] == pytest.approx(served["value"] - plain["value"])
    assert told["difference"]["low"] > 0  # new items are liked better here
    assert told["weights"]["meanWeight"] == pytest.approx(1, abs=0.15)
    bought = call("GetOffPolicyEstimates", account, campaign_arn=campaign, event_types=["buy"])
    assert bought["outcomes"] == 0


def test_what_relevance_would_not_have_shown_is_known(account, campaign):
    source, _ = campaign_target(account, campaign, "u1")
    loaded = MODEL_CACHE.get(source.artefact)
    relevance = -np.arange(loaded.data.num_items, dtype=np.float32)[None, :]
    scores = relevance.copy()
    scores[0, 7] = 0.5
    draws = Draws(np.array([7]), np.array([20.0], np.float32), top_k(relevance, 5), most=1, seed=0)
    [picks] = ranked_items(loaded, source, Explored(relevance, scores, draws), scores, 5)
    assert [(pick.item, pick.is_by_relevance) for pick in picks] == [(7, False), *((item, True) for item in range(4))]
    [plain] = ranked_items(loaded, source, Explored(relevance, relevance), relevance, 5)
    assert all(pick.is_by_relevance for pick in plain)


def test_served_lists_can_be_looked_through(account, counted, campaign):
    for user in range(4):
        call("GetRecommendations", account, campaign_arn=campaign, user_id=f"u{user}", num_results=10)
    recorder.flush()
    told = call("GetOffPolicyEstimates", account, campaign_arn=campaign)
    assert (told["lists"], told["outcomes"]) == (4, 0)


def test_without_lists_nothing_is_estimated(account, counted, campaign):
    told = call("GetOffPolicyEstimates", account, campaign_arn=campaign)
    assert (told["lists"], told["estimates"]) == (0, [])


def test_nothing_of_another_account_is_estimated(account, other_account, campaign):
    with pytest.raises(ResourceNotFoundException):
        call("GetOffPolicyEstimates", other_account, campaign_arn=campaign)
