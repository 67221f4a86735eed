"""Recorded lists whose last place is explored in every second one, and what users click of them."""

from __future__ import annotations

from console.serving import recorder
from tests.factories import put_events
from tests.worlds import NOW

LIKED, DISLIKED = "i72", "i73"  # of the eight films that are a day old


def served(arn, group_id, count, start=NOW):
    """Lists of three places whose last one is explored in every second list."""
    for number in range(count):
        new = [LIKED, DISLIKED][number // 2 % 2] if number % 2 else ""
        recorder.record(
            f"RID-{number}",
            {"source": arn, "group": group_id, "items": ["i1", "i2", new or "i3"], "propensities": [1.0, 1.0, 0.5],
             "explored": [new] if new else [], "beyondRelevance": [new] if new else [], "time": start + 60 * number},
        )  # fmt: skip


def clicked(account, tracking, rng, count):
    """Everybody clicks the liked film, nobody the other new one, and a fifth whatever else stands there."""
    for number in range(count):
        new = [LIKED, DISLIKED][number // 2 % 2] if number % 2 else "i3"
        chance = {LIKED: 0.9, DISLIKED: 0.0, "i3": 0.2}[new]
        if rng.random() < chance:
            put_events(account, tracking, user_id=f"u{number % 8}", itemId=new, recommendationId=f"RID-{number}")
