"""What campaigns and recommenders are asked: counted by the minute, and the newest requests one by one, over all web processes.

A request costs an entry in a queue; a thread adds them up and writes the sums to the broker once a second. When the broker is away nothing is
counted and serving goes on.
"""

from __future__ import annotations

import json
import logging
import math
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, wraps
from typing import Any

import redis
from django.conf import settings

from console.background import BackgroundWriter
from console.errors import ResourceNotFoundException, ServiceError
from console.models import Account
from console.serving.caches import take_hit

logger = logging.getLogger(__name__)

KEEP_S = 25 * 3600
LATEST = 100
EVERY_S = 1.0
MOST_WAITING = 100_000  # requests that are counted a second, in each process
TIMEOUT_S = 0.5
LEAST_MS, STEPS, BUCKETS = 0.05, 8, 160  # bounds of latency grow by a factor of 2 in 8 steps, up to 50 s
JSONDict = dict[str, Any]
Runtime = Callable[..., JSONDict]


@dataclass
class Seen:
    """What one process has seen of one source since it last wrote."""

    minutes: dict[int, Counter[str]] = field(default_factory=dict)
    latest: deque[JSONDict] = field(default_factory=lambda: deque(maxlen=LATEST))

    def add(self, request: JSONDict) -> None:
        """Count one more."""
        counts = {"requests": 1, f"b{bucket_of(request['milliseconds'])}": 1}
        counts |= {name: request[name] for name in ("results", "explored") if request[name]}
        counts |= {name: 1 for name, flag in (("errors", "error"), ("remembered", "isRemembered")) if request.get(flag)}
        self.minutes.setdefault(int(request["time"] // 60), Counter()).update(counts)
        self.latest.append(request)


class Meter:
    """Collects in memory, and writes in the background."""

    def __init__(self) -> None:
        """Nothing is seen yet."""
        self._writer = BackgroundWriter("traffic", _write, room=MOST_WAITING, gather_s=EVERY_S)

    def note(self, arn: str, request: JSONDict) -> None:
        """Count a request: {"time", "milliseconds", "results", "explored", "error", …}."""
        self._writer.put((arn, request))

    def flush(self) -> None:
        """Write what was seen since the last time."""
        self._writer.flush()


def _write(requests: list[tuple[str, JSONDict]]) -> Sequence[tuple[str, JSONDict]]:
    """Add to the broker's counts; what it does not take is not counted."""
    seen: dict[str, Seen] = {}
    for arn, request in requests:
        seen.setdefault(arn, Seen()).add(request)
    try:
        pipeline = _client().pipeline(transaction=False)
        for arn, one in seen.items():
            _put(pipeline, arn, one)
        pipeline.execute()
    except redis.RedisError as error:
        logger.warning("Requests are not counted, the broker does not answer: %s", error)
    return ()


METER = Meter()


def metered(function: Runtime) -> Runtime:
    """Count what a runtime operation answers or refuses. The member `explored` of its answer is for the count alone."""

    @wraps(function)
    def call(account: Account, **params: Any) -> JSONDict:
        arn = params.get("campaign_arn") or params.get("recommender_arn") or ""
        take_hit()  # one that was not counted, of a test in the console
        began, error = time.perf_counter(), "unexpected error"
        answer: JSONDict = {}
        try:
            answer, error = function(account, **params), ""
        except ResourceNotFoundException:
            arn = ""  # there is nothing to count it for
            raise
        except ServiceError as refused:
            error = str(refused)
            raise
        finally:
            if f":{account.number}:" in arn:
                METER.note(arn, _request(params, answer, error, time.perf_counter() - began))
        return answer

    return call


@dataclass(frozen=True)
class Minutes:
    """Counts of some minutes together."""

    counts: Counter[str]

    def percentile(self, share: float) -> float | None:
        """Milliseconds that this share of the requests took at most, to a twelfth; None without requests."""
        buckets = sorted((int(name[1:]), count) for name, count in self.counts.items() if name.startswith("b"))
        wanted, passed = share * sum(count for _, count in buckets), 0
        for bucket, count in buckets:
            passed += count
            if passed >= wanted:
                return float(LEAST_MS * 2 ** ((bucket + 0.5) / STEPS))
        return None

    def wire(self) -> JSONDict:
        """By wire names."""
        requests, results = self.counts["requests"], self.counts["results"]
        return {
            "requests": requests, "errors": self.counts["errors"],
            "p50": self.percentile(0.5), "p95": self.percentile(0.95), "p99": self.percentile(0.99),
            "exploredShare": self.counts["explored"] / results if results else None,
            "cacheHits": self.counts["remembered"],
        }  # fmt: skip


def by_minute(arn: str, minutes: int) -> list[tuple[int, Minutes]] | None:
    """(epoch minute, counts) of the newest minutes, oldest first; None if the broker is away."""
    found = by_minute_of([arn], minutes)
    return None if found is None else found[arn]


def by_minute_of(arns: Sequence[str], minutes: int) -> dict[str, list[tuple[int, Minutes]]] | None:
    """As `by_minute` for several sources, in one exchange with the broker."""
    now = int(time.time() // 60)
    wanted = range(now - minutes + 1, now + 1)
    keys = [_minute_key(arn, minute) for arn in dict.fromkeys(arns) for minute in wanted]
    try:
        pipeline = _client().pipeline(transaction=False)
        for key in keys:
            pipeline.hgetall(key)
        answers = iter(pipeline.execute() if keys else [])
    except redis.RedisError:
        return None
    return {arn: [(minute, Minutes(_counts(next(answers)))) for minute in wanted] for arn in dict.fromkeys(arns)}


def _counts(row: dict[bytes, bytes]) -> Counter[str]:
    return Counter({name.decode(): int(count) for name, count in row.items()})


def latest(arn: str) -> list[JSONDict]:
    """The newest requests, newest first."""
    try:
        lines = _client().lrange(_latest_key(arn), 0, LATEST - 1)
    except redis.RedisError:
        return []
    return [json.loads(line) for line in lines]


def forget(arns: list[str]) -> None:
    """Remove the newest requests of some sources, which name users; the counts stay."""
    if not arns:
        return
    try:
        _client().delete(*map(_latest_key, arns))
    except redis.RedisError as error:
        logger.warning("The newest requests were not removed, the broker does not answer: %s", error)


def bucket_of(milliseconds: float) -> int:
    """Where a latency is counted.

    >>> bucket_of(0.01), bucket_of(0.1), bucket_of(1e9)
    (0, 8, 159)
    """
    return min(BUCKETS - 1, max(0, int(math.log2(max(milliseconds, LEAST_MS) / LEAST_MS) * STEPS)))


def _request(params: JSONDict, answer: JSONDict, error: str, seconds: float) -> JSONDict:
    listed = answer.get("itemList") or answer.get("personalizedRanking") or answer.get("actionList") or ()
    return {
        "time": time.time(),
        "milliseconds": round(seconds * 1000, 3),
        "recommendationId": answer.get("recommendationId"),
        "userId": params.get("user_id"),
        "itemId": params.get("item_id"),
        "results": len(listed),
        "explored": answer.pop("explored", 0),
        "isRemembered": take_hit(),
        "error": error,
    }


def _put(pipeline: Any, arn: str, seen: Seen) -> None:
    for minute, counts in seen.minutes.items():
        key = _minute_key(arn, minute)
        for name, count in counts.items():
            pipeline.hincrby(key, name, count)
        pipeline.expire(key, KEEP_S)
    pipeline.lpush(_latest_key(arn), *map(json.dumps, seen.latest))
    pipeline.ltrim(_latest_key(arn), 0, LATEST - 1)
    pipeline.expire(_latest_key(arn), KEEP_S)


def _minute_key(arn: str, minute: int) -> str:
    return f"traffic:{arn}:{minute}"


def _latest_key(arn: str) -> str:
    return f"traffic:{arn}:latest"


@cache
def _client() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S)
