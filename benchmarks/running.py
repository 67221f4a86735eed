"""Runs one system on one split in processes of its own, and finds again what an earlier invocation has measured.

A result is keyed by the system's definition, the split and the code that is measured (all of recipes/ for ours, the
adapter for a peer), so that a table can be made of several invocations and never of figures of other code.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.datasets import ROOT
from benchmarks.environments import python_for
from benchmarks.judge import judge, judge_as_worded
from benchmarks.protocols import Split
from benchmarks.systems import System

PEERS = Path(__file__).parent / "peers"
LIMIT_S = 7200  # of wall time: peers limit themselves by processor seconds
Result = dict[str, Any]


@dataclass(frozen=True)
class Process:
    """What one process took."""

    seconds: float
    cpu_seconds: float
    peak_mib: float


def measured(system: System, split: Split) -> Result | None:
    """The result of an earlier invocation, None if there is none of this code."""
    path = folder_of(system, split) / "result.json"
    return json.loads(path.read_text()) if path.exists() else None


def measure(system: System, split: Split) -> Result:
    """Train, recommend and judge in fresh processes; the result is kept.

    Raises:
        RuntimeError: a process failed.
    """
    out = folder_of(system, split)
    out.mkdir(parents=True, exist_ok=True)
    result: Result = split.label | {
        "system": system.name,
        "ours": system.is_ours,
        "measured": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "threads": _threads(system),
    }
    before = os.getloadavg()[0]
    result |= (_ours if system.is_ours else _theirs)(system, split, out)
    result["load"] = round(max(before, os.getloadavg()[0]), 1)
    truth = json.loads((split.folder / "truth.json").read_text())
    result |= judge(out / "lists.jsonl", truth, split.num_items)
    result["as_worded"] = judge_as_worded(out / "lists-seen.jsonl", truth, split.catalogue_size)
    result["users_per_s"] = result["queries"] / result["recommend_s"]
    path = out / "result.json"
    path.with_suffix(".part").write_text(json.dumps(result))
    path.with_suffix(".part").replace(path)
    return result


def folder_of(system: System, split: Split) -> Path:
    """Where the lists, logs and the result of this definition, split and code lie."""
    code = _recipes_hash() if system.is_ours else _hash((PEERS / system.adapter).read_bytes())
    key = _hash(json.dumps([asdict(system), split.fingerprint, code]).encode())
    name = re.sub(r"[^A-Za-z0-9=.]+", "-", system.name).strip("-")
    return split.folder / "runs" / name / key[:12]


@cache
def _recipes_hash() -> str:
    sources = sorted((ROOT / "recipes").rglob("*.py"))
    return _hash(b"".join(path.read_bytes() for path in sources if "test" not in path.name))


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _threads(system: System) -> int:
    """Peers run on one thread, which costs them the fewest processor seconds; ours as the machine allows."""
    return int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1) if system.is_ours else 1


def _ours(system: System, split: Split, out: Path) -> Result:
    model, histories = str(out / "model"), str(split.folder / "histories.csv")
    recipes = [sys.executable, "-m", "recipes"]
    train = [*recipes, "train", str(split.folder / "train.csv"), "--recipe", system.recipe, *system.arguments]
    for name in ("items", "users") if system.with_metadata else ():
        if (split.folder / f"{name}.csv").exists():
            train += [f"--{name}", str(split.folder / f"{name}.csv")]
    trained = timed([*train, "--holdout", "none", "--out", model], out / "train.log")
    recommend = [*recipes, "recommend", model, "--histories", histories, "--k", "25"]
    asked = timed([*recommend, "--exclude-seen"], out / "lists.jsonl")
    timed(recommend, out / "lists-seen.jsonl")
    timed([sys.executable, "-m", "benchmarks.ours", model, histories], out / "speed.log")
    shutil.rmtree(model)
    return json.loads(_last_line(out / "speed.log")) | {
        "train_s": trained.seconds,
        "train_cpu_s": trained.cpu_seconds,
        "peak_mib": max(trained.peak_mib, asked.peak_mib),
        "told": {},
    }


def _theirs(system: System, split: Split, out: Path) -> Result:
    command = [str(python_for(system.adapter)), str(PEERS / system.adapter), system.model, str(split.folder), str(out)]
    alone = timed(command, out / "run.log", OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    told: Result = json.loads(_last_line(out / "run.log"))
    return told | {"peak_mib": alone.peak_mib}


def _last_line(path: Path) -> str:
    return path.read_text().splitlines()[-1]


def timed(command: list[str], output: Path, **variables: str) -> Process:
    """What one process alone takes; its standard output goes to a file.

    Raises:
        RuntimeError: it failed; with the end of what it said.
    """
    errors = output.with_suffix(".err")
    began = time.monotonic()
    with output.open("wb") as out, errors.open("wb") as err:
        limited = ["timeout", str(LIMIT_S), *command]
        process = subprocess.Popen(limited, cwd=ROOT, stdout=out, stderr=err, env=os.environ | variables)
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.terminate()
            raise
    process.returncode = os.waitstatus_to_exitcode(status)  # else Popen thinks that it still runs
    if status:
        raise RuntimeError(f"{' '.join(command[1:5])} failed: {errors.read_text()[-600:]}")
    return Process(time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
