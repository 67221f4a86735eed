"""Tables of other kinds than delimited text (Parquet, ORC, Arrow, JSON) as the text of a comma-separated file: one reader reads them all.

Objects within rows become columns of their own, named by their path, as in `user.id`.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from itertools import chain, islice
from typing import IO, Any
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import csv as arrow_csv
from pyarrow import ipc, orc

from recipes.json_text import check_depth, read_json
from recipes.tables.packed import Chained, copied

COPY_BYTES = 1 << 20
ROWS_PER_BATCH = 50_000
KEYS_FROM = 1_000  # lines whose keys are the columns
MAX_OBJECT = 16 << 20  # characters of one object of an array
UUID_BYTES = 16
NO_OBJECT = "no JSON object"
DEPTH = 4  # of objects within objects that become columns
WRAPPED = re.compile(rb'\{\s*"[^"]*"\s*:\s*\[\s*\{')  # an array as the first member of an object
MARK = "\ufeff"  # that files begin with, and those put together hold
WRAPPERS = ("results", "data", "records", "rows")  # what services call the rows beside their number and the next page
OWN = re.compile(r"(id|user|customer|client|visitor|member|item|product|sku|email)$", re.IGNORECASE)  # keys of a row
BETWEEN = re.compile(rf"[\s,{MARK}]*")


def _of_parquet(file: IO[bytes]) -> tuple[pa.Schema, Iterable[pa.RecordBatch]]:
    parquet = pq.ParquetFile(file)
    return parquet.schema_arrow, parquet.iter_batches(ROWS_PER_BATCH)


def _of_orc(file: IO[bytes]) -> tuple[pa.Schema, Iterable[pa.RecordBatch]]:
    found = orc.ORCFile(file)
    return found.schema, (found.read_stripe(number) for number in range(found.nstripes))


def _of_arrow(file: IO[bytes]) -> tuple[pa.Schema, Iterable[pa.RecordBatch]]:
    found = ipc.open_file(file)
    return found.schema, (found.get_batch(number) for number in range(found.num_record_batches))


TABLES: dict[bytes, tuple[str, Callable[[IO[bytes]], tuple[pa.Schema, Iterable[pa.RecordBatch]]]]] = {
    b"PAR1": ("Parquet", _of_parquet),
    b"ORC": ("ORC", _of_orc),
    b"ARROW1": ("Arrow", _of_arrow),
}


def table_text(source: Chained, magic: bytes) -> Iterator[bytes]:
    """The rows of a file that begins with `magic` as comma-separated text with a header.

    Raises:
        pa.ArrowInvalid: it is damaged.
    """
    with copied(source) as file:
        schema, batches = TABLES[magic][1](file)
        yield _line(_flattened(schema.empty_table()).column_names)
        for batch in batches:
            table = _flattened(pa.Table.from_batches([batch], schema))
            yield _batch_text([_texts(column.combine_chunks()) for column in table.columns])


def _flattened(table: pa.Table) -> pa.Table:
    """The table with the fields of objects as columns."""
    for _ in range(DEPTH):
        if not any(pa.types.is_struct(field.type) for field in table.schema):
            break
        table = table.flatten()
    return table


def json_text(read: Callable[[int], bytes], kind: str) -> Iterator[bytes]:
    """JSON objects as comma-separated text; the keys of the first ones are the columns.

    A line that is no object is a row of one cell too many, which says so (NO_OBJECT).

    Args:
        read: the file.
        kind: what `json_kind` says of it.

    Raises:
        ValueError: what is no line by itself breaks off.
    """
    found = map(_object, _lines(read)) if kind == "lines" else _entries(read, within=kind == "array")
    yield from entries_text(found if kind == "array" else _unwrapped(found))


def entries_text(entries: Iterable[Any]) -> Iterator[bytes]:
    """Entries that are objects as comma-separated text, as `json_text` has it."""
    return _objects_text(dict(_leaves(entry)) if isinstance(entry, dict) else _text(entry) for entry in entries)


def _text(entry: object) -> str:
    return entry if isinstance(entry, str) else json.dumps(entry, default=str)


def _unwrapped(objects: Iterator[Any]) -> Iterable[Any]:
    """The rows that a file's only object holds, as answers of services and tables of pandas do; else the objects."""
    first = list(islice(objects, 2))
    return (_rows_within(first[0]) if len(first) == 1 else None) or chain(first, objects)


