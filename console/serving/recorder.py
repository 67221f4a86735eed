"""What was recommended, kept for as long as events may refer to it; serving goes on without it when the broker is away.

A thread of its own writes to the broker, so that no request waits for it.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
import zlib
from collections.abc import Sequence
from functools import cache, partial
from itertools import compress, repeat
from operator import not_
from typing import Any

import redis
from django.conf import settings

from console.background import BackgroundWriter
from console.serving.experiments import REGISTER
from console.serving.request import RecommendationRequest, RecommendationResult, ServingTarget
from recipes.base import RecipeType

logger = logging.getLogger(__name__)

KEEP_S = 3 * 86_400
TIMEOUT_S = 0.25
AWAY_S = 10.0  # after a failure the broker is left alone this long
MOST_WAITING = 10_000
TOGETHER_S = 0.05  # answers of this long are written at once: a thread that woke for each would hold up the requests
ASKED_AT_ONCE = 500
MOST_RECENT = 20_000  # answers of a source whose ids are kept in their order
PACKED = b"\x01"  # what begins an answer packed with `USUAL`; other words that are usual need another byte
USUAL = (
    b'],"beyondRelevance":[],"explored":[],"policy":{"recipe":"aws-personalized-ranking"},"recipe":"aws-user-personalization",'
    b'"explorationWeight":0.3,"cutOffDays":30},"version":"","scores":[],"propensities":[1.0,1.0,1.0,0.0,"items":["'
    b'{"source":"arn:aws:personalize:us-east-1:000000000000:recommender/arn:aws:personalize:us-east-1:000000000000:campaign/'
    b'","group":1,"time":17,"user":"'
)  # words of most answers, the likeliest last, which a packed one refers to instead of repeating them
WINDOW_BITS = -12  # no checksum; 4 KiB of what came before
MEMORY_LEVEL = 5  # a packer of the default's 256 KiB takes six times as long to begin
JSONDict = dict[str, Any]
_away_until = 0.0


def record(recommendation_id: str, answer: JSONDict) -> None:
    """Keep an answer: source ARN, items, propensities, time; it is given up where too many wait to be written."""
    _unwritten[recommendation_id] = answer
    if not _writer.put((recommendation_id, answer)):
        _unwritten.pop(recommendation_id, None)


def record_list(target: ServingTarget, request: RecommendationRequest, found: RecommendationResult) -> None:
    """Keep a list that a target gave for a request."""
    record(found.recommendation_id, _recorded(target, request, found))


def flush() -> None:
    """Write what is not written yet."""
    _writer.flush()


def pseudonym(group_id: int, user_id: str) -> str:
    """Stands for a user in what is recorded: nobody can tell who it is once the user's events are deleted."""
    key = settings.SECRET_KEY.encode()[: hashlib.blake2b.MAX_KEY_SIZE]
    return hashlib.blake2b(f"{group_id} {user_id}".encode(), key=key, digest_size=12).hexdigest()


def recall(recommendation_id: str) -> JSONDict | None:
    """An answer that was given; None when it is too old, unknown, or the broker is away."""
    waiting = _unwritten.get(recommendation_id)
    if waiting is not None:
        return waiting
    text = _try(lambda: _client().get(_key(recommendation_id)))
    return _unpacked(text) if text else None


def recall_many(recommendation_ids: Sequence[str]) -> dict[str, JSONDict]:
    """The answers that are still known, by id; a broker that is away is asked for the rest some seconds later only."""
    found: dict[str, JSONDict] = {}
    for start in range(0, len(recommendation_ids), ASKED_AT_ONCE):
        asked = recommendation_ids[start : start + ASKED_AT_ONCE]
        texts = _try(lambda asked=asked: _client().mget([_key(name) for name in asked])) or [None] * len(asked)
        for name, text in zip(asked, texts, strict=True):
            waiting = _unwritten.get(name)
            if waiting is not None or text:
                found[name] = waiting if waiting is not None else _unpacked(text)
    return found


