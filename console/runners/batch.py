"""Batch inference: recommendations, related items, themes or rankings for every line of the input."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Self
from zlib import crc32

import numpy as np

from console import limits
from console.errors import InvalidInputException, JobError
from console.jobs import Claim
from console.models import BatchInferenceJob
from console.runners import lines, members
from console.runners.members import bound_of
from console.serving.loader import MODEL_CACHE, LoadedModel, column_named
from console.serving.pipeline import (
    RequestBatch,
    allowed_items,
    answer,
    batch_size,
    lister,
    named,
    question,
    results,
    usable,
)
from console.serving.request import (
    REASONED,
    SCORE_DIGITS,
    RankedItem,
    RecommendationRequest,
    RecommendationResult,
    ServingTarget,
)
from console.serving.targets import target_of
from recipes import catalogue
from recipes.base import RecipeType
from recipes.content.themes import Themes
from recipes.executor import prefetch
from recipes.listing import ListQuestion, Mask


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
    is_ranking = recipe.type is RecipeType.PERSONALIZED_RANKING
    answers = partial(_ranked, row, target, loaded) if is_ranking else partial(_listed, row, target, loaded, themes)
    lines.convert(held, answers, batch_size(loaded), most)


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


def _listed(
    row: BatchInferenceJob,
    target: ServingTarget,
    loaded: LoadedModel,
    themes: Themes | None,
    chunks: Iterator[lines.Chunk],
) -> Iterator[Iterator[lines.Outcome]]:
    """What the lines of each chunk get, in order; the engine makes the lists of some chunks ahead."""
    asked = deque[Asked]()

    def questions() -> Iterator[ListQuestion]:
        for chunk, place in chunks:
            asked.append(Asked.of(row, target, loaded, chunk))
            if asked[-1].batch.requests:
                yield question(asked[-1].batch, usable(asked[-1].masks), _seed(row, place))

    def refused() -> Iterator[Iterator[lines.Outcome]]:
        while asked and not asked[0].batch.requests:
            yield asked.popleft().outcomes(target, [], themes)

    for places in prefetch(lister(target, loaded, row.num_results), questions()):
        yield from refused()
        yield asked.popleft().outcomes(target, named(loaded, places), themes)
    yield from refused()


def _ranked(
    row: BatchInferenceJob, target: ServingTarget, loaded: LoadedModel, chunks: Iterator[lines.Chunk]
) -> Iterator[Iterator[lines.Outcome]]:
    """The same where each line gives the items that are ranked."""
    for chunk, place in chunks:
        asked = Asked.of(row, target, loaded, chunk)
        rng = np.random.default_rng(_seed(row, place))
        found = answer(asked.batch, rng, is_recorded=False) if asked.batch.requests else []
        yield asked.from_results(target, found)


def _seed(row: BatchInferenceJob, place: lines.Place) -> list[int]:
    """Of what exploration draws: the same on every attempt."""
    return [row.pk, crc32(place.file.encode()), place.line]


@dataclass(frozen=True)
class Asked:
    """A chunk of lines.

    Attributes:
        read: each as a request, or what is wrong with it.
        batch: the requests.
    """

    read: Sequence[RecommendationRequest | InvalidInputException]
    batch: RequestBatch

    @classmethod
    def of(
        cls, row: BatchInferenceJob, target: ServingTarget, loaded: LoadedModel, chunk: Sequence[lines.Line]
    ) -> Self:
        """Read the lines, and what the database knows of their users."""
        read = [_request(row, target, loaded, line) for line in chunk]
        requests = [entry for entry in read if isinstance(entry, RecommendationRequest)]
        return cls(read, RequestBatch.of(target, loaded, requests))

    @cached_property
    def masks(self) -> list[Mask | InvalidInputException]:
        """What each request may get, or what is wrong with it."""
        return allowed_items(self.batch)

    def outcomes(
        self, target: ServingTarget, lists: Sequence[list[RankedItem]], themes: Themes | None
    ) -> Iterator[lines.Outcome]:
        """What each line gets."""
        return self.from_results(target, results(self.batch, self.masks, lists), themes)

    def from_results(
        self,
        target: ServingTarget,
        found: Sequence[RecommendationResult | InvalidInputException],
        themes: Themes | None = None,
    ) -> Iterator[lines.Outcome]:
        """The same from the requests' results."""
        left = iter(found)
        for entry in self.read:
            answered = next(left) if isinstance(entry, RecommendationRequest) else entry
            if isinstance(answered, RecommendationResult):
                yield lines.Answered(_output(target, answered, themes), answered.warnings)
            else:
                yield answered


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
