"""Batch inference: recommendations, related items or rankings for every line of the input."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from console.errors import InvalidInputException
from console.jobs import Claim
from console.models import BatchInferenceJob
from console.runners import lines
from console.serving.bulk import Outcome, answer_many, batch_size
from console.serving.loader import SHELF, Loaded
from console.serving.overlay import catalog_of
from console.serving.recommend import Ask, Pick, Source
from console.serving.sources import bind, source_of
from recipes import catalogue
from recipes.base import RecipeType


def run(held: Claim) -> None:
    """Run the job that the claim is on."""
    row: BatchInferenceJob = BatchInferenceJob.objects.select_related("solution_version__solution", "filter").get(
        pk=held.row.pk
    )
    version = row.solution_version
    recipe = catalogue.get(version.recipe or "")
    source = source_of(version.arn, recipe, version.artefact, version.solution.dataset_group_id, row.config or {})
    loaded = SHELF.get(source.artefact)
    lines.convert(held, partial(_answers, row, source, loaded), batch_size(loaded))


def _answers(
    row: BatchInferenceJob, source: Source, loaded: Loaded, chunk: Sequence[lines.Line]
) -> Iterator[dict[str, Any] | InvalidInputException]:
    """What each line gets, in order."""
    asked = [_ask(row, source, loaded, line) for line in chunk]
    good = [entry for entry in asked if not isinstance(entry, InvalidInputException)]
    answers = iter(_answered(source, loaded, good))
    for entry in asked:
        found = entry if isinstance(entry, InvalidInputException) else next(answers)
        yield found if isinstance(found, InvalidInputException) else _output(source, found)


def _answered(source: Source, loaded: Loaded, asked: list[tuple[Ask, list[str] | None]]) -> list[Outcome]:
    if not asked:
        return []
    catalog = catalog_of(loaded, source.group_id)
    return answer_many(source, loaded, catalog, [ask for ask, _ in asked], [items for _, items in asked])


def _ask(
    row: BatchInferenceJob, source: Source, loaded: Loaded, line: Mapping[str, Any]
) -> tuple[Ask, list[str] | None] | InvalidInputException:
    """A line as a request with the list to rank, or what is wrong with it."""
    ranking = loaded.recipe.type is RecipeType.PERSONALIZED_RANKING
    try:
        user = _text(line, "userId", needed=source.needs_user)
        item = _text(line, "itemId", needed=source.needs_item)
        items = _item_list(line) if ranking else None
        values = line.get("filterValues") or {}
        bound = bind(row.filter.expression, values) if row.filter else None
        context = {str(name): str(value) for name, value in (line.get("context") or {}).items()}
    except InvalidInputException as error:
        return error
    except AttributeError:
        return InvalidInputException("filterValues and context must be objects of strings.")
    return Ask(user, item, row.num_results, context, bound), items


def _text(line: Mapping[str, Any], name: str, *, needed: bool) -> str | None:
    value = line.get(name)
    if value is None and not needed:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise InvalidInputException(f"{name} is {value!r}, it must be a text.", field=name)
    return str(value)


def _item_list(line: Mapping[str, Any]) -> list[str]:
    items = line.get("itemList")
    if not isinstance(items, list) or not items:
        raise InvalidInputException("itemList is missing; give the ids of the items to be ranked.", field="itemList")
    return [str(item) for item in items]


def _output(source: Source, picks: list[Pick]) -> dict[str, Any]:
    output: dict[str, Any] = {"recommendedItems": [pick.item_id for pick in picks]}
    if source.has_scores:
        output["scores"] = [None if pick.score is None else round(pick.score, 7) for pick in picks]
    return output
