"""What a sample consists of: files with schemas, solutions, campaigns."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

Report = Callable[[str], None]


@dataclass(frozen=True)
class Field:
    """One column of a sample's schema."""

    name: str
    type: str | list[str] = "string"
    categorical: bool = False
    textual: bool = False

    def avro(self) -> dict[str, Any]:
        """The field as the schema's text has it."""
        flags = {name: True for name in ("categorical", "textual") if getattr(self, name)}
        return {"name": self.name, "type": self.type, **flags}


@dataclass(frozen=True)
class SampleDataset:
    """A dataset of a sample: its schema and its rows."""

    type: str
    fields: tuple[Field, ...]
    rows: pa.Table

    def schema_text(self) -> str:
        """The Avro schema."""
        return json.dumps(
            {
                "type": "record",
                "name": self.type,
                "namespace": "com.amazonaws.personalize.schema",
                "fields": [field.avro() for field in self.fields],
                "version": "1.0",
            }
        )


@dataclass(frozen=True)
class SampleCampaign:
    """A campaign of a sample: on the newest version of `solution`, and of `until` while that is not trained yet."""

    name: str
    solution: str
    config: dict[str, Any] = field(default_factory=dict)
    until: str = ""


@dataclass(frozen=True)
class Sample:
    """A sample: where its rows come from, and what is made of them.

    Attributes:
        name: the sample's and its dataset group's.
        datasets: downloads or makes the rows.
        solutions: recipes by the solutions' names, in the order of training.
        campaigns: what answers requests.
        fast: the solutions that are trained in seconds, so that something answers while better ones are trained.
    """

    name: str
    datasets: Callable[[Path, Report], list[SampleDataset]]
    solutions: dict[str, str]
    campaigns: tuple[SampleCampaign, ...]
    fast: frozenset[str] = frozenset()