def _rows_within(found: Any) -> list[dict[str, Any]] | None:
    """The rows of an object that is no row itself; None if it may be one.

    >>> _rows_within({"hits": {"hits": [{"_id": "a", "_source": {"n": 1}}]}})
    [{'_id': 'a', 'n': 1}]
    >>> _rows_within({"columns": ["id", "n"], "index": [0], "data": [["a", 1]]})
    [{'id': 'a', 'n': 1}]
    >>> _rows_within({"count": 1, "results": [{"id": "a"}]}), _rows_within({"id": 1, "data": [{"n": 1}]})
    ([{'id': 'a'}], None)
    >>> _rows_within({"user": "u1", "data": [{"n": 1}]}), _rows_within({"page": 1, "data": [{"n": 1}]})
    (None, [{'n': 1}])
    """
    return _hits(found) or _split_rows(found) or _page_rows(found) if isinstance(found, dict) else None


def _hits(found: dict[str, Any]) -> list[dict[str, Any]] | None:
    """The documents of an answer of Elasticsearch, with their ids."""
    match found:
        case {"hits": {"hits": [*hits]}} if all(
            isinstance(hit, dict) and isinstance(hit.get("_source"), dict) for hit in hits
        ):
            return [{"_id": hit.get("_id")} | hit["_source"] for hit in hits]
    return None


def _split_rows(found: dict[str, Any]) -> list[dict[str, Any]] | None:
    """The rows of pandas' orient="split"; with their index if that is more than their number."""
    match found:
        case {"columns": [*names], "data": [*data]} if all(isinstance(row, list) for row in data):
            rows = [dict(zip(map(str, names), row, strict=False)) for row in data]
            index = found.get("index")
            if not isinstance(index, list) or index == list(range(len(data))):
                return rows
            return [{"index": key} | row for key, row in zip(index, rows, strict=False)]
    return None


def _page_rows(found: dict[str, Any]) -> list[dict[str, Any]] | None:
    """The rows of a service's page, where nothing beside them says who or what the object itself is about."""
    held: list[Any] = next((found[key] for key in WRAPPERS if isinstance(found.get(key), list)), [])
    is_row = any(map(OWN.search, found)) or not all(isinstance(entry, dict) for entry in held)
    return None if is_row else held


def _objects_text(objects: Iterator[dict[str, Any] | str]) -> Iterator[bytes]:
    first = list(islice(objects, KEYS_FROM))
    filled = {key: False for found in first if isinstance(found, dict) for key in found}
    filled |= {
        key: True for found in first if isinstance(found, dict) for key, value in found.items() if value is not None
    }
    paths = {key.rpartition(".")[0] for key in filled}
    names = [key for key, is_filled in filled.items() if is_filled or key not in paths]  # an object may be null
    yield _line(names)
    for found in chain(first, objects):
        yield _line([_cell(found.get(name)) for name in names] if isinstance(found, dict) else _no_object(found, names))


