"""Batch segments: the users with most affinity to an item, or to items with given attributes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, cast

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from console.errors import InvalidInputException
from console.jobs import Claim
from console.models import BatchSegmentJob
from console.runners import lines
from console.serving.loader import SHELF, Loaded
from console.serving.sources import bind
from recipes.filters import Catalogue, CompiledFilters, FilterError, parse_attributes
from recipes.methods.item_affinity import AffinityModel, ItemAttributeAffinity
from recipes.numerics.arrays import Floats
from recipes.numerics.topk import top_k
from recipes.ranking import BATCH_BYTES

Answer = Callable[[Loaded, lines.Line], Floats]


def run(held: Claim) -> None:
    """Run the job that the claim is on."""
    row: BatchSegmentJob = BatchSegmentJob.objects.select_related("solution_version", "filter").get(pk=held.row.pk)
    loaded = SHELF.get(row.solution_version.artefact)
    by_attributes = isinstance(loaded.recipe, ItemAttributeAffinity)
    users = CompiledFilters(Catalogue.of_users(loaded.data))
    chunk = max(1, min(64, BATCH_BYTES // (4 * max(1, loaded.data.num_users))))
    most = settings.QUOTAS["ATTRIBUTE_QUERIES_PER_FILE" if by_attributes else "ITEM_QUERIES_PER_FILE"]
    answer = _by_attributes if by_attributes else _by_item
    lines.convert(held, partial(_answers, row, loaded, users, answer), chunk, most)


def _answers(
    row: BatchSegmentJob,
    loaded: Loaded,
    users: CompiledFilters,
    answer: Answer,
    chunk: Sequence[lines.Line],
    _: lines.Place,
) -> Iterator[lines.Outcome]:
    for line in chunk:
        try:
            scores = answer(loaded, line)
            yield _output(row, loaded, users, line, scores)
        except InvalidInputException as error:
            yield error


def _output(
    row: BatchSegmentJob, loaded: Loaded, users: CompiledFilters, line: lines.Line, scores: Floats
) -> dict[str, Any]:
    if row.filter:
        scores[:, ~_mask(row, users, line)] = -np.inf
    scores[:, loaded.forgotten] = -np.inf
    best = top_k(scores, min(row.num_results, loaded.data.num_users)).items[0]
    return {"usersList": loaded.data.user_ids.take(best[best >= 0])}


def _mask(row: BatchSegmentJob, users: CompiledFilters, line: lines.Line) -> NDArray[np.bool_]:
    try:
        return users.mask(bind(row.filter.expression if row.filter else "", lines.texts_of(line, "filterValues")))
    except FilterError as error:
        raise InvalidInputException(str(error), field="filterArn") from None


def _by_item(loaded: Loaded, line: lines.Line) -> Floats:
    name = line.get("itemId")
    if not isinstance(name, str | int) or isinstance(name, bool):
        raise InvalidInputException("itemId is missing; give the id of an item.", field="itemId")
    item = loaded.data.item_ids.index(str(name))
    if item < 0:
        raise InvalidInputException(f"The item {name} was not in the training data.", field="itemId")
    return loaded.model.segment(np.array([item], np.int64))


def _by_attributes(loaded: Loaded, line: lines.Line) -> Floats:
    text = line.get("itemAttributes")
    if not isinstance(text, str):
        raise InvalidInputException('itemAttributes is missing; give one such as ITEMS.genres = "Comedy".')
    try:
        mask = loaded.item_filters.mask(parse_attributes(text))
        return cast("AffinityModel", loaded.model).segment_matching(mask[None, :])
    except ValueError as error:  # FilterError is one
        raise InvalidInputException(str(error), field="itemAttributes") from None
