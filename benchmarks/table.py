"""From results to Markdown: a page for each data set and protocol, ratios to the best peer, and how old a figure is."""

from __future__ import annotations

import datetime
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from benchmarks.running import Result

README = Path(__file__).with_name("README.md")
PAGES = Path(__file__).with_name("results")
STRICT = ("ndcg@5", "ndcg@10", "ndcg@25", "hit@10", "mrr@25", "precision@5", "precision@10", "precision@25", "coverage")
COST = ("train_s", "train_cpu_s", "peak_mib", "users_per_s", "single_p50_ms", "single_p99_ms")
WORDED = tuple(name for name in STRICT if name != "hit@10")
RATIOS = ("ndcg@10", "mrr@25")
RATIO_HEADS = tuple(f"{name} ratio" for name in RATIOS)


def summary(results: Iterable[Result]) -> str:
    """A line for each of ours in each data set and protocol, beside the best peer."""
    return _in_short(_by_page(results))


def pages(results: Iterable[Result], began: datetime.datetime) -> dict[str, str]:
    """All figures by the title of their page; results from before `began` are named with their age."""
    return {
        f"{data}, {protocol}": _block(f"{data}, {protocol}", rows, began)
        for (data, protocol), rows in _by_page(results)
    }


def _by_page(results: Iterable[Result]) -> list[tuple[tuple[str, str], list[Result]]]:
    ordered = sorted(results, key=lambda r: (r["data"], r["protocol"] != "next", r["protocol"]))
    return [(key, list(rows)) for key, rows in groupby(ordered, key=lambda r: (r["data"], r["protocol"]))]


def _in_short(blocks: Sequence[tuple[tuple[str, str], list[Result]]]) -> str:
    body = []
    for (data, protocol), rows in blocks:
        known = [row for row in rows if "error" not in row]
        for row in (row for row in known if row["ours"]):
            beside = [cell for name in RATIOS for cell in _beside_the_best(row, known, name)]
            body.append([f"{data}, {protocol}: {row['system']}", _short(row["train_s"]), *beside])
    return markdown(["in short", "train_s", *(head for name in RATIOS for head in (name, "best peer", "ratio"))], body)


def _beside_the_best(row: Result, known: Sequence[Result], name: str) -> list[str]:
    best = max((other for other in known if not other["ours"]), key=lambda other: other[name], default=None)
    if best is None or not best[name]:
        return [f"{row[name]:.4f}", "", ""]
    return [f"{row[name]:.4f}", f"{best[name]:.4f} {best['system']}", f"{row[name] / best[name]:.2f}"]


def _block(title: str, rows: list[Result], began: datetime.datetime) -> str:
    failed = [row for row in rows if "error" in row]
    rows = sorted((row for row in rows if "error" not in row), key=lambda row: -row["ndcg@10"])
    parts = [f"# {title}"]
    if rows:
        parts.append(_strict(rows))
    if any(row.get("has_repeats") for row in rows):
        parts.append("Seen items stay in, NDCG's ideal over the hits inside the top k (AWS's wording):")
        parts.append(_worded(sorted(rows, key=lambda row: -row["as_worded"]["ndcg@10"])))
    parts += [f"Failed: {row['system']}: {' '.join(row['error'].split())[-200:]}" for row in failed]
    old = [f"{row['system']} {old_by}" for row in rows if (old_by := age(row, began))]
    if old:
        parts.append(aged(old))
    busy = [row["system"] for row in rows if row["load"] > (os.cpu_count() or 1) + 1]
    if busy:
        parts.append(f"Measured while other work ran, so that seconds are too high: {'; '.join(busy)}.")
    return "\n\n".join(parts)


def _strict(rows: list[Result]) -> str:
    ratios = _ratios([(row["ours"], row) for row in rows])
    body = []
    for row, to_best in zip(rows, ratios, strict=True):
        figures = [f"{row[name]:.4f}" for name in STRICT] + [_short(row[name]) for name in COST]
        body.append([row["system"], *to_best, *figures])
    return markdown(["system", *RATIO_HEADS, *STRICT, *COST], body)


def _worded(rows: list[Result]) -> str:
    ratios = _ratios([(row["ours"], row["as_worded"]) for row in rows])
    body = [
        [row["system"], *to_best, *(f"{row['as_worded'][name]:.4f}" for name in WORDED)]
        for row, to_best in zip(rows, ratios, strict=True)
    ]
    return markdown(["system", *RATIO_HEADS, *WORDED], body)


def _ratios(rows: Sequence[tuple[bool, Result]]) -> list[list[str]]:
    """Each row's figures over the best peer's, whichever peer that is; empty without one."""
    best = {name: max((figures[name] for ours, figures in rows if not ours), default=0.0) for name in RATIOS}
    return [[f"{figures[name] / best[name]:.2f}" if best[name] else "" for name in RATIOS] for _, figures in rows]


def markdown(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    """A table, first column left, others right."""
    lines = [head, ["--", *["--:"] * (len(head) - 1)], *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _short(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:,.0f}"


def age(row: Result, began: datetime.datetime) -> str:
    """How long before `began` a result was measured; empty if since."""
    minutes = (began - datetime.datetime.fromisoformat(row["measured"])).total_seconds() / 60
    if minutes <= 0:
        return ""
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.0f} h"


def aged(notes: Sequence[str]) -> str:
    """The footer that names what was not measured in this run."""
    return f"Measured in earlier runs, how long before this one: {'; '.join(notes)}."


def shape() -> str:
    """The day and the machine."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    day = datetime.datetime.now(datetime.UTC)
    return (
        f"Written {day:%Y-%m-%d} on {os.cpu_count()} cores ({platform.machine()}), {memory:.0f} GiB, no GPU, "
        f"Python {platform.python_version()}."
    )


def write_pages(texts: Mapping[str, str], folder: Path = PAGES) -> None:
    """Write each page into a file named after its title; pages of other data sets stay."""
    folder.mkdir(exist_ok=True)
    for title, text in texts.items():
        (folder / f"{title.replace(', ', '-')}.md").write_text(f"{text}\n")


def write(section: str, text: str, readme: Path = README) -> None:
    """Put `text` between the section's marks.

    Raises:
        ValueError: the page has no such marks.
    """
    start, stop = f"<!-- {section} -->", f"<!-- /{section} -->"
    page = readme.read_text()
    if start not in page or stop not in page:
        raise ValueError(f"{readme} has no section {start} … {stop}.")
    head, rest = page.split(start, 1)
    _, tail = rest.split(stop, 1)
    readme.write_text(f"{head}{start}\n{text}\n{stop}{tail}")