def json_kind(head: bytes) -> str:
    """How JSON holds its objects: "lines" one each, "array" in an array, "objects" one after the other; "" if there are none."""
    text = head.lstrip()
    if re.match(rb"\[\s*\{", text):
        return "array"
    if not text.startswith(b"{"):
        return ""
    line, _, rest = text.partition(b"\n")
    is_whole = isinstance(_object(line), dict)
    if WRAPPED.match(text) and not (is_whole and rest.strip()):
        return "array"
    if is_whole:
        return "lines"
    try:
        found, _ = json.JSONDecoder().raw_decode(text.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return ""
    return "objects" if isinstance(found, dict) and found else ""


def _entries(read: Callable[[int], bytes], *, within: bool) -> Iterator[Any]:
    """The entries of the first array, or all objects."""
    decode = codecs.getincrementaldecoder("utf-8")("replace").decode
    parse = json.JSONDecoder().raw_decode
    text = decode(read(COPY_BYTES))
    place = text.index("[") + 1 if within else 0
    number = 0
    while True:
        found = BETWEEN.match(text, place)
        place = found.end() if found else place
        if text[place : place + 1] == "]":
            return
        try:
            entry, end = parse(text, place)
            check_depth(entry)
        except (ValueError, RecursionError):
            more = read(COPY_BYTES)
            if not more and place >= len(text) and not within:
                return
            if not more or len(text) - place > MAX_OBJECT:
                raise ValueError(f"its {number + 1:,}th object cannot be read") from None
            text, place = text[place:] + decode(more), 0
            continue
        place = end
        number += 1
        yield entry


def _leaves(found: dict[str, Any], path: str = "", depth: int = DEPTH) -> Iterator[tuple[str, Any]]:
    """The members that are no objects themselves, by their paths."""
    for key, value in found.items():
        while isinstance(value, dict) and len(value) == 1 and next(iter(value)).startswith("$"):
            value = next(iter(value.values()))  # MongoDB's {"$oid": ...}
        if isinstance(value, dict) and value and depth:
            yield from _leaves(value, f"{path}{key}.", depth - 1)
        else:
            yield path + key, value


def _no_object(found: str, names: list[str]) -> list[str]:
    """A row that no reader takes for one of the table's: it is wider than the header, and its last cell says why."""
    return [found, *[""] * (len(names) - 1), NO_OBJECT]


def _lines(read: Callable[[int], bytes]) -> Iterator[bytes]:
    rest = b""
    while data := read(COPY_BYTES):
        *whole, rest = (rest + data).split(b"\n")
        yield from filter(bytes.strip, whole)
    if rest.strip():
        yield rest


def _object(line: bytes) -> dict[str, Any] | str:
    text = line.decode("utf-8", "replace").lstrip(MARK).strip()
    try:
        found = read_json(text)
    except ValueError:
        return text
    return found if isinstance(found, dict) else text


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return str(value).lower()
        case list() if all(isinstance(part, str | int | float) for part in value):
            return "|".join(map(_cell, value))
        case list() | dict():
            return json.dumps(value, ensure_ascii=False, default=str)
        case bytes():
            return _of_bytes(pa.array([value]))[0].as_py() or ""
        case Decimal():
            return _plain(f"{value:f}")
        case _:
            return str(value)


def _line(cells: Iterable[str]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode("utf-8", "replace")


def _texts(column: pa.Array) -> pa.Array:
    """A column as text, null where it is."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _texts(column.dictionary_decode())
    if pa.types.is_floating(kind):
        column = pc.if_else(pc.is_finite(column), column, pa.scalar(None, kind))
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return _of_bytes(column)
    if pa.types.is_decimal(kind):
        return pa.array([value if value is None else _plain(f"{value:f}") for value in column.to_pylist()], pa.string())
    if pa.types.is_nested(kind):
        return pa.array([None if value is None else _cell(value) for value in column.to_pylist()], pa.string())
    return column.cast(pa.string())


def _plain(number: str) -> str:
    """A decimal number without zeros behind its point: keys come as 17.000000000000000000 out of Spark and Glue."""
    return number.rstrip("0").rstrip(".") if "." in number else number


def _of_bytes(column: pa.Array) -> pa.Array:
    """Bytes as the text that they are, else in hexadecimal digits, 16 of them as a UUID."""
    try:
        texts = column.cast(pa.binary()).cast(pa.string())
        if not pc.any(pc.match_substring_regex(texts, r"[\x00-\x08]")).as_py():
            return texts
    except pa.ArrowInvalid:
        pass
    is_uuid = pa.types.is_fixed_size_binary(column.type) and column.type.byte_width == UUID_BYTES
    values = (value if value is None else value.hex() for value in column.to_pylist())
    return pa.array([str(UUID(value)) if value and is_uuid else value for value in values], pa.string())


def _batch_text(columns: list[pa.Array]) -> bytes:
    out: IO[bytes] = io.BytesIO()
    table = pa.table(columns, [str(number) for number in range(len(columns))])
    arrow_csv.write_csv(table, out, arrow_csv.WriteOptions(include_header=False, quoting_style="all_valid"))
    return out.getvalue()  # type: ignore[attr-defined, no-any-return]
