"""Batch segments: the users with most affinity to an item, or to items with given attributes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import cast

import numpy as np
from numpy.typing import NDArray

from console import limits
from console.errors import InvalidInputException
from console.jobs import Claim
from console.models import BatchSegmentJob
from console.runners import lines, members
from console.runners.members import bound_of
from console.serving.loader import MODEL_CACHE, LoadedModel
from recipes.filters import Bound, Catalogue, CompiledFilters, FilterError, parse_attributes
from recipes.methods.item_affinity import AffinityModel, ItemAttributeAffinity
from recipes.numerics.arrays import Floats
from recipes.numerics.topk import top_k
from recipes.ranking import BATCH_BYTES

Answer = Callable[[LoadedModel, lines.Line], Floats]


def run(held: Claim) -> None:
    """Run the job that the claim is on."""
    row: BatchSegmentJob = BatchSegmentJob.objects.select_related("solution_version", "filter").get(pk=held.row.pk)
    loaded = MODEL_CACHE.get(row.solution_version.artefact)
    by_attributes = isinstance(loaded.recipe, ItemAttributeAffinity)
    users = CompiledFilters(Catalogue.of_users(loaded.data))
    chunk = max(1, min(64, BATCH_BYTES // (4 * max(1, loaded.data.num_users))))
    most = limits.quota("ATTRIBUTE_QUERIES_PER_FILE" if by_attributes else "ITEM_QUERIES_PER_FILE")
    answer = _by_attributes if by_attributes else _by_item
    lines.convert(held, partial(_answers, row, loaded, users, answer), chunk, most)


def _answers(
    row: BatchSegmentJob,
    loaded: LoadedModel,
    users: CompiledFilters,
    answer: Answer,
    chunk: Sequence[lines.Line],
    _: lines.Place,
) -> Iterator[lines.Outcome]:
    for line in chunk:
        try:
            members.check_names(line)
            scores = answer(loaded, line)
            yield _output(row, loaded, users, line, scores)
        except InvalidInputException as error:
            yield error


def _output(
    row: BatchSegmentJob, loaded: LoadedModel, users: CompiledFilters, line: lines.Line, scores: Floats
) -> lines.Answered:
    bound = bound_of(row.filter, line)
    if bound:
        scores[:, ~_mask(bound, users)] = -np.inf
    scores[:, loaded.forgotten] = -np.inf
    best = top_k(scores, min(row.num_results, loaded.data.num_users)).items[0]
    output = {"usersList": loaded.data.user_ids.take(best[best >= 0])}
    return lines.Answered(output, _warnings(bound, users, loaded) if bound else ())


def _mask(bound: Bound, users: CompiledFilters) -> NDArray[np.bool_]:
    try:
        return users.mask(bound)
    except FilterError as error:
        raise InvalidInputException(str(error), field="filterArn") from None


def _warnings(bound: Bound, users: CompiledFilters, loaded: LoadedModel) -> tuple[str, ...]:
    return users.unmatched(bound, loaded.data.users, loaded.data.interactions.event_types)


def _by_item(loaded: LoadedModel, line: lines.Line) -> Floats:
    name = members.id_of(line, "itemId", needed=True)
    item = loaded.data.item_ids.index(str(name))
    if item < 0:
        raise InvalidInputException(f"The item {name} was not in the training data.", field="itemId")
    return loaded.model.segment(np.array([item], np.int64))


def _by_attributes(loaded: LoadedModel, line: lines.Line) -> Floats:
    text = members.text_of(line, "itemAttributes", 'ITEMS.genres = "Comedy"')
    try:
        mask = loaded.filters.mask(parse_attributes(text))
        return cast("AffinityModel", loaded.model).segment_matching(mask[None, :])
    except ValueError as error:  # FilterError is one
        raise InvalidInputException(str(error), field="itemAttributes") from None
