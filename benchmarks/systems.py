"""What is measured: our recipes through the command line, and the peers through small adapters in their own environment.

Every system gets the same files and writes the same JSON Lines; each runs alone, in a process of its own, so that its
seconds and its peak memory are its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import venv
from dataclasses import dataclass
from pathlib import Path

from benchmarks.datasets import CACHE, ROOT

PEERS = Path(__file__).parent / "peers"
PEER_PACKAGES = ["rectools[torch]>=0.19,<0.20"]  # brings implicit as pm-implicit
LIMIT_S = 1800


@dataclass(frozen=True)
class System:
    """A recommender to measure: `ours` is a recipe with settings, else `adapter` names a file below peers/ and a model."""

    name: str
    recipe: str = ""
    arguments: tuple[str, ...] = ()
    adapter: str = ""
    model: str = ""


OURS = (
    System("popularity (ours)", "aws-popularity-count"),
    System("sims (ours)", "aws-sims"),
    System("user-personalization (ours), 60 s", "aws-user-personalization", ("--max-seconds", "60")),
    System("user-personalization (ours)", "aws-user-personalization"),
)
THEIRS = (
    System("implicit ItemKNN cosine K=100", adapter="implicit_models.py", model="cosine"),
    System("implicit ItemKNN BM25 K=100", adapter="implicit_models.py", model="bm25"),
    System("implicit ALS f=128", adapter="implicit_models.py", model="als"),
    System("implicit BPR f=128", adapter="implicit_models.py", model="bpr"),
    System("EASE", adapter="ease.py", model="all"),
    System("EASE, last 20 events", adapter="ease.py", model="last20"),
    System("RecTools SASRec", adapter="rectools_models.py", model="sasrec"),
    System("RecTools BERT4Rec", adapter="rectools_models.py", model="bert4rec"),
)


@dataclass(frozen=True)
class Measured:
    """What one system did on one folder."""

    train_s: float
    recommend_s: float
    peak_mib: float
    lists: Path


def measure(system: System, folder: Path) -> Measured:
    """Train and recommend in fresh processes."""
    out = folder / "runs" / system.name.replace(" ", "_").replace("/", "_")
    out.mkdir(parents=True, exist_ok=True)
    return _ours(system, folder, out) if system.recipe else _theirs(system, folder, out)


def _ours(system: System, folder: Path, out: Path) -> Measured:
    model = out / "model"
    train = [sys.executable, "-m", "recipes", "train", str(folder / "train.csv"), "--recipe", system.recipe]
    for name in ("items", "users"):
        if (folder / f"{name}.csv").exists():
            train += [f"--{name}", str(folder / f"{name}.csv")]
    train_s, train_mib = _timed(
        [*train, *system.arguments, "--holdout", "none", "--out", str(model)], out / "train.log"
    )
    recommend = [sys.executable, "-m", "recipes", "recommend", str(model), "--histories", str(folder / "histories.csv")]
    lists = out / "lists.jsonl"
    recommend_s, mib = _timed([*recommend, "--exclude-seen", "--k", "25"], lists)
    return Measured(train_s, recommend_s, max(train_mib, mib), lists)


def _theirs(system: System, folder: Path, out: Path) -> Measured:
    lists = out / "lists.jsonl"
    command = [str(_peer_python()), str(PEERS / system.adapter), system.model, str(folder), str(lists)]
    log = out / "run.log"
    _, mib = _timed(command, log)
    train_s, recommend_s = map(float, log.read_text().splitlines()[-1].split())
    return Measured(train_s, recommend_s, mib, lists)


def _timed(command: list[str], output: Path) -> tuple[float, float]:
    """Seconds and peak MiB of one process alone; its standard output goes to a file."""
    started = time.monotonic()
    errors = output.with_suffix(".err")
    with output.open("wb") as out, errors.open("wb") as err:
        process = subprocess.Popen(
            ["timeout", str(LIMIT_S), *command], cwd=ROOT, stdout=out, stderr=err, env=os.environ
        )
        _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{command[:4]} failed: {errors.read_text()[-800:]}")
    return time.monotonic() - started, usage.ru_maxrss / 1024


def _peer_python() -> Path:
    folder = CACHE / "peers-venv"
    python = folder / "bin" / "python"
    if not (folder / "installed").exists():
        print("installing the peers in an environment of their own", file=sys.stderr)
        venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "torch>=2.6,<2.14"], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *PEER_PACKAGES], check=True)
        (folder / "installed").touch()
    return python
