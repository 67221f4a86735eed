"""Two ways to hold data back, written as files that every system reads the same way.

`next`: each user's last event is the truth, the rest is trained on. `amazon`: a tenth of the users (at most) is not trained
on at all; of each, the newest tenth of the events is the truth and the rest the history that is handed in.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

PROTOCOLS = ("next", "amazon")
MAX_QUERIES = 6000
FILES = ("train.csv", "histories.csv", "items.csv", "users.csv", "truth.json")
TEXT = {"USER_ID": str, "ITEM_ID": str}


@dataclass(frozen=True)
class Split:
    """The files of one split: train.csv, histories.csv, truth.json and the metadata that there are."""

    data: str
    protocol: str
    folder: Path
    seed: int = 0

    @property
    def label(self) -> dict[str, str | int]:
        """What a result is filed under."""
        return {"data": self.data, "protocol": self.protocol, "seed": self.seed}

    @cached_property
    def fingerprint(self) -> str:
        """The content of all its files."""
        digest = hashlib.sha256()
        for path in filter(Path.exists, (self.folder / name for name in FILES)):
            digest.update(path.name.encode() + path.read_bytes())
        return digest.hexdigest()

    @cached_property
    def num_items(self) -> int:
        """Items that were trained on."""
        return len(self._trained)

    @cached_property
    def catalogue_size(self) -> int:
        """Items that are described or were trained on, as AWS's coverage counts."""
        items = self.folder / "items.csv"
        described = set(pd.read_csv(items, usecols=["ITEM_ID"], dtype=TEXT)["ITEM_ID"]) if items.exists() else set()
        return len(self._trained | described)

    @cached_property
    def has_repeats(self) -> bool:
        """Whether users take items again, so that leaving seen ones in is another question."""
        events = pd.read_csv(self.folder / "train.csv", usecols=list(TEXT), dtype=TEXT)
        return bool(events.duplicated().mean() > 0.01)

    @cached_property
    def _trained(self) -> set[str]:
        return set(pd.read_csv(self.folder / "train.csv", usecols=["ITEM_ID"], dtype=TEXT)["ITEM_ID"])


def prepare(data: str, source: Path, splits: Path, protocol: str, seed: int = 0) -> Split:
    """Write the files of a protocol below `splits`, unless they are there; another seed draws other users."""
    folder = splits / data / (protocol if seed == 0 else f"{protocol}-{seed}")
    if not (folder / "truth.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        events = pd.read_csv(source / "interactions.csv", dtype=TEXT)
        events = events.sort_values(["USER_ID", "TIMESTAMP"], kind="stable")
        train, histories, truth = _next(events, seed) if protocol == "next" else _amazon(events, seed)
        train.to_csv(folder / "train.csv", index=False)
        histories.to_csv(folder / "histories.csv", index=False)
        for name in ("items.csv", "users.csv"):
            if (source / name).exists():
                shutil.copy(source / name, folder / name)
        (folder / "truth.json").write_text(json.dumps(truth))
    return Split(data, protocol, folder, seed)


def _next(events: pd.DataFrame, seed: int) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, list[str]]]:
    size = events.groupby("USER_ID")["ITEM_ID"].transform("size")
    position = events.groupby("USER_ID").cumcount()
    is_last = (position == size - 1) & (size >= 2)
    last, rest = events[is_last], events[~is_last]
    chosen = _drawn(last["USER_ID"], seed)[:MAX_QUERIES]
    histories = rest[rest["USER_ID"].isin(set(chosen))]
    truth = last.set_index("USER_ID")["ITEM_ID"].loc[chosen]
    return rest, histories, {user: [item] for user, item in truth.items()}


def _amazon(events: pd.DataFrame, seed: int) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, list[str]]]:
    size = events.groupby("USER_ID")["ITEM_ID"].transform("size")
    users = _drawn(events.loc[size >= 2, "USER_ID"].unique(), seed)
    held = set(users[: max(1, len(users) // 10)][:MAX_QUERIES])
    mine = events["USER_ID"].isin(held)
    position = events.groupby("USER_ID").cumcount()
    newest = position >= (size - (size * 0.1).round().clip(lower=1))
    truth = events[mine & newest].groupby("USER_ID")["ITEM_ID"].agg(list)
    return events[~mine], events[mine & ~newest], truth.to_dict()


def _drawn(users: pd.Series, seed: int) -> list[str]:
    """All of them in an order that only their names and the seed decide."""
    salt = f"benchmark {seed} " if seed else "benchmark "
    return sorted(users, key=lambda user: hashlib.sha256(f"{salt}{user}".encode()).hexdigest())
