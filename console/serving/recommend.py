"""Answers requests of programs and people one by one, and records what was recommended."""

from __future__ import annotations

import time
from typing import Any

from console import notices
from console.errors import InvalidInputException
from console.serving import recorder
from console.serving.experiments import REGISTER
from console.serving.loader import model_of
from console.serving.pipeline import RequestBatch, answer
from console.serving.request import RecommendationRequest, RecommendationResult, ServingTarget
from recipes.base import RecipeType


def recommend(target: ServingTarget, request: RecommendationRequest) -> RecommendationResult:
    """The list for a request: items, actions, or the given items in the user's order.

    Raises:
        DamagedModelException: neither the model nor an earlier one of its solution can be read.
        InvalidInputException: nothing is trained yet, or a filter needs what the request does not give.
    """
    found = unrecorded(target, request)
    recorder.record(found.recommendation_id, _recorded(target, request, found))
    return found


def unrecorded(target: ServingTarget, request: RecommendationRequest) -> RecommendationResult:
    """As `recommend`, of a list that is a part of another; raises as it does."""
    [found] = answer(RequestBatch.of(target, model_of(target.artefact), [request], goes_on=True))
    if isinstance(found, InvalidInputException):
        raise found
    notices.note(found.warnings)
    return found


def _recorded(target: ServingTarget, request: RecommendationRequest, found: RecommendationResult) -> dict[str, Any]:
    """What is kept of a list, for events that name it and for what is estimated of it later."""
    ids = [place.item_id for place in found.ranked]
    kept: dict[str, Any] = {"source": target.arn, "group": target.group_id, "time": int(time.time())}
    if found.loaded.recipe.type is RecipeType.PERSONALIZED_ACTIONS:
        kept["actions"] = ids
    else:
        user = None if request.is_trial else request.user_id
        kept |= {
            "user": recorder.pseudonym(target.group_id, user) if user else None,
            "items": ids,
            "propensities": [round(place.propensity, 6) for place in found.ranked],
            "scores": [place.score for place in found.ranked] if target.has_scores else [],
            "explored": [place.item_id for place in found.ranked if place.explored],
            "beyondRelevance": [place.item_id for place in found.ranked if not place.is_by_relevance],
            "policy": _policy(target),
            "version": target.artefact,
        }
    if target.arm is not None:
        REGISTER.note(target.arm)  # its user counts as one who was given something
        kept |= target.arm.wire()
    return kept


def _policy(target: ServingTarget) -> dict[str, Any]:
    """How the list was chosen: what an off-policy estimate must know beside the propensities."""
    policy: dict[str, Any] = {"recipe": target.recipe}
    if target.exploration is not None:
        policy |= {
            "explorationWeight": target.exploration.weight,
            "cutOffDays": target.exploration.cutoff_days,
        }
    return policy
