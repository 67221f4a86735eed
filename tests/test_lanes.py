"""Which threads work at once: those that wait hold nobody up, and those that compute do not take the interpreter from each other."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

from console.front.kinds import Kind
from console.front.lanes import THREADS, Lane

PATIENCE_S = 30


def run_in(lane_of: Kind, pieces: list[Callable[[], None]]) -> None:
    """Run pieces of work in a lane, all submitted at once, until each has ended."""

    async def submit_all() -> None:
        loop = asyncio.get_running_loop()
        lane, left, done = Lane(lane_of, loop), len(pieces), asyncio.Event()

        def ended() -> None:
            nonlocal left
            lane.finished()
            left -= 1
            if not left:
                done.set()

        def reporting(piece: Callable[[], None]) -> Callable[[], None]:
            def run() -> None:
                try:
                    piece()
                finally:
                    loop.call_soon_threadsafe(ended)

            return run

        for piece in pieces:
            assert lane.submit(reporting(piece))
        await asyncio.wait_for(done.wait(), PATIENCE_S)

    asyncio.run(submit_all())


def test_recommendations_that_compute_run_one_after_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing takes the interpreter from a recommendation that computes."""
    monkeypatch.setattr("console.front.lanes.ALONE_S", {Kind.SERVING: PATIENCE_S})
    running, most = set(), 0

    def piece() -> None:
        nonlocal most
        running.add(threading.get_ident())
        most = max(most, len(running))
        sum(range(1000))
        running.discard(threading.get_ident())

    run_in(Kind.SERVING, [piece] * 200)
    assert most == 1


@pytest.mark.parametrize("kind", list(Kind))
def test_work_that_waits_holds_no_other_up(kind: Kind) -> None:
    """As many pieces as there are threads, each of which ends only when all have begun."""
    together = threading.Barrier(THREADS[kind])
    run_in(kind, [lambda: together.wait(PATIENCE_S) and None] * THREADS[kind])


@pytest.mark.parametrize("kind", list(Kind))
def test_everything_is_done_behind_work_that_waits(kind: Kind) -> None:
    """One piece waits for all the others, which came after it."""
    others = 300 if kind is Kind.SERVING else 60
    all_done, done = threading.Event(), []

    def other() -> None:
        done.append(threading.get_ident())
        if len(done) == others:
            all_done.set()

    run_in(kind, [lambda: all_done.wait(PATIENCE_S) and None, *[other] * others])
    assert all_done.is_set()


def test_a_full_lane_refuses() -> None:
    """What may wait is bounded."""

    async def fill() -> None:
        lane, hold = Lane(Kind.UPLOADS, asyncio.get_running_loop()), threading.Event()
        taken = 0
        while lane.submit(lambda: hold.wait(PATIENCE_S) and None):
            taken += 1
        assert taken == lane.unfinished
        lane.finished()
        assert lane.submit(hold.set)
        hold.set()

    asyncio.run(fill())
