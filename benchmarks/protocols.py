"""Two ways to hold data back, written as files that every system reads the same way.

`next`: each user's last event is the truth, the rest is trained on. `amazon`: a tenth of the users (at most) is not trained
on at all; of each, the newest tenth of the events is the truth and the rest the history that is handed in.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pandas as pd

MAX_QUERIES = 6000


def prepare(source: Path, target: Path, protocol: str) -> Path:
    """Write train.csv, histories.csv, truth.json (and metadata) for a protocol; returns the folder."""
    if not (target / "truth.json").exists():
        target.mkdir(parents=True, exist_ok=True)
        events = pd.read_csv(source / "interactions.csv", dtype={"USER_ID": str, "ITEM_ID": str})
        events = events.sort_values(["USER_ID", "TIMESTAMP"], kind="stable")
        train, histories, truth = _next(events) if protocol == "next" else _amazon(events)
        train.to_csv(target / "train.csv", index=False)
        histories.to_csv(target / "histories.csv", index=False)
        for name in ("items.csv", "users.csv"):
            if (source / name).exists():
                shutil.copy(source / name, target / name)
        (target / "truth.json").write_text(json.dumps(truth))
    return target


def _next(events: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, list[str]]]:
    size = events.groupby("USER_ID")["ITEM_ID"].transform("size")
    position = events.groupby("USER_ID").cumcount()
    is_last = (position == size - 1) & (size >= 2)
    last, rest = events[is_last], events[~is_last]
    chosen = sorted(last["USER_ID"], key=_hash)[:MAX_QUERIES]
    histories = rest[rest["USER_ID"].isin(set(chosen))]
    truth = last.set_index("USER_ID")["ITEM_ID"].loc[chosen]
    return rest, histories, {user: [item] for user, item in truth.items()}


def _amazon(events: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, list[str]]]:
    size = events.groupby("USER_ID")["ITEM_ID"].transform("size")
    users = sorted(events.loc[size >= 2, "USER_ID"].unique(), key=_hash)
    held = set(users[: max(1, len(users) // 10)][:MAX_QUERIES])
    mine = events["USER_ID"].isin(held)
    position = events.groupby("USER_ID").cumcount()
    newest = position >= (size - (size * 0.1).round().clip(lower=1))
    truth = events[mine & newest].groupby("USER_ID")["ITEM_ID"].agg(list)
    return events[~mine], events[mine & ~newest], truth.to_dict()


def _hash(user: str) -> str:
    return hashlib.sha256(f"benchmark {user}".encode()).hexdigest()
