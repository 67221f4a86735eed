"""The data sets that are measured on, where they are present: nothing of them is part of the repository.

MovieLens 100K is downloaded as the sample is; further sets are folders with interactions.csv[.gz] (items.csv, users.csv)
below BENCH_DATA, by default ../shared/data.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
CACHE = Path(os.environ.get("DATA_DIR", ROOT / "var")) / "benchmarks"
EXTRA = Path(os.environ.get("BENCH_DATA", ROOT.parent / "shared" / "data"))
NAMES = (
    "movielens-100k",
    *sorted(path.parent.name for path in EXTRA.glob("*/interactions.csv*")),
    "synthetic-1m",
)
SYNTHETIC_USERS, SYNTHETIC_ITEMS, SYNTHETIC_EVENTS = 6040, 3416, 1_000_000


def present(names: Sequence[str]) -> Iterator[tuple[str, Path]]:
    """The data sets of these names, all by default, with their folders; it is said which are not here."""
    for name in names or NAMES:
        found = folder(name)
        if found is None:
            print(f"{name} is not here: left out", file=sys.stderr)
        else:
            yield name, found


def folder(name: str) -> Path | None:
    """The folder with a data set's plain CSV files, made when first asked for; None if it is not here."""
    made = {"movielens-100k": _movielens, "synthetic-1m": _synthetic}.get(name)
    if made:
        return made()
    source = EXTRA / name
    return _unpacked(source) if any(source.glob("interactions.csv*")) else None


def _movielens() -> Path:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
    import django

    django.setup()
    from console.samples.movielens import datasets

    target = CACHE / "movielens-100k"
    if not (target / "users.csv").exists():
        target.mkdir(parents=True, exist_ok=True)
        for dataset in datasets(CACHE.parent / "cache", print):
            dataset.rows.to_pandas().to_csv(target / f"{dataset.type.lower()}.csv", index=False)
    return target


def _unpacked(folder: Path) -> Path:
    target = CACHE / folder.name
    for path in folder.glob("*.csv*"):
        plain = target / f"{path.name.partition('.')[0]}.csv"
        if not plain.exists():
            target.mkdir(parents=True, exist_ok=True)
            pd.read_csv(path, dtype=str).to_csv(plain, index=False)
    return target


def _synthetic() -> Path:
    """A million events of MovieLens 1M's size for speed and memory: drifting interests in a clustered catalogue."""
    target = CACHE / "synthetic-1m" / "interactions.csv"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        _drifting_interests(np.random.default_rng(5)).to_csv(target, index=False)
    return target.parent


def _drifting_interests(rng: np.random.Generator) -> pd.DataFrame:
    popularity = rng.zipf(1.3, SYNTHETIC_ITEMS).clip(max=5000).astype(float)
    cluster = rng.integers(60, size=SYNTHETIC_ITEMS)
    members = [np.flatnonzero(cluster == c) for c in range(60)]
    chances = [popularity[m] / popularity[m].sum() for m in members]
    lengths = rng.lognormal(4.6, 0.9, SYNTHETIC_USERS)
    lengths = np.maximum(20, lengths * SYNTHETIC_EVENTS / lengths.sum()).astype(int)
    rows = []
    for user, length in enumerate(lengths):
        interest = int(rng.integers(60))
        steps = []
        for jump in rng.random(length):
            interest = int(rng.integers(60)) if jump < 0.05 else (interest + int(jump < 0.25)) % 60
            steps.append(interest)
        items = [int(rng.choice(members[c], p=chances[c])) for c in steps]
        start = int(rng.integers(900_000_000, 1_000_000_000))
        rows.append(pd.DataFrame({"USER_ID": user, "ITEM_ID": items, "TIMESTAMP": start + 60 * np.arange(length)}))
    return pd.concat(rows).drop_duplicates(["USER_ID", "ITEM_ID"])
