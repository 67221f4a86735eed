"""Avro files as comma-separated text: what Kafka, Spark and Glue write of events."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import fastavro

from recipes.tables.packed import Chained, PackedError, copied
from recipes.tables.structured import entries_text

MAGIC = b"Obj\x01"


def avro_text(source: Chained) -> Iterator[bytes]:
    """The records of a file as comma-separated text; records within records become columns.

    Raises:
        PackedError: its entries are no records, or it is damaged.
    """
    with copied(source) as file:
        try:
            found = fastavro.reader(file)
            if not isinstance(found.writer_schema, dict) or found.writer_schema.get("type") != "record":
                raise PackedError("is an Avro file whose entries are no records; a record for each row is needed")
            yield from entries_text(found)
        except (
            ValueError,
            EOFError,
            KeyError,
            IndexError,
            TypeError,
            OverflowError,
            zlib.error,
            struct.error,
        ) as error:
            raise PackedError(f"looks like Avro but cannot be read: {str(error) or type(error).__name__}") from error
