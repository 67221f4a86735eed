"""Batch inference: recommendations, related items, themes or rankings for every line of the input."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from zlib import crc32

import numpy as np

from console import limits
from console.errors import InvalidInputException, JobError
from console.jobs import Claim
from console.models import BatchInferenceJob
from console.runners import lines, members
from console.runners.members import bound_of
from console.serving.batch import SCORE_DIGITS, BatchResult, Outcome, answer_many, batch_size
from console.serving.live_catalog import catalog_of
from console.serving.loader import MODEL_CACHE, LoadedModel, column_named
from console.serving.recommend import RecommendationRequest, ServingTarget
from console.serving.sources import source_of
from recipes import catalogue
from recipes.base import RecipeType
from recipes.content.themes import Themes

Asked = tuple[RecommendationRequest, list[str] | None]


def run(held: Claim) -> None:
    """Run the job that the claim is on."""
    row: BatchInferenceJob = BatchInferenceJob.objects.select_related("solution_version__solution", "filter").get(
        pk=held.row.pk
    )
    version = row.solution_version
    recipe = catalogue.get(version.recipe or "")
    source = source_of(version.arn, recipe, version.artefact, version.solution.dataset_group_id, row.config or {})
    loaded = MODEL_CACHE.get(source.artefact)
    themes = _themes(row, loaded)
    most = limits.quota("THEME_QUERIES") if themes else None
    lines.convert(held, partial(_answers, row, source, loaded, themes), batch_size(loaded), most)


def _themes(row: BatchInferenceJob, loaded: LoadedModel) -> Themes | None:
    """What names lists of items, where the job wants that."""
    if row.mode != "THEME_GENERATION":
        return None
    name = (row.theme_generation_config or {})["fieldsForThemeGeneration"]["itemName"]
    if column_named(loaded.data.items, name) is None:
        raise JobError(
            f"The items that the version was trained on have no column {name}; they have "
            f"{', '.join(loaded.data.items) or 'none'}."
        )
    return Themes.of(loaded.data.items, loaded.data.num_items, name)


def _answers(
    row: BatchInferenceJob,
    source: ServingTarget,
    loaded: LoadedModel,
    themes: Themes | None,
    chunk: Sequence[lines.Line],
    place: lines.Place,
) -> Iterator[lines.Outcome]:
    """What each line gets, in order."""
    asked = [_ask(row, source, loaded, line) for line in chunk]
    good = [entry for entry in asked if not isinstance(entry, InvalidInputException)]
    rng = np.random.default_rng([row.pk, crc32(place.file.encode()), place.line])
    answers = iter(_answered(source, loaded, good, rng))
    for entry in asked:
        found = entry if isinstance(entry, InvalidInputException) else next(answers)
        yield found if isinstance(found, InvalidInputException) else _output(found, themes)


def _answered(
    source: ServingTarget, loaded: LoadedModel, asked: list[Asked], rng: np.random.Generator
) -> list[Outcome]:
    if not asked:
        return []
    catalog = catalog_of(loaded, source.group_id)
    return answer_many(source, loaded, catalog, [ask for ask, _ in asked], [items for _, items in asked], rng)


def _ask(
    row: BatchInferenceJob, source: ServingTarget, loaded: LoadedModel, line: Mapping[str, Any]
) -> Asked | InvalidInputException:
    """A line as a request with the list to rank, or what is wrong with it."""
    ranking = loaded.recipe.type is RecipeType.PERSONALIZED_RANKING
    try:
        members.check_names(line)
        user = members.id_of(line, "userId", needed=source.needs_user)
        item = members.id_of(line, "itemId", needed=source.needs_item)
        items = members.ids_of(line, "itemList") if ranking else None
        bound = bound_of(row.filter, line)
        context = members.texts_of(line, "context")
    except InvalidInputException as error:
        return error
    return RecommendationRequest(user, item, row.num_results, context, bound), items


def _output(found: BatchResult, themes: Themes | None) -> dict[str, Any]:
    output: dict[str, Any] = {"recommendedItems": found.item_ids}
    if found.scores is not None:
        output["scores"] = found.scores
    if found.reasons is not None:
        output["reasons"] = found.reasons
    if themes is not None:
        theme = themes.name(found.items)
        output["theme"] = theme.text
        output["itemsThemeRelevanceScores"] = [round(score, SCORE_DIGITS) for score in theme.relevance]
    return output
