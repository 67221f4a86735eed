"""`Dataset`: interactions, items and users as pandas frames, CSV or Parquet files, ready to be trained on.

Column names are AWS's in any case, or those that implicit and RecTools use (user_id, item_id, datetime).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recipes.base import RecipeError
from recipes.cli.tables import known_histories, read_training
from recipes.data import Histories, TrainingData

if TYPE_CHECKING:
    import pandas as pd

SYNONYMS = {"DATETIME": "TIMESTAMP", "TIME": "TIMESTAMP", "USER": "USER_ID", "ITEM": "ITEM_ID"}
IDS = frozenset({"USER_ID", "ITEM_ID"})
LATEST_SECONDS = 10**11  # the year 5138; a larger number counts milliseconds or less
WHOLE_FLOATS = 2**53  # beyond it a float no longer holds every whole number


class Dataset:
    """The interactions of users with items, and what is known of both.

    Attributes:
        training: the same as arrays with internal indexes, which is what `recipes.base.Recipe.fit` takes.
    """

    def __init__(self, training: TrainingData) -> None:
        """Keep arrays that are already encoded."""
        self.training = training

    def __repr__(self) -> str:
        """Its sizes."""
        data = self.training
        return f"Dataset({len(data.interactions):,} interactions, {data.num_users:,} users, {data.num_items:,} items)"

    @classmethod
    def from_frames(
        cls,
        interactions: pd.DataFrame,
        items: pd.DataFrame | None = None,
        users: pd.DataFrame | None = None,
    ) -> Self:
        """Encode pandas frames.

        Args:
            interactions: user_id, item_id and timestamp (seconds since 1970, or datetimes) for each event; event_type,
                event_value and context columns where they are known.
            items: item_id and metadata, one row for each item.
            users: user_id and metadata, one row for each user.

        Raises:
            RecipeError: a column is missing or a value cannot be used; names the frame, the column, the row's label, the
                value and what is allowed.
        """
        frames = {"interactions": interactions, "items": items, "users": users}
        tables = {name: _from_frame(frame, name) for name, frame in frames.items() if frame is not None}
        return cls._of_tables(tables, {name: _labels(frame) for name, frame in frames.items() if frame is not None})

    @classmethod
    def from_csv(
        cls, interactions: str | Path, items: str | Path | None = None, users: str | Path | None = None
    ) -> Self:
        """Read CSV files with AWS's column names, as `python -m recipes train` does.

        Raises:
            recipes.cli.tables.InputError: a file cannot be used; names the file, row, column and value.
        """
        optional = [Path(path) if path else None for path in (items, users)]
        return cls(read_training(Path(interactions), *optional))

    @classmethod
    def from_parquet(
        cls, interactions: str | Path, items: str | Path | None = None, users: str | Path | None = None
    ) -> Self:
        """Read Parquet files, or folders of them, with the columns that `from_frames` takes.

        Raises:
            RecipeError: as `from_frames`; rows are counted from 0.
        """
        paths = {"interactions": interactions, "items": items, "users": users}
        tables = {name: pq.read_table(path) for name, path in paths.items() if path is not None}
        return cls._of_tables(tables, dict.fromkeys(tables, _position))

    @classmethod
    def _of_tables(cls, tables: dict[str, pa.Table], labels: dict[str, Callable[[int], object]]) -> Self:
        required = {"interactions": ("USER_ID", "ITEM_ID", "TIMESTAMP"), "items": ("ITEM_ID",), "users": ("USER_ID",)}
        checked = {name: _checked(table, name, required[name], labels[name]) for name, table in tables.items()}
        return cls(TrainingData.from_tables(checked["interactions"], checked.get("items"), checked.get("users")))

    def histories(self, users: Sequence[str]) -> Histories:
        """The events of `users` in their order, oldest first; empty for unknown users."""
        return known_histories(users, self.training)


def _labels(frame: pd.DataFrame) -> Callable[[int], object]:
    return lambda row: frame.index[row]


def _position(row: int) -> object:
    return row


def _from_frame(frame: pd.DataFrame, name: str) -> pa.Table:
    """Turn a frame into a table column by column, so that an error names its column."""
    columns = {}
    for column in frame.columns:
        try:
            columns[str(column)] = pa.array(frame[column], from_pandas=True)
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            columns[str(column)] = pa.array([None if value is None else str(value) for value in frame[column]])
        except ValueError as error:  # two columns of one name
            raise RecipeError(f"{name}: column {column} cannot be read: {error}.") from None
    return pa.table(columns)


def _checked(table: pa.Table, name: str, required: Sequence[str], label: Callable[[int], object]) -> pa.Table:
    """The table with AWS's column names, ids as text and times in seconds.

    Raises:
        RecipeError: a required column is missing, or one of its values cannot be used.
    """
    titles = [_title(column) for column in table.column_names]
    if twice := sorted({title for title in titles if titles.count(title) > 1}):
        raise RecipeError(f"{name}: {twice[0]} stands for several columns ({', '.join(table.column_names)}).")
    if missing := [title for title in required if title not in titles]:
        raise RecipeError(f"{name}: column {missing[0]} is missing, it has {', '.join(table.column_names) or 'none'}.")
    if table.num_rows == 0 and name == "interactions":
        raise RecipeError("interactions: there are no rows; at least one event is needed.")
    columns = {}
    for title, column in zip(titles, table.columns, strict=True):
        values = column.combine_chunks()
        values = values.dictionary_decode() if pa.types.is_dictionary(values.type) else values
        if title in IDS and title in required:
            values = _ids(values, name, title, label)
        elif title in {"TIMESTAMP", "CREATION_TIMESTAMP"}:
            values = _seconds(values, name, title, label, is_required=title in required)
        columns[title] = values
    return pa.table(columns)


def _title(column: str) -> str:
    upper = column.strip().upper()
    return SYNONYMS.get(upper, upper)


def _refuse_nulls(values: pa.Array, name: str, title: str, label: Callable[[int], object]) -> None:
    row = pc.index(pc.is_null(values, nan_is_null=True), value=True).as_py()
    if row >= 0:
        raise RecipeError(f"{name}: row {label(row)}: {title} is empty, every row needs one.")


def _ids(values: pa.Array, name: str, title: str, label: Callable[[int], object]) -> pa.Array:
    """Ids as text; whole floats, which pandas makes of integers beside gaps, lose their ".0"."""
    _refuse_nulls(values, name, title, label)
    if pa.types.is_floating(values.type):
        numbers = values.to_numpy(zero_copy_only=False)
        unfit = np.flatnonzero((numbers != np.floor(numbers)) | (np.abs(numbers) >= WHOLE_FLOATS))
        if len(unfit):
            row = int(unfit[0])
            allowed = f"text or a whole number below {WHOLE_FLOATS:,} is needed; read the column as text"
            raise RecipeError(f"{name}: row {label(row)}: {title} is {numbers[row].item()!r}, {allowed}.")
        values = pc.cast(values, pa.int64())
    texts = pc.cast(values, pa.string())
    row = pc.index(texts, value=pa.scalar("")).as_py()
    if row >= 0:
        raise RecipeError(f"{name}: row {label(row)}: {title} is empty, every row needs one.")
    return texts


def _seconds(values: pa.Array, name: str, title: str, label: Callable[[int], object], *, is_required: bool) -> pa.Array:
    """Epoch seconds of datetimes, dates and numbers."""
    if is_required:
        _refuse_nulls(values, name, title, label)
    if pa.types.is_timestamp(values.type) or pa.types.is_date(values.type):
        return pc.cast(pc.cast(values, pa.timestamp("s"), safe=False), pa.int64())
    if not (pa.types.is_integer(values.type) or pa.types.is_floating(values.type) or pa.types.is_null(values.type)):
        row = max(0, pc.index(pc.is_valid(values), value=True).as_py())
        raise RecipeError(
            f"{name}: row {label(row)}: {title} is {values[row].as_py()!r}, seconds since 1970 or datetimes are needed; "
            "pandas.to_datetime makes them of text."
        )
    numbers = pc.cast(values, pa.float64())
    row = pc.index(pc.greater_equal(pc.abs(numbers), float(LATEST_SECONDS)), value=True).as_py()
    if row >= 0:
        raise RecipeError(
            f"{name}: row {label(row)}: {title} is {values[row].as_py()}, seconds since 1970 are needed; "
            "pandas.to_datetime(…, unit='ms') reads milliseconds."
        )
    return pc.cast(pc.floor(numbers), pa.int64())
