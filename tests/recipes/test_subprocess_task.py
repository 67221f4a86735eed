"""Work in a process of its own: its result, what it tells, how it fails, and what is left of it."""

from __future__ import annotations

import tempfile
from functools import partial
from pickle import PicklingError
from time import sleep

import pytest

from recipes.base import RecipeError
from recipes.run import Progress
from recipes.subprocess_task import Beside


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Where the processes' folders are made; nothing is left there in the end."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    yield tmp_path
    assert list(tmp_path.iterdir()) == []


def doubled(number, watch):
    watch(Progress("counting", 0.5, 1, {"loss": 2.5}, "half – done"))
    return 2 * number


def refused(watch):
    raise RecipeError("There is too little of it.")


def broken(watch):
    raise OSError("no such thing")


def ended(process):
    told = []
    while not process.has_ended(told.append):
        sleep(0.05)
    return told


def test_it_works():
    with Beside(partial(doubled, 21)) as process:
        assert ended(process) == [Progress("counting", 0.5, 1, {"loss": 2.5}, "half – done")]
        assert process.result() == 42


def test_what_the_data_do_not_allow_is_said_here():
    with Beside(refused) as process:
        ended(process)
        with pytest.raises(RecipeError, match="too little of it"):
            process.result()


def test_what_broke_is_told_with_its_end():
    with Beside(broken) as process:
        ended(process)
        with pytest.raises(RuntimeError, match=r"(?s)ended with 1.*no such thing"):
            process.result()


def test_work_that_cannot_be_begun_leaves_nothing():
    with pytest.raises((AttributeError, PicklingError), match="lambda"):
        Beside(lambda watch: 1)
