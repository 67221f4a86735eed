"""Batch segments: the users with most affinity to an item, or to items with given attributes."""

from __future__ import annotations

from collections import deque
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
from recipes.executor import prefetch
from recipes.filters import Bound, Catalogue, CompiledFilters, FilterError, parse_attributes
from recipes.methods.item_affinity import AffinityModel, ItemAttributeAffinity, Segmenter, SegmentQuestion
from recipes.numerics.arrays import Indexes
from recipes.ranking import BATCH_BYTES

Asked = SegmentQuestion | InvalidInputException
Reader = Callable[[LoadedModel, lines.Line], tuple[int, NDArray[np.bool_] | None]]


def run(held: Claim) -> None:
    """Run the job that the claim is on."""
    row: BatchSegmentJob = BatchSegmentJob.objects.select_related("solution_version", "filter").get(pk=held.row.pk)
    loaded = MODEL_CACHE.get(row.solution_version.artefact)
    by_attributes = isinstance(loaded.recipe, ItemAttributeAffinity)
    users = CompiledFilters(Catalogue.of_users(loaded.data))
    chunk = max(1, min(64, BATCH_BYTES // (4 * max(1, loaded.data.num_users))))
    most = limits.quota("ATTRIBUTE_QUERIES_PER_FILE" if by_attributes else "ITEM_QUERIES_PER_FILE")
    lines.convert(held, partial(_answers, row, loaded, users, _attributes if by_attributes else _item), chunk, most)


def _answers(
    row: BatchSegmentJob,
    loaded: LoadedModel,
    users: CompiledFilters,
    read: Reader,
    chunks: Iterator[lines.Chunk],
) -> Iterator[Iterator[lines.Outcome]]:
    """What the lines of each chunk get, in order; the engine finds the users of some chunks ahead."""
    asked = deque[list[tuple[Asked, tuple[str, ...]]]]()

    def questions() -> Iterator[list[SegmentQuestion]]:
        for chunk, _ in chunks:
            asked.append([_asked(row, loaded, users, read, line) for line in chunk])
            yield [entry for entry, _ in asked[-1] if isinstance(entry, SegmentQuestion)]

    model = cast("AffinityModel", loaded.model)
    segmenter = Segmenter(model, loaded.forgotten, min(row.num_results, loaded.data.num_users))
    for found in prefetch(segmenter, questions()):
        yield _outcomes(loaded, asked.popleft(), iter(found))


def _outcomes(
    loaded: LoadedModel, asked: Sequence[tuple[Asked, tuple[str, ...]]], found: Iterator[Indexes]
) -> Iterator[lines.Outcome]:
    for entry, warnings in asked:
        if isinstance(entry, InvalidInputException):
            yield entry
            continue
        best = next(found)
        yield lines.Answered({"usersList": loaded.data.user_ids.take(best[best >= 0])}, warnings)


def _asked(
    row: BatchSegmentJob, loaded: LoadedModel, users: CompiledFilters, read: Reader, line: lines.Line
) -> tuple[Asked, tuple[str, ...]]:
    """What a line asks for, or what is wrong with it, and sentences on its filter."""
    try:
        members.check_names(line)
        item, matching = read(loaded, line)
        bound = bound_of(row.filter, line)
        allowed = _mask(bound, users) if bound else None
    except InvalidInputException as error:
        return error, ()
    return SegmentQuestion(item, matching, allowed), _warnings(bound, users, loaded) if bound else ()


def _mask(bound: Bound, users: CompiledFilters) -> NDArray[np.bool_]:
    try:
        return users.mask(bound)
    except FilterError as error:
        raise InvalidInputException(str(error), field="filterArn") from None


def _warnings(bound: Bound, users: CompiledFilters, loaded: LoadedModel) -> tuple[str, ...]:
    return users.unmatched(bound, loaded.data.users, loaded.data.interactions.event_types)


def _item(loaded: LoadedModel, line: lines.Line) -> tuple[int, None]:
    name = members.id_of(line, "itemId", needed=True)
    item = loaded.data.item_ids.index(str(name))
    if item < 0:
        raise InvalidInputException(f"The item {name} was not in the training data.", field="itemId")
    return item, None


def _attributes(loaded: LoadedModel, line: lines.Line) -> tuple[int, NDArray[np.bool_]]:
    text = members.text_of(line, "itemAttributes", 'ITEMS.genres = "Comedy"')
    try:
        matching = loaded.filters.mask(parse_attributes(text))
    except ValueError as error:  # FilterError is one
        raise InvalidInputException(str(error), field="itemAttributes") from None
    if not matching.any():
        raise InvalidInputException("No item has these attributes.", field="itemAttributes")
    return -1, matching
