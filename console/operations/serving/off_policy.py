"""Ours: what a campaign would have earned without exploration, from recorded answers with their chances and the events that name them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from console.models import Account
from console.operations.base import operation
from console.serving import recorder
from console.serving.list_outcomes import by_list, taken_from
from console.serving.targets import any_target
from console.shapes import JSONDict
from recipes.evaluation.off_policy.estimates import Array, Diagnostics, Estimate, diagnose, of_rounds
from recipes.evaluation.off_policy.slates import LoggedLists, independent_ips, normalised_ips

MOST_LISTS = 20_000  # the newest are looked at
MIN_LISTS = 2
LEAST_CHANCE = 1e-6


@operation
def get_off_policy_estimates(
    account: Account,
    *,
    campaign_arn: str | None = None,
    recommender_arn: str | None = None,
    event_types: list[str] | None = None,
) -> JSONDict:
    """Outcomes for each list: as recorded, and as they would have been at explorationWeight 0, with 95 % intervals.

    An outcome is an item of the list that an event with its recommendationId names. The evaluated policy shows what relevance alone
    would; each of its items that was shown counts by the inverse of its chance of being shown.
    """
    target = any_target(account, campaign_arn, recommender_arn, None)
    answers = recorder.recent_lists(target.arn, MOST_LISTS)
    if len(answers) < MIN_LISTS:
        return {"lists": len(answers), "explored": 0, "outcomes": 0, "estimates": []}
    log = _logged(answers, by_list(taken_from(target.group_id, list(answers), event_types)))
    value = independent_ips(log)
    recorded = of_rounds("recorded", log.reward.sum(axis=-1))
    weights = diagnose(log.weight.sum(axis=-1) / np.maximum(1, _sizes(answers)))
    difference = of_rounds("difference", (log.reward * (1 - log.weight)).sum(axis=-1))
    return {
        "lists": len(answers),
        "since": min(answer["time"] for answer in answers.values()),
        "explored": sum(1 for answer in answers.values() if answer["explored"]),
        "outcomes": int(log.reward.sum()),
        "recorded": _wire(recorded),
        "estimates": [_wire(value), _wire(normalised_ips(log, _sizes(answers)))],
        "difference": _wire(difference),
        "weights": _weights(weights),
    }


def _sizes(answers: Mapping[str, JSONDict]) -> Array:
    return np.array([len(answer["items"]) for answer in answers.values()], float)


def _logged(answers: Mapping[str, JSONDict], outcomes: Mapping[str, set[str]]) -> LoggedLists:
    """(n, K) places of all lists; those behind the end of a shorter list count nothing."""
    shape = (len(answers), max(1, *(len(answer["items"]) for answer in answers.values())))
    reward, behaviour, target = np.zeros(shape), np.ones(shape), np.zeros(shape)
    for row, (name, answer) in enumerate(answers.items()):
        size, beyond = len(answer["items"]), set(answer.get("beyondRelevance", ()))
        reward[row, :size] = [item in outcomes.get(name, ()) for item in answer["items"]]
        behaviour[row, :size] = np.clip(answer["propensities"], LEAST_CHANCE, 1)
        target[row, :size] = [item not in beyond for item in answer["items"]]
    return LoggedLists(reward, behaviour, target)


def _wire(found: Estimate) -> JSONDict:
    return {"name": found.name, "value": float(found.value), "low": float(found.low), "high": float(found.high)}


def _weights(found: Diagnostics) -> JSONDict:
    return {
        "effectiveSize": found.effective_size, "largestShare": found.largest_share, "meanWeight": found.mean_weight,
        "meanWeightError": found.mean_weight_error, "matchedShare": found.matched_share,
        "largestWeight": found.largest_weight, "warnings": found.warnings,
    }  # fmt: skip
