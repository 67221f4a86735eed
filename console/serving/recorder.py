"""What was recommended, kept for as long as events may refer to it; serving goes on without it when the broker is away."""

from __future__ import annotations

import json
import logging
import time
from functools import cache
from typing import Any

import redis
from django.conf import settings

logger = logging.getLogger(__name__)

KEEP_S = 3 * 86_400
TIMEOUT_S = 0.25
AWAY_S = 10.0  # after a failure the broker is left alone this long
JSONDict = dict[str, Any]
_away_until = 0.0


def record(recommendation_id: str, answer: JSONDict) -> None:
    """Keep an answer: source ARN, items, propensities, time."""
    _try(lambda: _client().set(_key(recommendation_id), json.dumps(answer), ex=KEEP_S))


def recall(recommendation_id: str) -> JSONDict | None:
    """An answer that was given; None when it is too old, unknown, or the broker is away."""
    text = _try(lambda: _client().get(_key(recommendation_id)))
    return json.loads(text) if text else None


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
