"""Work in a process of its own, beside this one: it reports, can be ended at any time, and ends when the one that began it does."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from tempfile import mkdtemp
from threading import Thread
from time import sleep
from typing import Generic, Self, TypeAlias, TypeVar

from recipes.base import RecipeError
from recipes.run import Progress

T = TypeVar("T")
Watch: TypeAlias = Callable[[Progress], None]

WORK, REPORTS, RESULT, ERRORS = "work", "reports", "result", "errors"  # files of a folder that both processes know
ORPHAN_S = 1.0  # seconds between two looks at whether the one that began it is there


class Beside(Generic[T]):
    """Work that another process does; a context that ends it."""

    def __init__(self, work: Callable[[Watch], T], threads: int = 1) -> None:
        """Begin `work`, which must be picklable, as its result must; it may count on so many threads."""
        self._folder = Path(mkdtemp(prefix="recipes-"))
        try:
            self._process = self._begun(work, threads)
        except BaseException:  # a full disk, say
            shutil.rmtree(self._folder, ignore_errors=True)
            raise
        self._reports, self._rest = (self._folder / REPORTS).open(), ""

    def _begun(self, work: Callable[[Watch], T], threads: int) -> subprocess.Popen[bytes]:
        (self._folder / REPORTS).touch()
        with (self._folder / WORK).open("wb") as file:
            pickle.dump(work, file, protocol=5)
        paths = os.pathsep.join(path or str(Path.cwd()) for path in sys.path)
        with (self._folder / ERRORS).open("wb") as errors:
            return subprocess.Popen(  # noqa: S603  what it runs is ours
                [sys.executable, "-m", "recipes.subprocess_task", str(self._folder), str(os.getpid())],
                env=os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": str(threads)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                process_group=0,
            )

    def __enter__(self) -> Self:
        """This."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it, done or not."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._reports.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def has_ended(self, watch: Watch) -> bool:
        """Pass on what it has reported since, and say whether it has ended."""
        ended = self._process.poll() is not None
        *lines, self._rest = (self._rest + self._reports.read()).split("\n")  # what has no end yet is being written
        for line in lines:
            watch(Progress(**json.loads(line)))
        return ended

    def result(self) -> T:
        """What came of it.

        Raises:
            RecipeError: the work raised it.
            RuntimeError: the process ended without a result.
        """
        path = self._folder / RESULT
        if not path.exists():
            said = (self._folder / ERRORS).read_text(errors="replace").strip()
            raise RuntimeError(f"A process of the fit ended with {self._process.returncode}: {said[-600:]}")
        with path.open("rb") as file:
            found = pickle.load(file)  # noqa: S301  written by our own process into a folder of ours
        if isinstance(found, RecipeError):
            raise found
        result: T = found
        return result


def _main(folder: Path, parent: int) -> None:
    """Do the work of a folder."""
    Thread(target=_end_without, args=(folder, parent), name="orphan", daemon=True).start()
    with (folder / WORK).open("rb") as file:
        work = pickle.load(file)  # noqa: S301  written by the process that began this one into a folder of its own
    (folder / WORK).unlink()
    reports = os.open(folder / REPORTS, os.O_WRONLY | os.O_APPEND)
    try:
        found = work(lambda progress: _report(reports, progress))
    except RecipeError as error:
        found = error
    part = folder / f"{RESULT}.part"
    with part.open("wb") as file:
        pickle.dump(found, file, protocol=5)
    part.rename(folder / RESULT)


def _report(reports: int, progress: Progress) -> None:
    os.write(reports, f"{json.dumps(asdict(progress))}\n".encode())


def _end_without(folder: Path, parent: int) -> None:
    """End this process, whatever it does, when the one that began it is gone."""
    while os.getppid() == parent:
        sleep(ORPHAN_S)
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)


if __name__ == "__main__":
    _main(Path(sys.argv[1]), int(sys.argv[2]))
