"""`python -m benchmarks [DATA SET …]`: one JSON line a result on standard output, a table at the end and in README.md."""

from __future__ import annotations

import argparse
import datetime
import json
from collections.abc import Sequence

from benchmarks import datasets, table
from benchmarks.protocols import PROTOCOLS, Split, prepare
from benchmarks.running import Result, measure, measured
from benchmarks.systems import OURS, THEIRS, System


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure every system on every data set with both protocols; what was measured before is not measured again."""
    options = _parser().parse_args(arguments)
    began = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    results: list[Result] = []
    for name, source in datasets.present(options.names):
        for protocol in options.protocol or PROTOCOLS:
            split = prepare(name, source, datasets.CACHE / "splits", protocol)
            for system in chosen(options):
                result = run(system, split, options)
                results += [result | {"has_repeats": split.has_repeats}] if result else []
    summary, pages = table.summary(results), table.pages(results, began)
    print("\n\n".join([summary, *pages.values()]))
    if options.write:
        table.write("results", f"{table.shape()}\n\n{summary}")
        table.write_pages(pages)


def run(system: System, split: Split, options: argparse.Namespace) -> Result | None:
    """One result, told on standard output: an earlier one if there is; None if there is none and none is to be made."""
    result = None if options.again else measured(system, split)
    if result and result["load"] > options.max_load:
        result = None
    if result is None and not options.cached:
        try:
            result = measure(system, split)
        except Exception as error:
            result = split.label | {"system": system.name, "ours": system.is_ours, "error": str(error)}
    if result:
        print(json.dumps(result), flush=True)
    return result


def chosen(options: argparse.Namespace) -> list[System]:
    """The systems that the options leave."""
    systems = [*([] if options.peers else OURS), *([] if options.ours else THEIRS)]
    return [system for system in systems if not options.only or any(word in system.name for word in options.only)]


def add_common(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """What all benchmarks understand."""
    parser.add_argument("--write", action="store_true", help="write the table into benchmarks/README.md")
    parser.add_argument("--again", action="store_true", help="measure anew what was measured before")
    parser.add_argument("--cached", action="store_true", help="measure nothing: only what was measured before")
    parser.add_argument(
        "--max-load",
        type=float,
        default=float("inf"),
        help="what was measured on a busier machine counts as not measured",
    )
    return parser


def _parser() -> argparse.ArgumentParser:
    parser = add_common(argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__))
    parser.add_argument("names", nargs="*", help="data sets; all that are present by default")
    parser.add_argument("--protocol", action="append", choices=PROTOCOLS, help="both by default; repeatable")
    parser.add_argument("--only", action="append", help="only systems with this word in their name; repeatable")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--peers", action="store_true", help="only the peers")
    which.add_argument("--ours", action="store_true", help="only ours")
    return parser


if __name__ == "__main__":
    main()
