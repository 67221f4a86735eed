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
from console.serving.loader import MODEL_CACHE, LoadedModel, column_named
from console.serving.pipeline import RequestBatch, answer, batch_size
from console.serving.request import REASONED, SCORE_DIGITS, RecommendationRequest, RecommendationResult, ServingTarget
from console.serving.targets import target_of
from recipes import catalogue
from recipes.base import RecipeType
from recipes.content.themes import Themes


def run(held: Claim) -> None:
    """Run the job that the claim is on."""
    row: BatchInferenceJob = BatchInferenceJob.objects.select_related("solution_version__solution", "filter").get(
        pk=held.row.pk
    )
    version = row.solution_version
    recipe = catalogue.get(version.recipe or "")
    target = target_of(version.arn, recipe, version.artefact, version.solution.dataset_group_id, row.config or {})
    loaded = MODEL_CACHE.get(target.artefact)
    themes = _themes(row, loaded)
    most = limits.quota("THEME_QUERIES") if themes else None
    lines.convert(held, partial(_answers, row, target, loaded, themes), batch_size(loaded), most)


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
    target: ServingTarget,
    loaded: LoadedModel,
    themes: Themes | None,
    chunk: Sequence[lines.Line],
    place: lines.Place,
) -> Iterator[lines.Outcome]:
    """What each line gets, in order."""
    read = [_request(row, target, loaded, line) for line in chunk]
    requests = [entry for entry in read if isinstance(entry, RecommendationRequest)]
    rng = np.random.default_rng([row.pk, crc32(place.file.encode()), place.line])
    answers = iter(answer(RequestBatch.of(target, loaded, requests), rng, is_recorded=False) if requests else ())
    for entry in read:
        found = next(answers) if isinstance(entry, RecommendationRequest) else entry
        if isinstance(found, RecommendationResult):
            yield lines.Answered(_output(target, found, themes), found.warnings)
        else:
            yield found


def _request(
    row: BatchInferenceJob, target: ServingTarget, loaded: LoadedModel, line: Mapping[str, Any]
) -> RecommendationRequest | InvalidInputException:
    """A line as a request, or what is wrong with it."""
    ranking = loaded.recipe.type is RecipeType.PERSONALIZED_RANKING
    try:
        members.check_names(line)
        user = members.id_of(line, "userId", needed=target.needs_user)
        item = members.id_of(line, "itemId", needed=target.needs_item)
        items = members.ids_of(line, "itemList") if ranking else None
        bound = bound_of(row.filter, line)
        context = members.texts_of(line, "context")
    except InvalidInputException as error:
        return error
    return RecommendationRequest(user, item, row.num_results, context, bound, items=items)


def _output(target: ServingTarget, found: RecommendationResult, themes: Themes | None) -> dict[str, Any]:
    output: dict[str, Any] = {"recommendedItems": [place.item_id for place in found.ranked]}
    if target.has_scores:
        output["scores"] = [place.score for place in found.ranked]
    if target.recipe in REASONED:
        output["reasons"] = [found.reasons(place) for place in found.ranked]
    if themes is not None:
        theme = themes.name([place.item for place in found.ranked])
        output["theme"] = theme.text
        output["itemsThemeRelevanceScores"] = [round(score, SCORE_DIGITS) for score in theme.relevance]
    return output
