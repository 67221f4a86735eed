"""How long an UPDATE takes end to end: from CreateSolutionVersion over the API until the version is ACTIVE.

python -m benchmarks.updates [--data movielens-100k] [--mode fast] [--updates 5]

Before each UPDATE a new item and the events of ten users are put. One JSON line an UPDATE: seconds,
processor seconds of the server and its workers, and the load of the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from benchmarks import datasets
from benchmarks.api import CATEGORY, TEXT, Client, Table, served

RECIPE = "arn:aws:personalize:::recipe/aws-user-personalization"
LONGS = ("TIMESTAMP", "CREATION_TIMESTAMP")
USERS, PAUSE_S = 10, 0.2


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="movielens-100k")
    parser.add_argument("--mode", default="fast", help="of the FULL training: with auto a network is part of the model")
    parser.add_argument("--updates", type=int, default=5)
    asked = parser.parse_args()
    folder = datasets.folder(asked.data)
    if folder is None:
        raise SystemExit(f"{asked.data} is not here.")
    with tempfile.TemporaryDirectory(prefix="openpersonalize-") as data_dir, served(Path(data_dir)) as client:
        for number, told in enumerate(measured(client, folder, asked.mode, asked.updates)):
            print(json.dumps({"data": asked.data, "mode": asked.mode, "update": number + 1} | told), flush=True)


def measured(client: Client, folder: Path, mode: str, updates: int) -> Iterator[dict[str, float]]:
    """What each UPDATE took after a FULL training on the files of a folder."""
    tables = {
        kind: table_of(path)
        for kind in ("Interactions", "Items", "Users")
        if (path := folder / f"{kind.lower()}.csv").exists()
    }
    group, found = client.group("updates", tables)
    tracker = client.personalize.create_event_tracker(name="updates", datasetGroupArn=group)["trackingId"]
    solution = client.personalize.create_solution(
        name="updates", datasetGroupArn=group, recipeArn=RECIPE,
        solutionConfig={"algorithmHyperParameters": {"mode": mode}},
    )["solutionArn"]  # fmt: skip
    client.version(solution, "FULL")
    users = [str(row["USER_ID"]) for row in tables["Interactions"].rows[:: len(tables["Interactions"].rows) // USERS]]
    like = {name: value for name, value in tables["Items"].rows[0].items() if name != "ITEM_ID"}
    for number in range(updates):
        item = {"itemId": f"new {number}", "properties": json.dumps(like)}
        client.events.put_items(datasetArn=found["Items"], items=[item])
        for user in users:
            event = {"eventType": "click", "itemId": item["itemId"], "sentAt": int(time.time())}
            client.events.put_events(trackingId=tracker, userId=user, sessionId=user, eventList=[event])
        began, used = time.monotonic(), client.processor_seconds()
        client.version(solution, "UPDATE", PAUSE_S)
        yield {
            "seconds": round(time.monotonic() - began, 2),
            "processor_seconds": round(client.processor_seconds() - used, 2),
            "load": round(os.getloadavg()[0], 1),
        }


def table_of(path: Path) -> Table:
    """A file's columns: ids and texts, times, other numbers, and categories where cells are few or hold several."""
    frame = pd.read_csv(path, dtype=dict.fromkeys(("USER_ID", "ITEM_ID"), str)).dropna()
    frame = frame.astype({name: "int64" for name in LONGS if name in frame})
    return Table({name: _type(name, column) for name, column in frame.items()}, frame.to_dict("records"))


def _type(name: object, column: pd.Series) -> str:
    if name in ("USER_ID", "ITEM_ID", "EVENT_TYPE"):
        return "string"
    if name == "TITLE":
        return TEXT
    if pd.api.types.is_numeric_dtype(column):
        return "long" if name in LONGS else "float"
    return CATEGORY


if __name__ == "__main__":
    main()
