"""A request is a batch of one: whatever is asked, it is answered alone as among others, and what is wrong with one harms no other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from console.errors import InvalidInputException
from console.models import Event, SolutionVersion
from console.serving.exploration_config import Exploration
from console.serving.loader import MODEL_CACHE
from console.serving.pipeline import RequestBatch, answer, recommend
from console.serving.request import Promotion, RankedItem, RecommendationRequest
from console.serving.targets import bind, version_target
from recipes.stacking.model import StackedModel
from tests.factories import trained
from tests.worlds import NOW, films

USERS = ["u1", "unknown", None, "u2", "fresh", "u1"]
COMEDY = 'INCLUDE ItemID WHERE ITEMS.GENRES IN ("Comedy")'
CLICKED = 'EXCLUDE ItemID WHERE INTERACTIONS.EVENT_TYPE IN ("click")'


@pytest.fixture
def target(account, run_jobs):
    arn = trained(account, run_jobs, films(account), "aws-user-personalization")
    group = SolutionVersion.objects.get().solution.dataset_group
    for place, item in enumerate(["i2", "i6", "i10"]):
        Event.objects.create(
            dataset_group=group, event_id=f"e{place}", user_id="fresh", session_id="s", item_id=item,
            event_type="click", timestamp=NOW + place,
        )  # fmt: skip
    return replace(version_target(account, arn)[0], exploration=None)


def answers(target, requests, **how):
    return answer(RequestBatch.of(target, MODEL_CACHE.get(target.artefact), requests), **how)


def alike(one: RankedItem, other: RankedItem) -> bool:
    return one._replace(score=None) == other._replace(score=None) and one.score == pytest.approx(other.score, abs=1e-5)


def kinds() -> dict[str, list[RecommendationRequest]]:
    """Requests of every kind, those of a kind in one batch."""
    context = [{"DEVICE": "tv"} if place % 2 else {} for place in range(len(USERS))]
    return {
        "plain": [RecommendationRequest(user, k=7) for user in USERS],
        "longer than the catalogue": [RecommendationRequest(user, k=500) for user in USERS],
        "of no length": [RecommendationRequest(user, k=0) for user in USERS],
        "filtered": [RecommendationRequest(user, k=7, filter=bind(COMEDY, None)) for user in USERS],
        "in a context": [RecommendationRequest(u, k=7, context=c) for u, c in zip(USERS, context, strict=True)],
        "ranking": [RecommendationRequest(user, items=["i3", "nowhere", "i1", "i3", "i2"]) for user in USERS],
    }


def test_it_works(target):
    for removes in ((), ("Click",)):
        target = replace(target, removes=removes)
        for kind, requests in kinds().items():
            for request, found in zip(requests, answers(target, requests), strict=True):
                alone = recommend(target, request)
                assert len(found.ranked) == len(alone.ranked), kind
                assert all(map(alike, found.ranked, alone.ranked)), kind
                assert found.history.num_live == (3 if request.user_id == "fresh" else 0)


def test_live_events_of_all_users_are_read_at_once(target, django_assert_max_num_queries):
    answers(target, [RecommendationRequest("u1")])
    with django_assert_max_num_queries(2):  # the catalogue's stamp, and the events
        answers(target, [RecommendationRequest(user) for user in USERS])


def test_what_is_wrong_with_one_request_harms_no_other(target):
    clicked = bind(CLICKED, None)
    requests = [RecommendationRequest(user, k=5, filter=clicked) for user in ("u1", None, "u2")]
    first, wrong, last = answers(target, requests)
    assert isinstance(wrong, InvalidInputException)
    assert "userId" in str(wrong)
    with pytest.raises(InvalidInputException, match="userId"):
        recommend(target, requests[1])
    for found, request in ((first, requests[0]), (last, requests[2])):
        assert [place.item_id for place in found.ranked] == [p.item_id for p in recommend(target, request).ranked]


def test_a_job_that_is_taken_up_again_explores_alike_and_works_out_no_chances(target):
    target = replace(target, exploration=Exploration(1.0, 36_500.0))
    requests = [RecommendationRequest(user, k=10) for user in USERS]
    recorded, job, again = (
        [found.ranked for found in answers(target, requests, rng=np.random.default_rng(5), is_recorded=is_recorded)]
        for is_recorded in (True, False, False)
    )
    assert job == again
    assert any(place.explored for ranked in job for place in ranked)
    assert [[place.item for place in ranked] for ranked in recorded] == [[place.item for place in r] for r in job]
    assert any(place.propensity < 1 for ranked in recorded for place in ranked)
    assert all(place.propensity == 1 and place.is_by_relevance for ranked in job for place in ranked)


def test_only_what_asks_for_a_list_alone_is_answered_from_candidates(target, monkeypatch):
    """Places of other items, explanations and promotions need the scores of all items."""
    asked = []

    def list_scores(self, history, candidates):
        asked.append(candidates)
        return self.score(history)

    monkeypatch.setattr(StackedModel, "approximates", True)
    monkeypatch.setattr(StackedModel, "list_scores", list_scores)
    promotion = Promotion("comedies", 50, bind(COMEDY, None))
    for request in (
        RecommendationRequest("u1", items=["i3", "i1"]),
        RecommendationRequest("u1", k=7, promotion=promotion),
        RecommendationRequest("u1", k=7, is_trial=True),
    ):
        recommend(target, request)
    answers(target, [RecommendationRequest("u1", k=7), RecommendationRequest("u2", k=7)])
    assert not asked

    plain = recommend(target, RecommendationRequest("u1", k=7))
    recommend(target, RecommendationRequest("u1", k=7, filter=bind(COMEDY, None)))
    whole, filtered = asked
    assert whole.allowed is None
    assert 0 < np.count_nonzero(filtered.allowed) < len(filtered.allowed)
    assert not len(whole.always)
    assert len(plain.ranked) == 7


def test_what_exploration_may_show_is_a_candidate(target, monkeypatch):
    asked = []
    monkeypatch.setattr(StackedModel, "approximates", True)
    monkeypatch.setattr(
        StackedModel, "list_scores", lambda self, history, candidates: asked.append(candidates) or self.score(history)
    )
    exploring = replace(target, exploration=Exploration(1.0, 10_000))
    loaded = MODEL_CACHE.get(target.artefact)
    recommend(exploring, RecommendationRequest("u1", k=5))
    assert np.array_equal(asked[0].always, loaded.exploration.arms(10_000).items)
    assert len(asked[0].always)
