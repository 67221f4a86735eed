"""The steps of a plan, as people read them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from console.configuration.kinds import Kind
from console.shapes import JSONDict


class Action(StrEnum):
    """What a step does, as people read it."""

    CREATE = "+"
    CHANGE = "~"
    FILL = "<"
    TRAIN = "*"
    CONFLICT = "!"


@dataclass(frozen=True)
class Step:
    """One thing to do.

    Attributes:
        entry: as the document has it.
        differences: by path, what there is and what the document says.
        is_added: whether imported rows are added to those that are there.
        refusal: why the step cannot be taken, to follow the name of the resource.
    """

    action: Action
    kind: Kind
    entry: JSONDict
    differences: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    is_added: bool = False
    refusal: str = ""

    def __str__(self) -> str:
        """A line for people, and one for each difference."""
        name = f"{self.action} {self.kind.noun} {self.entry['name']}"
        match self.action:
            case Action.FILL:
                return f"{name}: import {self.entry['importFrom']}{', added' if self.is_added else ''}"
            case Action.TRAIN:
                return f"{name}: train a version"
            case Action.CONFLICT if self.refusal:
                return f"{name} {self.refusal}"
            case Action.CONFLICT:
                name += " cannot be changed in place; delete it first, or change the document"
        changes = [f"    {path}: {_short(now)} → {_short(wanted)}" for path, (now, wanted) in self.differences.items()]
        return "\n".join([name, *changes])


@dataclass(frozen=True)
class Plan:
    """Steps in the order in which they are taken, and what the account has beside the document."""

    steps: list[Step]
    unchanged: int
    others: list[str]

    @property
    def conflicts(self) -> list[Step]:
        """Steps that cannot be taken."""
        return [step for step in self.steps if step.action is Action.CONFLICT]

    def __str__(self) -> str:
        """The plan for people."""
        lines = [str(step) for step in self.steps] or ["Nothing to do."]
        lines.append(f"{self.unchanged} unchanged.")
        if self.others:
            lines.append(f"Only in the account, left as they are: {', '.join(self.others)}.")
        return "\n".join(lines)


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}…"
