"""`python -m recipes`: train, recommend, relate, rank, segment and explain from the shell; see `--help`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from time import monotonic

from recipes import LOADED, catalogue
from recipes.base import RecipeError
from recipes.cli.tables import InputError

COMMANDS = {  # where each is, imported when asked for: serving need not wait for what training needs
    "list": "recipes.cli.train:list_recipes",
    "train": "recipes.cli.train:train",
    "recommend": "recipes.cli.serve:recommend",
    "related": "recipes.cli.serve:related",
    "rank": "recipes.cli.serve:rank",
    "segment": "recipes.cli.serve:segment",
    "explain": "recipes.cli.serve:explain",
}

MOST = (1 << 31) - 1  # of counts and seeds; NumPy's oldest generator takes no seed of more than 32 bits
DIGITS = 20  # beyond which a number is not even read


def main(arguments: Sequence[str] | None = None, began: float | None = None) -> int:
    """Run one command; 0 if it worked, 2 with one line on stderr if what was given cannot be used.

    Time budgets count from `began`, by `time.monotonic()`; from now if it is not given.
    """
    chosen = build_parser().parse_args(arguments, argparse.Namespace(began=monotonic() if began is None else began))
    try:
        module, _, function = COMMANDS[chosen.command].partition(":")
        getattr(import_module(module), function)(chosen)
        sys.stdout.flush()
    except (InputError, RecipeError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    except BrokenPipeError:  # the reader has enough, e.g. `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:  # a name that is too long, a folder without the right to read it
        sys.stderr.write(f"error: {error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
        return 130
    return 0


def build_parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    parser = argparse.ArgumentParser(prog="python -m recipes", description="Recommenders from CSV files.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="names of the recipes and what they are for")
    _add_train(commands.add_parser("train", help="fit a recipe on CSV files and write the model to a folder"))
    recommend = _add_served(commands.add_parser("recommend", help="items for users, as JSON Lines"))
    recommend.add_argument(
        "--histories", type=Path, help="CSV of what the users have done; the training data by default"
    )
    recommend.add_argument("--users", type=Path, help="ids, one a line: whom to serve, in this order")
    recommend.add_argument(
        "--context",
        type=_text,
        action="append",
        default=[],
        metavar="COLUMN=VALUE",
        help="the request's context, by a column of the interactions; repeatable",
    )
    recommend.add_argument("--exclude-seen", action="store_true", help="leave out what the user has already taken")
    recommend.add_argument("--batch-size", type=_positive, help="users scored at a time")
    related = _add_served(commands.add_parser("related", help="items that go with an item"))
    related.add_argument("--items", type=Path, required=True, help="ids, one a line")
    rank = _add_served(commands.add_parser("rank", help="order given items for a user"), k=False)
    rank.add_argument("--requests", type=Path, required=True, help='JSON Lines of {"userId": …, "itemList": […]}')
    segment = _add_served(commands.add_parser("segment", help="users most likely to take an item"))
    segment.add_argument("--items", type=Path, required=True, help="ids, one a line")
    explain = _add_served(commands.add_parser("explain", help="what in a user's history speaks for an item"), k=False)
    explain.add_argument("--user", type=_text, required=True, help="id")
    explain.add_argument("--item", type=_text, required=True, help="id")
    return parser


def _add_train(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("interactions", type=Path, help="CSV with USER_ID, ITEM_ID, TIMESTAMP (seconds)")
    parser.add_argument("--items", type=Path, help="CSV with ITEM_ID and metadata")
    parser.add_argument("--users", type=Path, help="CSV with USER_ID and metadata")
    parser.add_argument("--recipe", required=True, metavar="NAME", help=f"one of {', '.join(catalogue.RECIPES)}")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a hyperparameter; repeatable")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the model")
    parser.add_argument(
        "--holdout", choices=("amazon", "none"), default="amazon", help="how to measure before the last fit"
    )
    parser.add_argument("--seed", type=_seed, default=0, help="the same seed and data give the same model")
    parser.add_argument("--max-seconds", type=_seconds, metavar="S", help="time for all fits together")


def _add_served(parser: argparse.ArgumentParser, *, k: bool = True) -> argparse.ArgumentParser:
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder of a trained model")
    if k:
        parser.add_argument("--k", type=_positive, default=25, help="how many (25)")
    return parser


def _positive(text: str) -> int:
    return _whole(text, 1, MOST)


def _seed(text: str) -> int:
    return _whole(text, 0, MOST)


def _whole(text: str, low: int, high: int) -> int:
    if not text.isdecimal() or len(text) > DIGITS or not low <= int(text) <= high:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {low} to {high}")
    return int(text)


def _text(text: str) -> str:
    if not text.isprintable() and any("\ud800" <= letter <= "\udfff" for letter in text):
        raise argparse.ArgumentTypeError(f"{text!r} is no valid Unicode text")
    return text


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return value


if __name__ == "__main__":
    sys.exit(main(began=LOADED))
