"""Read the command line's files; what is wrong with one is said in a sentence that names file, row, column and value.

Ids are read as strings, whatever they look like. Files ending in .gz are unpacked on the way.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import csv

from recipes.data import Histories, TrainingData
from recipes.numerics.arrays import order_by

IDS = ("USER_ID", "ITEM_ID")
STRINGS = (*IDS, "EVENT_TYPE", "IMPRESSION", "RECOMMENDATION_ID", "EVENT_ATTRIBUTION_SOURCE")
NUMBERS = ("TIMESTAMP", "EVENT_VALUE", "CREATION_TIMESTAMP")
UNITS = {"TIMESTAMP": "a whole number of seconds", "CREATION_TIMESTAMP": "a whole number of seconds"}


class InputError(Exception):
    """A file or argument cannot be used; the message names it and says what is needed."""


def read_csv(path: Path, required: Sequence[str]) -> pa.Table:
    """A CSV file with a header as a table.

    Args:
        path: the file; gzip is recognised by its name.
        required: columns that must be there and hold a value in every row.

    Raises:
        InputError: no such file, no row, a column is missing, a value is missing or not a number.
    """
    table = _read(path, {name: pa.string() for name in STRINGS})
    for name in required:
        if name not in table.column_names:
            raise InputError(f"{path}: column {name} is missing, it has {', '.join(table.column_names)}.")
    if table.num_rows == 0:
        raise InputError(f"{path} has a header and no rows.")
    for name in NUMBERS:
        if name in table.column_names:
            _check_number(path, table, name)
    for name in required:
        _check_filled(path, table, name)
    return table


def read_training(interactions: Path, items: Path | None = None, users: Path | None = None) -> TrainingData:
    """The data of up to three files, with AWS's column names."""
    return TrainingData.from_tables(
        read_csv(interactions, (*IDS, "TIMESTAMP")),
        read_csv(items, ("ITEM_ID",)) if items else None,
        read_csv(users, ("USER_ID",)) if users else None,
    )


def read_lines(path: Path) -> list[str]:
    """The lines of a text file that are not blank, stripped."""
    lines = [line.strip() for line in _text(path).splitlines()]
    found = [line for line in lines if line]
    if not found:
        raise InputError(f"{path} is empty; one id a line is needed.")
    return found


def read_requests(path: Path) -> list[dict[str, Any]]:
    """JSON Lines of {"userId": …, "itemList": […]}.

    Raises:
        InputError: a line is not such an object; names the line.
    """
    requests = []
    for number, line in enumerate(_text(path).splitlines(), 1):
        if not line.strip():
            continue
        try:
            request = json.loads(line)
        except ValueError:
            raise InputError(f"{path}: line {number} is not JSON: {line[:80]}.") from None
        if not isinstance(request, dict) or not {"userId", "itemList"} <= request.keys():
            raise InputError(f'{path}: line {number} is {line[:80]}; {{"userId": …, "itemList": […]}} is needed.')
        if not isinstance(request["itemList"], list) or not request["itemList"]:
            raise InputError(f"{path}: line {number}: itemList is {request['itemList']!r}, a list of ids is needed.")
        requests.append(request)
    return requests


def read_histories(path: Path, data: TrainingData) -> tuple[list[str], Histories]:
    """Who stands in an interactions file, in the file's order, and what each has done; unknown items are dropped.

    Args:
        path: a file with the interactions' columns; its users need not be known to `data`.
        data: the snapshot whose indexes the model uses.
    """
    table = read_csv(path, (*IDS, "TIMESTAMP"))
    encoded = table["USER_ID"].combine_chunks().dictionary_encode()
    names: list[str] = encoded.dictionary.to_pylist()
    user = np.asarray(encoded.indices, np.int64)
    item = _places(table["ITEM_ID"], data.item_ids.array)
    timestamp = table["TIMESTAMP"].cast(pa.int64(), safe=False).to_numpy()
    event_type = np.full(len(user), -1, np.int16)
    if "EVENT_TYPE" in table.column_names and data.interactions.event_types:
        event_type = _places(table["EVENT_TYPE"], pa.array(data.interactions.event_types)).astype(np.int16)
    since = timestamp - timestamp.min()
    span = int(since.max()) + 1
    fits = len(names) < np.iinfo(np.int64).max // span
    order = order_by(user * span + since) if fits else np.lexsort((timestamp, user))
    order = order[item[order] >= 0]
    offsets = np.searchsorted(user[order], np.arange(len(names) + 1)).astype(np.int64)
    return names, Histories(offsets, item[order], timestamp[order], event_type[order], known_users(names, data))