def recent(source: str, most: int) -> dict[str, JSONDict]:
    """A source's newest answers that are still known, by id, newest first; none when the broker is away."""
    names = _try(lambda: _client().lrange(_list_key(source), 0, most - 1)) or []
    return recall_many([name.decode() if isinstance(name, bytes) else name for name in names])


def recent_lists(source: str, most: int) -> dict[str, JSONDict]:
    """Those of the newest answers that are lists of items by the source alone: not empty, no actions, no interleaving."""
    return {
        name: answer for name, answer in recent(source, most).items() if answer.get("items") and "teams" not in answer
    }


def _write(batch: list[tuple[str, JSONDict]]) -> Sequence[tuple[str, JSONDict]]:
    """Write a batch to the broker, or give it up."""
    _try(partial(_send, batch))
    for name, _ in batch:
        _unwritten.pop(name, None)
    return ()


_unwritten: dict[str, JSONDict] = {}  # answers that wait or are being written, by id
_writer = BackgroundWriter("recorder", _write, room=MOST_WAITING, gather_s=TOGETHER_S)


def _send(batch: list[tuple[str, JSONDict]]) -> None:
    pipeline = _client().pipeline(transaction=False)
    for name, answer in batch:
        pipeline.set(_key(name), _packed(answer), ex=KEEP_S)
    by_source: dict[str, list[str]] = {}
    for name, answer in batch:
        by_source.setdefault(answer["source"], []).append(name)
    for source, names in by_source.items():
        pipeline.lpush(_list_key(source), *names)
        pipeline.ltrim(_list_key(source), 0, MOST_RECENT - 1)
        pipeline.expire(_list_key(source), KEEP_S)
    pipeline.execute()


def _packed(answer: JSONDict) -> bytes:
    """An answer in a third of its JSON's bytes: millions of them wait in the broker's memory for their clicks."""
    packer = zlib.compressobj(wbits=WINDOW_BITS, memLevel=MEMORY_LEVEL, zdict=USUAL)
    return PACKED + packer.compress(json.dumps(answer, separators=(",", ":")).encode()) + packer.flush()


def _unpacked(kept: bytes) -> JSONDict:
    """The answer of what `_packed` gave, or of JSON, as earlier releases kept it."""
    if kept.startswith(PACKED):
        kept = zlib.decompressobj(wbits=WINDOW_BITS, zdict=USUAL).decompress(kept[len(PACKED) :])
    answer: JSONDict = json.loads(kept)
    return answer


def _list_key(source: str) -> str:
    return f"recommendations-of:{source}"


def _key(recommendation_id: str) -> str:
    return f"recommendation:{recommendation_id}"


def _try(call: Any) -> Any:
    global _away_until  # noqa: PLW0603  one circuit breaker a process
    if time.monotonic() < _away_until:
        return None
    try:
        return call()
    except redis.RedisError as error:
        _away_until = time.monotonic() + AWAY_S
        logger.warning("Recommendations are not recorded for %d s, the broker does not answer: %s", AWAY_S, error)
        return None


@cache
def _client() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S)


def _recorded(target: ServingTarget, request: RecommendationRequest, found: RecommendationResult) -> dict[str, Any]:
    """What is kept of a list, for events that name it and for what is estimated of it later."""
    listed = found.by_column
    ids = list(listed.item_ids)
    kept: dict[str, Any] = {"source": target.arn, "group": target.group_id, "time": int(time.time())}
    if found.loaded.recipe.type is RecipeType.PERSONALIZED_ACTIONS:
        kept["actions"] = ids
    else:
        user = None if request.is_trial else request.user_id
        kept |= {
            "user": pseudonym(target.group_id, user) if user else None,
            "items": ids,
            "propensities": list(map(round, listed.propensities, repeat(6))),
            "scores": list(listed.scores) if target.has_scores else [],
            "explored": list(compress(ids, listed.explored)),
            "beyondRelevance": list(compress(ids, map(not_, listed.are_by_relevance))),
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
