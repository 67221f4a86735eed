"""Ours: the input of a batch job, written from a list of ids or for everybody, so that nobody has to make JSON Lines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from console import storage
from console.errors import InvalidInputException
from console.models import Account
from console.operations.base import operation
from console.operations.queueing import must_be_active
from console.operations.training.solution_versions import version_named
from console.scratch import scratch_folder
from console.serving.loader import MODEL_CACHE, LoadedModel
from console.shapes import JSONDict
from recipes import catalogue
from recipes.base import Recipe, RecipeType

SEGMENTS_BY_ITEM = "aws-item-affinity"


@operation
def create_batch_input(
    account: Account,
    *,
    solution_version_arn: str,
    entries: list[str] | None = None,
    item_list: list[str] | None = None,
    filter_values: JSONDict | None = None,
) -> JSONDict:
    """Write JSON Lines for a batch job of a version; returns their location and how many there are.

    `entries` are users, items or attributes, whatever the version's recipe asks for; without them every user or item of the
    version's data has a line. `itemList` is what recipes that rank put in order, `filterValues` go into every line.
    """
    version = version_named(account, solution_version_arn)
    must_be_active(version, f"The solution version {solution_version_arn}", field="solutionVersionArn")
    recipe = catalogue.get(version.recipe or "")
    member = _member(recipe)
    _check(recipe, member, entries, item_list)
    if entries and recipe.type is RecipeType.RELATED_ITEMS:
        _check_items(recipe, MODEL_CACHE.get(version.artefact), entries)
    more: JSONDict = {"itemList": item_list} if item_list else {}
    if filter_values:
        more["filterValues"] = filter_values
    named: Iterable[str] = dict.fromkeys(entries) if entries else _everybody(MODEL_CACHE.get(version.artefact), member)
    with scratch_folder() as folder:
        path, lines = Path(folder) / "input.json", 0
        with path.open("w", encoding="utf-8") as file:
            for lines, name in enumerate(named, 1):  # noqa: B007  the last number is how many there are
                file.write(json.dumps({member: name} | more, ensure_ascii=False) + "\n")
        if not lines:
            raise InvalidInputException(
                f"The version's data has no {'items' if member == 'itemId' else 'users'} to write lines for.",
                field="solutionVersionArn",
            )
        location = storage.keep_upload(account, path, f"{version.solution.name}-input.json")
    return {"path": str(location), "lines": lines}


def _member(recipe: type[Recipe]) -> str:
    """What a line of the recipe's batch jobs names."""
    if recipe.type is RecipeType.USER_SEGMENTATION:
        return "itemId" if recipe.name == SEGMENTS_BY_ITEM else "itemAttributes"
    return "itemId" if recipe.type is RecipeType.RELATED_ITEMS else "userId"


def _check(recipe: type[Recipe], member: str, entries: list[str] | None, item_list: list[str] | None) -> None:
    if recipe.type is RecipeType.USER_SEGMENTATION and not entries:
        what = "items" if member == "itemId" else 'attributes, such as ITEMS.genres = "Comedy"'
        raise InvalidInputException(f"Name the {what} whose users are wanted.", field="entries")
    if recipe.type is RecipeType.PERSONALIZED_RANKING and not item_list:
        raise InvalidInputException(f"{recipe.name} puts items in order; name them.", field="itemList")
    if item_list and recipe.type is not RecipeType.PERSONALIZED_RANKING:
        raise InvalidInputException(
            f"{recipe.name} chooses its items itself; only recipes that rank take a list.", field="itemList"
        )


def _check_items(recipe: type[Recipe], loaded: LoadedModel, entries: list[str]) -> None:
    """Refuse what can only be users: an unknown item among known ones is answered with popular items, and a warning."""
    if (loaded.data.item_ids.indexes(entries) < 0).all():
        raise InvalidInputException(
            f"{recipe.name} relates items to an item, and none of the ids is an item of the version's data; the first is "
            f"{entries[0]}. Name items.", field="entries",
        )  # fmt: skip


def _everybody(loaded: LoadedModel, member: str) -> Iterator[str]:
    """All items, or all users but those who were deleted."""
    if member == "itemId":
        yield from loaded.data.item_ids.take(np.arange(loaded.data.num_items))
        return
    kept = np.setdiff1d(np.arange(loaded.data.num_users), loaded.forgotten)
    yield from loaded.data.user_ids.take(kept)