def known_users(names: Sequence[str], data: TrainingData) -> NDArray[np.int64]:
    """(B,) the indexes of users, -1 for those the data do not know."""
    return _places(pa.array(names, pa.string()), data.user_ids.array)


def choose(names: Sequence[str], histories: Histories, wanted: Sequence[str], data: TrainingData) -> Histories:
    """The histories of `wanted` in their order; empty for those not among `names`."""
    place = {name: row for row, name in enumerate(names)}
    rows = np.array([place.get(name, -1) for name in wanted], np.int64)
    sizes = np.where(rows >= 0, np.diff(histories.offsets)[rows] if len(names) else 0, 0)
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    starts = histories.offsets[np.maximum(rows, 0)] if len(names) else np.zeros(len(rows), np.int64)
    events = np.repeat(starts - offsets[:-1], sizes) + np.arange(int(offsets[-1]))
    return Histories(
        offsets,
        histories.item_index[events],
        histories.timestamp[events],
        histories.event_type[events],
        known_users(wanted, data),
    )


def known_histories(wanted: Sequence[str], data: TrainingData) -> Histories:
    """The training histories of `wanted`; empty for users the data do not know."""
    users = known_users(wanted, data)
    known = users >= 0
    found = data.histories(users[known])
    sizes = np.zeros(len(users), np.int64)
    sizes[known] = np.diff(found.offsets)
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    return Histories(offsets, found.item_index, found.timestamp, found.event_type, users)


def _places(values: pa.Array | pa.ChunkedArray, among: pa.Array) -> NDArray[np.int64]:
    found = pc.fill_null(pc.index_in(pc.cast(values, pa.string()), value_set=pc.cast(among, pa.string())), -1)
    return np.asarray(found.to_numpy(), np.int64) if len(values) else np.zeros(0, np.int64)


def _read(path: Path, types: Mapping[str, pa.DataType]) -> pa.Table:
    if not path.is_file():
        raise InputError(f"There is no file {path}.")
    if path.stat().st_size == 0:
        raise InputError(f"{path} is empty; a header and rows are needed.")
    try:
        return csv.read_csv(path, convert_options=csv.ConvertOptions(column_types=dict(types)))
    except (pa.ArrowInvalid, OSError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path} cannot be read as CSV: {reason}") from None


def _check_number(path: Path, table: pa.Table, name: str) -> None:
    kind = table.schema.field(name).type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_null(kind):
        return
    for row, value in enumerate(pc.cast(table[name], pa.string()).to_pylist(), 2):
        if value is not None and not _is_number(value):
            needed = UNITS.get(name, "a number")
            raise InputError(f"{path}: line {row}: {name} is {value!r}, {needed} is needed.")


def _check_filled(path: Path, table: pa.Table, name: str) -> None:
    column = table[name]
    missing = pc.is_null(column, nan_is_null=True)
    if pa.types.is_string(column.type):
        missing = pc.or_kleene(missing, pc.equal(column, ""))
    row = pc.index(missing, value=True).as_py()
    if row >= 0:
        raise InputError(f"{path}: line {row + 2}: {name} is empty, every row needs one.")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except FileNotFoundError:
        raise InputError(f"There is no file {path}.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as text: {error}") from None
