"""One column as it is wanted: name, type, and what a cell may hold."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from recipes.columns import Kind

ARROW = {
    "string": pa.string(),
    "int": pa.int64(),
    "long": pa.int64(),
    "float": pa.float64(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
}
ID_COLUMNS = {"USER_ID", "ITEM_ID", "ACTION_ID"}
TIME_COLUMNS = {"TIMESTAMP", "CREATION_TIMESTAMP", "ACTION_EXPIRATION_TIMESTAMP", "EXPIRATION_TIMESTAMP"}
MAX_ID_LENGTH = 256
MAX_CATEGORY_LENGTH = 1000
MAX_TEXT_LENGTH = 20_000


@dataclass(frozen=True)
class Field:
    """One column of a schema; `type` is Avro's word."""

    name: str
    type: str
    nullable: bool = False
    categorical: bool = False
    textual: bool = False
    item_name: bool = False

    @property
    def arrow(self) -> pa.DataType:
        """How the column is kept."""
        return ARROW[self.type]

    @property
    def kind(self) -> Kind:
        """How models read the column; booleans and plain strings are shown and filtered by, not trained on."""
        if self.type == "string":
            return Kind.CATEGORICAL if self.categorical else Kind.TEXT if self.textual else Kind.LABEL
        return Kind.LABEL if self.type == "boolean" else Kind.NUMERIC

    @property
    def is_id(self) -> bool:
        """Whether the column says which user, item or action a row is about."""
        return self.name in ID_COLUMNS

    @property
    def is_time(self) -> bool:
        """Whether the column holds epoch seconds."""
        return self.name in TIME_COLUMNS

    @property
    def max_length(self) -> int | None:
        """How many characters a value may have."""
        if self.is_id or self.name in {"EVENT_TYPE", "RECOMMENDATION_ID"}:
            return MAX_ID_LENGTH
        return MAX_CATEGORY_LENGTH if self.categorical or self.name == "IMPRESSION" else None
