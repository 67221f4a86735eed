"""Fitted models and the data snapshot they serve with, on disk: safetensors, Arrow and JSON, never pickle.

A folder holds `manifest.json`, `model.safetensors`, and the snapshot (`data.safetensors`, `ids.arrow`, `text.arrow`). Arrays are
memory-mapped when read, so that several serving processes share one copy. A folder is written under a temporary name and
renamed, so that a reader never sees half of one.
"""

from __future__ import annotations

import json
import mmap
import shutil
import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from safetensors.numpy import save_file

from recipes import catalogue, integrity
from recipes.base import Model, State
from recipes.columns import Categorical, Column, Columns, Kind, Numeric, Text
from recipes.data import Ids, Interactions, TrainingData
from recipes.impressions import Impressions, SeenLists

FORMAT = 2
DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "i1",
    "U8": "u1",
    "BOOL": "?",
}


@dataclass(frozen=True)
class Artefact:
    """A fitted model with the snapshot it was fitted on."""

    model: Model
    data: TrainingData
    manifest: dict[str, Any]


def save(folder: Path, model: Model, data: TrainingData, details: dict[str, Any] | None = None) -> None:
    """Publish model and snapshot as `folder`, replacing what was there.

    Args:
        folder: where to; its parent is made if need be.
        model: the fitted model.
        data: the snapshot whose indexes the model uses.
        details: further JSON values for the manifest, e.g. metrics.
    """
    temporary = folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:8]}")
    temporary.mkdir(parents=True)
    try:
        state = model.state()
        _save_tensors(state.tensors, temporary / "model.safetensors")
        columns = _save_data(data, temporary)
        recipe = model.recipe
        manifest = dict(details or {}) | {
            "format": FORMAT,
            "recipe": recipe.name,
            "hyperparameters": recipe.settings(),
            "values": state.values,
            "columns": columns,
            "event_types": data.interactions.event_types,
            "num_items": data.num_items,
        }
        integrity.write_manifest(temporary, manifest)
        if folder.exists():
            shutil.rmtree(folder)
        temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def load(folder: Path) -> Artefact:
    """Read a published folder; arrays are mapped, not copied.

    Raises:
        FileNotFoundError: there is no artefact.
        DamagedError: a file is missing or damaged.
        ValueError: it is of a format this version does not read.
    """
    manifest = integrity.read_manifest(folder)
    if manifest["format"] != FORMAT:
        raise ValueError(f"{folder} has format {manifest['format']}, this version reads {FORMAT}.")
    recipe = catalogue.get(manifest["recipe"]).configured(manifest["hyperparameters"])
    state = State(load_tensors(folder / "model.safetensors"), manifest["values"])
    return Artefact(
        recipe.model.from_state(recipe, manifest["num_items"], state), _load_data(folder, manifest), manifest
    )


def mapped(data: TrainingData, folder: Path) -> TrainingData:
    """The same data as memory maps of files that are written to `folder`, which may then be removed: what is mapped stays readable.

    Their pages are not the process's own: the system takes them back where memory is short, and reads them again.
    """
    columns = _save_data(data, folder)
    found = _load_data(folder, {"columns": columns, "event_types": data.interactions.event_types})
    return replace(found, interactions=replace(found.interactions, weight=data.interactions.weight))


def load_tensors(path: Path) -> dict[str, NDArray[Any]]:
    """All arrays of a safetensors file as read-only memory maps."""
    with path.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    size = int.from_bytes(mapped[:8], "little")
    header: dict[str, Any] = json.loads(mapped[8 : 8 + size])
    header.pop("__metadata__", None)
    return {name: _mapped(mapped, 8 + size, entry) for name, entry in header.items()}


def _mapped(buffer: mmap.mmap, start: int, entry: dict[str, Any]) -> NDArray[Any]:
    dtype = np.dtype(DTYPES[entry["dtype"]])
    count = int(np.prod(entry["shape"], dtype=np.int64))
    if count == 0:
        return np.zeros(entry["shape"], dtype)
    return np.frombuffer(buffer, dtype, count, start + entry["data_offsets"][0]).reshape(entry["shape"])


