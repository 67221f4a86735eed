"""What is written in the background: everything, in order, by one thread, in bounded space; a write that fails loses no other."""

from __future__ import annotations

import threading

import pytest

from console import background
from console.background import BackgroundWriter


class Sink:
    """Where items are written: keeps the batches, and signals that some number of items has come."""

    def __init__(self, wanted: int) -> None:
        self.batches: list[list[int]] = []
        self.threads: set[str] = set()
        self.done = threading.Event()
        self._wanted = wanted

    def __call__(self, items: list[int]) -> list[int]:
        self.batches.append(items)
        self.threads.add(threading.current_thread().name)
        if sum(map(len, self.batches)) >= self._wanted:
            self.done.set()
        return []


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    monkeypatch.setattr(background, "RETRY_S", 0.01)


def test_it_works():
    sink = Sink(wanted=100)
    writer = BackgroundWriter("sink", sink, room=1000, batch=30)
    assert all(writer.put(number) for number in range(100))
    assert sink.done.wait(60)
    assert [number for batch in sink.batches for number in batch] == list(range(100))
    assert max(map(len, sink.batches)) <= 30
    assert sink.threads == {"sink"}


def test_a_full_queue_refuses_at_once():
    writer = BackgroundWriter("slow", Sink(wanted=1), room=2, gather_s=600)
    assert [writer.put(number) for number in range(3)] == [True, True, False]
    assert writer.num_waiting == 2


def test_flush_writes_in_the_callers_thread():
    sink = Sink(wanted=2)
    writer = BackgroundWriter("slow", sink, room=10, gather_s=600)
    writer.put(1)
    writer.put(2)
    assert writer.flush()
    assert (sink.batches, sink.threads) == ([[1, 2]], {threading.current_thread().name})


def test_what_cannot_be_written_is_tried_again_before_what_came_later():
    done, written, refused = threading.Event(), [], [3, 1]

    def write(items: list[int]) -> list[int]:
        for place, item in enumerate(items):
            if item in refused:
                refused.remove(item)
                return items[place:]
            written.append(item)
        if len(written) == 4:
            done.set()
        return []

    writer = BackgroundWriter("refusing", write, room=10)
    for number in range(4):
        writer.put(number)
    assert done.wait(60)
    assert written == [0, 1, 2, 3]


def test_a_mistake_in_a_write_gives_up_its_batch_and_no_other(caplog):
    sink = Sink(wanted=1)

    def write(items: list[int]) -> list[int]:
        return sink([10 // items[0]])

    writer = BackgroundWriter("failing", write, room=10, batch=1)
    writer.put(0)
    writer.put(5)
    assert sink.done.wait(60)
    assert sink.batches == [[2]]
    assert "1 items of failing are not written" in caplog.text


def test_a_process_that_ends_writes_what_waits():
    sink = Sink(wanted=1)
    writer = BackgroundWriter("ending", sink, room=10, gather_s=600)
    writer.put(1)
    background.flush_all()
    assert sink.batches == [[1]]
