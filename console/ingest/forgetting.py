"""Users taken out of tables and snapshots. In a snapshot their place stays, so that indexes hold, but nothing tells who it was."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from console.ingest import parts, profile
from console.ingest.loading import Segment
from console.ingest.parts import PartWriter
from console.ingest.profile import Profile
from console.ingest.schema import DatasetSchema
from recipes.columns import Categorical, Column, Numeric, Text, take_rows
from recipes.data import Ids, TrainingData


def without_users(
    segments: list[Segment], users: pa.Array, schema: DatasetSchema, folder: Path
) -> tuple[list[Segment], Profile, set[str]]:
    """Copy the parts that hold rows of `users` without them; also the dataset's new facts and whom it knew."""
    summary, known = Profile(schema), set[str]()
    kept: list[Segment] = []
    for number, segment in enumerate(segments):
        writer = PartWriter(folder, schema, f"part-{number:05}")
        found: set[str] = set()
        for table in parts.batches(segment.path, schema.arrow()):
            mask = pc.is_in(table["USER_ID"], users)
            found.update(pc.unique(table["USER_ID"].filter(mask)).to_pylist())
            rest = table.filter(pc.invert(mask))
            summary.add(profile.examine(rest, schema)[1])
            writer.write(rest)
        writer.close()
        if found:
            kept += [Segment(path, rows) for path, rows in zip(writer.paths, writer.sizes, strict=True)]
        else:
            kept.append(segment)
        known |= found
    return kept, summary, known


def forgotten(data: TrainingData, users: Collection[str]) -> TrainingData | None:
    """The snapshot without the events, metadata and ids of `users`; None if it knows none of them."""
    index = data.user_ids.indexes(users)
    index = np.unique(index[index >= 0])
    if not len(index):
        return None
    gone = np.zeros(data.num_users, bool)
    gone[index] = True
    names = [
        f"deleted-{uuid.uuid4().hex}" if out else name for out, name in zip(gone, data.user_ids.array, strict=True)
    ]
    ids = pa.array([name if isinstance(name, str) else name.as_py() for name in names], pa.string())
    return replace(
        data,
        user_ids=Ids(ids),
        interactions=data.interactions.keep(~gone[data.interactions.user_index]),
        users={name: _blank(column, gone) for name, column in data.users.items()},
        seen=None if data.seen is None else data.seen.keep(~gone[data.seen.user_index]),
    )


def _blank(column: Column, gone: NDArray[np.bool_]) -> Column:
    match column:
        case Numeric():
            return replace(column, values=np.where(gone, np.nan, column.values))
        case Text():
            return replace(column, values=pc.if_else(pa.array(gone), "", column.values))
        case Categorical():
            sizes = np.where(gone, 0, np.diff(column.offsets))
            kept = take_rows(column, np.flatnonzero(~gone))
            assert isinstance(kept, Categorical)  # noqa: S101  of the same kind
            return replace(kept, offsets=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64))