def _save_tensors(tensors: dict[str, NDArray[Any]], path: Path) -> None:
    save_file({name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}, path)


def _save_data(data: TrainingData, folder: Path) -> dict[str, dict[str, Any]]:
    events = data.interactions
    tensors: dict[str, NDArray[Any]] = {
        name: getattr(events, name) for name in ("user_index", "item_index", "timestamp", "event_type", "event_value")
    }
    if events.impressions is not None:
        tensors |= {"impression_offsets": events.impressions.offsets, "impression_items": events.impressions.items}
    if data.seen is not None:
        lists = data.seen.impressions
        tensors |= {"seen_users": data.seen.user_index, "seen_timestamps": data.seen.timestamp}
        tensors |= {"seen_offsets": lists.offsets, "seen_items": lists.items}
    texts: dict[str, pa.Array] = {}
    described: dict[str, dict[str, Any]] = {}
    for table, columns in (("items", data.items), ("users", data.users), ("interactions", events.columns)):
        described[table] = {
            name: _describe(f"{table}.{name}", column, tensors, texts) for name, column in columns.items()
        }
    _save_tensors(tensors, folder / "data.safetensors")
    _save_lists({"users": data.user_ids.array, "items": data.item_ids.array}, folder / "ids.arrow")
    _save_lists(texts, folder / "text.arrow")
    return described


def _describe(key: str, column: Column, tensors: dict[str, NDArray[Any]], texts: dict[str, pa.Array]) -> dict[str, Any]:
    """Put the column's arrays where they belong and say in the manifest how to find them."""
    match column:
        case Numeric():
            tensors[f"{key}.values"] = column.values
            return {"kind": column.kind}
        case Categorical():
            tensors |= {f"{key}.offsets": column.offsets, f"{key}.codes": column.codes}
            return {"kind": column.kind, "categories": column.categories}
        case Text():
            texts[key] = column.values
            return {"kind": column.kind}


def _load_data(folder: Path, manifest: dict[str, Any]) -> TrainingData:
    tensors = load_tensors(folder / "data.safetensors")
    ids, texts = _load_lists(folder / "ids.arrow"), _load_lists(folder / "text.arrow")
    columns: dict[str, Columns] = {
        table: {name: _column(f"{table}.{name}", entry, tensors, texts) for name, entry in entries.items()}
        for table, entries in manifest["columns"].items()
    }
    impressions = (
        Impressions(tensors["impression_offsets"], tensors["impression_items"])
        if "impression_offsets" in tensors
        else None
    )
    events = Interactions(
        tensors["user_index"],
        tensors["item_index"],
        tensors["timestamp"],
        tensors["event_type"],
        tuple(manifest["event_types"]),
        tensors["event_value"],
        impressions,
        columns["interactions"],
    )
    return TrainingData(
        Ids(ids["users"]), Ids(ids["items"]), events, columns["items"], columns["users"], _seen_lists(tensors)
    )


def _seen_lists(tensors: dict[str, NDArray[Any]]) -> SeenLists | None:
    if "seen_users" not in tensors:
        return None
    lists = Impressions(tensors["seen_offsets"], tensors["seen_items"])
    return SeenLists(tensors["seen_users"], tensors["seen_timestamps"], lists)


def _column(key: str, entry: dict[str, Any], tensors: dict[str, NDArray[Any]], texts: dict[str, pa.Array]) -> Column:
    match Kind(entry["kind"]):
        case Kind.NUMERIC:
            return Numeric(tensors[f"{key}.values"])
        case Kind.TEXT:
            return Text(texts[key])
        case kind:
            return Categorical(tensors[f"{key}.offsets"], tensors[f"{key}.codes"], tuple(entry["categories"]), kind)


def _save_lists(lists: dict[str, pa.Array], path: Path) -> None:
    """Arrays of strings of any lengths, each as one row of a list column."""
    flat = {
        name: values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
        for name, values in lists.items()
    }
    table = pa.table({name: pa.ListArray.from_arrays(pa.array([0, len(v)], pa.int32()), v) for name, v in flat.items()})
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)


def _load_lists(path: Path) -> dict[str, pa.Array]:
    table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    return {name: table[name].chunk(0).flatten() for name in table.column_names} if table.num_columns else {}
