"""`python -m benchmarks [DATA SET …]`: one JSON line a result on standard output, a table at the end and in README.md."""

from __future__ import annotations

import argparse
import datetime
import json
import os
import sys
from pathlib import Path

import pandas as pd

from benchmarks import datasets, protocols, systems
from benchmarks.judge import judge

PROTOCOLS = ("next", "amazon")
COLUMNS = ("ndcg@10", "hit@10", "mrr@25", "precision@10", "coverage", "train_s", "users_per_s", "peak_mib")


def main() -> None:
    """Measure every system on every data set with both protocols."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="data sets; all that are present by default")
    parser.add_argument("--only", default="", help="measure only systems with this word in their name")
    parser.add_argument("--write", action="store_true", help="write the table into benchmarks/README.md")
    options = parser.parse_args()
    present = datasets.available()
    results = []
    for name in options.names or present:
        for protocol in PROTOCOLS:
            folder = protocols.prepare(present[name], datasets.CACHE / "splits" / name / protocol, protocol)
            results += [
                _measure(name, protocol, folder, s) for s in (*systems.OURS, *systems.THEIRS) if options.only in s.name
            ]
    table = _table([result for result in results if "ndcg@10" in result])
    print(table)
    if options.write:
        _write(table)


def _measure(name: str, protocol: str, folder: Path, system: systems.System) -> dict[str, object]:
    result: dict[str, object] = {"data": name, "protocol": protocol, "system": system.name}
    try:
        measured = systems.measure(system, folder)
    except Exception as error:
        result["error"] = str(error)
    else:
        num_items = pd.read_csv(folder / "train.csv", usecols=["ITEM_ID"], dtype=str)["ITEM_ID"].nunique()
        figures = judge(measured.lists, folder / "truth.json", num_items)
        users_per_s = figures["queries"] / measured.recommend_s
        result |= figures | {"train_s": measured.train_s, "users_per_s": users_per_s, "peak_mib": measured.peak_mib}
    print(json.dumps(result), flush=True)
    return result


def _table(results: list[dict[str, object]]) -> str:
    """Markdown: a block for each data set and protocol, best NDCG first, each with its ratio to the best peer."""
    blocks = []
    peers = {system.name for system in systems.THEIRS}
    for (name, protocol), rows in pd.DataFrame(results).groupby(["data", "protocol"], sort=False) if results else []:
        best_peer = rows.loc[rows["system"].isin(peers), "ndcg@10"].max()
        lines = [
            f"### {name}, {protocol}",
            "",
            "| system | ratio | " + " | ".join(COLUMNS) + " |",
            "|--|" + "--:|" * (len(COLUMNS) + 1),
        ]
        for row in rows.sort_values("ndcg@10", ascending=False).to_dict("records"):
            figures = " | ".join(f"{row[column]:.4g}" for column in COLUMNS)
            lines.append(f"| {row['system']} | {row['ndcg@10'] / best_peer:.2f} | {figures} |")
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def _write(table: str) -> None:
    path = Path(__file__).with_name("README.md")
    head, _, _ = path.read_text().partition("<!-- results -->")
    shape = f"{os.cpu_count()} cores, no GPU, Python {sys.version.split()[0]}"
    path.write_text(
        f"{head}<!-- results -->\nMeasured {datetime.datetime.now(datetime.UTC):%Y-%m-%d} on {shape}.\n\n{table}\n"
    )


if __name__ == "__main__":
    main()
