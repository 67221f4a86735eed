"""Ours: what a campaign or recommender was asked by programs, and what one answer was made of."""

from __future__ import annotations

from console.errors import InvalidInputException, ResourceNotFoundException
from console.models import Account
from console.operations.base import operation
from console.serving import recorder, traffic
from console.serving.display import Cards
from console.serving.loader import MODEL_CACHE
from console.serving.targets import any_target
from console.serving.traffic import Minutes
from console.shapes import JSONDict

HOUR = 60


@operation
def get_traffic(
    account: Account, *, campaign_arn: str | None = None, recommender_arn: str | None = None, minutes: int = HOUR
) -> JSONDict:
    """Requests, errors, latency and explored share by the minute, and the newest hundred requests."""
    arn = any_target(account, campaign_arn, recommender_arn, None).arn
    rows = traffic.by_minute(arn, minutes)
    if rows is None:
        return {"isKnown": False, "minutes": [], "requests": []}
    total = sum((found.counts for _, found in rows), start=type(rows[0][1].counts)())
    return {
        "isKnown": True,
        "total": Minutes(total).wire(),
        "minutes": [{"start": 60 * minute} | found.wire() for minute, found in rows],
        "requests": [_request(one) for one in traffic.latest(arn)],
    }


@operation
def get_recommendation_trace(account: Account, *, recommendation_id: str) -> JSONDict:
    """What an answer held: each item with its chance of being shown, and whether it was explored."""
    kept = recorder.recall(recommendation_id)
    if kept is None or f":{account.number}:" not in kept["source"]:
        raise ResourceNotFoundException(
            f"The recommendation {recommendation_id} is not known; answers are kept for three days.",
            field="recommendationId",
        )
    kind = {":campaign/": "campaign_arn", ":recommender/": "recommender_arn"}
    named = next((name for part, name in kind.items() if part in kept["source"]), None)
    if named is None:
        raise InvalidInputException(
            f"{kept['source']} is neither a campaign nor a recommender.", field="recommendationId"
        )
    arns: dict[str, str | None] = dict.fromkeys((*kind.values(), "solution_version_arn")) | {named: kept["source"]}
    target = any_target(account, **arns)
    loaded = MODEL_CACHE.get(target.artefact)
    cards = Cards.of(loaded, target.group_id)
    explored = set(kept["explored"])
    scores = kept.get("scores") or [None] * len(kept["items"])
    return {
        "sourceArn": kept["source"], "time": kept["time"],
        "experimentArn": kept.get("experimentArn"), "arm": kept.get("arm"),
        "items": [
            {
                "itemId": item, "propensity": chance, "score": score,
                "explored": item in explored,
            } | cards.card(loaded.data.item_ids.index(item))
            for item, chance, score in zip(kept["items"], kept["propensities"], scores, strict=True)
        ],
    }  # fmt: skip


def _request(one: JSONDict) -> JSONDict:
    return one | {"error": one["error"] or None, "time": int(one["time"])}
