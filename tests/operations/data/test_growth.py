"""What an event costs the database does not grow with the events that are there already, whoever sent them."""

from __future__ import annotations

import pytest

from console.models import DatasetGroup, Event
from console.operations.data.event_rows import new_event
from tests.factories import put_events

FEW, MANY = 20, 4_000

BEFORE = {
    "of others in the session": lambda n: {"user_id": f"u{n}", "session_id": "s"},
    "of the user in the session": lambda n: {"user_id": "bob", "session_id": "s"},
    "of the user elsewhere": lambda n: {"user_id": "bob", "session_id": f"s{n}"},
    "of nobody in the session, with others": lambda n: {
        "user_id": "s" if n % 2 else f"u{n}", "session_id": "s", "is_anonymous": bool(n % 2)
    },
    "of others elsewhere": lambda n: {"user_id": f"u{n}", "session_id": f"s{n}"},
}  # fmt: skip


@pytest.mark.parametrize("kind", BEFORE)
@pytest.mark.parametrize("sender", ["bob", None])
def test_an_event_costs_as_much_among_many_as_among_few(account, tracking_id, instructions, kind, sender):
    group = DatasetGroup.objects.get()

    def fill(start, end):
        Event.objects.bulk_create(
            new_event(group, event_id=f"e{n}", item_id="7", event_type="click", timestamp=n, **BEFORE[kind](n))
            for n in range(start, end)
        )

    def cost():
        put_events(account, tracking_id, user_id=sender, session_id="s")  # what is remembered of the tracker is read
        return instructions(lambda: put_events(account, tracking_id, user_id=sender, session_id="s"))

    fill(0, FEW)
    few = cost()
    fill(FEW, MANY)
    many = cost()
    assert few > 0
    assert many <= 2 * few
