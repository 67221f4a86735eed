"""Read the command line's files; what is wrong with one is said in a sentence that names file, row, column and value.

Tables are read as the server's imports read them (recipes.tables). Ids are text, whatever they look like.
"""

from __future__ import annotations

import json
import re
import sys
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from recipes.data import Histories, TrainingData
from recipes.json_text import read_json
from recipes.numerics.arrays import order_by
from recipes.tables.files import read_file
from recipes.tables.text import TableError
from recipes.tables.words import plain

IDS = ("USER_ID", "ITEM_ID")
SEPARATORS = re.compile(r"[,;\t|]")


class InputError(Exception):
    """A file or argument cannot be used; the message names it and says what is needed."""


def read_csv(path: Path, required: Sequence[str], encoded: Collection[str] = ()) -> pa.Table:
    """A delimited file with a header as a table; what a person should know of how it was read goes to stderr.

    Args:
        path: the file, also gzipped.
        required: columns that must be there and hold a value in every row.
        encoded: columns of text that become dictionaries, as in `read_file`.

    Raises:
        InputError: no such file, no row, a column is missing, or too many rows lack a value or hold one that cannot be read.
    """
    if not path.is_file():
        raise InputError(f"There is no file {path}.")
    try:
        found = read_file(path, required, encoded)
    except (TableError, OSError) as error:
        raise InputError(str(error)) from None
    sys.stderr.writelines(f"note: {note}\n" for note in found.notes)
    return found.table


def read_training(interactions: Path, items: Path | None = None, users: Path | None = None) -> TrainingData:
    """The data of up to three files, with AWS's column names."""
    return TrainingData.from_tables(
        read_csv(interactions, (*IDS, "TIMESTAMP"), encoded=(*IDS, "EVENT_TYPE")),
        read_csv(items, ("ITEM_ID",)) if items else None,
        read_csv(users, ("USER_ID",)) if users else None,
    )


def read_ids(path: Path, name: str, known: Sequence[str]) -> list[str]:
    """The ids of a text file, one a line, stripped; of a table whose header has `name`, that column.

    Args:
        path: the file.
        name: what a header calls the ids, such as USER_ID.
        known: ids that there are; a line that is one of them is an id, whatever it looks like.

    Raises:
        InputError: there is no id, or the lines hold more than ids and no header says which is one.
    """
    lines = [line.strip() for line in _text(path).splitlines()]
    found, ids = [line for line in lines if line], set(known)
    header = _cells(found[0]) if found and found[0] not in ids else []
    if len(header) > 1 and any(plain(cell) == plain(name) for cell in header):
        return [str(each) for each in read_csv(path, (name,))[name].to_pylist()]
    if len(header) == 1 and plain(header[0]) == plain(name):
        found = found[1:]
    if not found:
        raise InputError(f"{path} is empty; one id a line is needed.")
    if ids.isdisjoint(found) and any(_cells(line)[0] in ids for line in found if len(_cells(line)) > 1):
        raise InputError(
            f"{path}: line 1 is {found[0][:80]}; one id a line is needed, or a header that names the column {name}."
        )
    return found


def _cells(line: str) -> list[str]:
    return [cell.strip().strip('"') for cell in SEPARATORS.split(line)]


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
            request = read_json(line)
            json.dumps(request, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise InputError(f"{path}: line {number} holds characters that are no valid Unicode text.") from None
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


def _text(path: Path) -> str:
    try:
        read = path.read_bytes()
        return read.decode("utf-16" if read.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"There is no file {path}.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as text: {error}") from None
