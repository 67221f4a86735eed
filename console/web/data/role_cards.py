"""Who, what, when and which event: the few columns an import stands on, each as a card over a file's table.

A card shows the column that has its role, samples as they are read, and what is missing. Choosing another column on a card,
or answering a question, changes the columns' form; both work as plain form fields.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext

from console.ingest.date_parts import date_parts
from console.ingest.mapping import column_name, sample
from console.ingest.schema import required_columns
from console.shapes import JSONDict
from console.web.languages import lazily

CONSTANT = "="
SAMPLES = 3


@dataclass(frozen=True)
class Role:
    """A column with a meaning of its own: its name in the schema, the card's title, and what to do where it is missing."""

    name: str
    title: str
    icon: str
    gap: str = ""
    without: str = ""  # what happens without it, where it is optional
    may_be_constant: bool = False


WHO = Role("USER_ID", lazily("Who"), "person", lazily("Choose the column that identifies the user."))
WHAT = Role("ITEM_ID", lazily("What"), "box-seam", lazily("Choose the column that identifies the item."))
WHEN = Role(
    "TIMESTAMP",
    lazily("When"),
    "clock",
    lazily("Choose the column with the time of the event, or one date for every row."),
    may_be_constant=True,
)
EVENT = Role(
    "EVENT_TYPE",
    lazily("Event"),
    "lightning",
    lazily("Choose the column with the event type, or enter one for every row."),
    lazily("Optional. Without it all rows count alike."),
    may_be_constant=True,
)
WHICH = Role("ITEM_ID", lazily("Which"), "box-seam", lazily("Choose the column with one id for each item."))
SINCE = Role(
    "CREATION_TIMESTAMP",
    lazily("Since"),
    "calendar-plus",
    lazily("Choose the column with the date since when the item exists."),
    lazily("Optional. With it new items can be explored."),
)
ROLES: dict[str, tuple[Role, ...]] = {
    "INTERACTIONS": (WHO, WHAT, WHEN, EVENT),
    "ITEMS": (
        WHICH,
        Role(
            "TITLE",
            lazily("Title"),
            "type",
            without=lazily("Optional. Without it items are shown by their ids."),
        ),
        Role(
            "IMAGE_URL",
            lazily("Picture"),
            "image",
            without=lazily("Optional. Without it items are shown with a placeholder."),
        ),
        SINCE,
    ),
    "USERS": (WHO,),
    "ACTIONS": (
        Role(
            "ACTION_ID",
            lazily("Which"),
            "hand-index",
            lazily("Choose the column with one id for each action."),
        ),
        SINCE,
    ),
    "ACTION_INTERACTIONS": (
        WHO,
        Role(
            "ACTION_ID",
            lazily("Action"),
            "hand-index",
            lazily("Choose the column that identifies the action."),
        ),
        WHEN,
        EVENT,
    ),
}
DOMAIN_ROLES: dict[str, Role] = {
    "PRICE": Role("PRICE", lazily("Price"), "tag", lazily("Choose the column with the price.")),
    "CATEGORY_L1": Role("CATEGORY_L1", lazily("Category"), "diagram-3", lazily("Choose the column with the main category.")),
    "GENRES": Role("GENRES", lazily("Genres"), "diagram-3", lazily("Choose the column with the genres.")),
}  # fmt: skip


@dataclass(frozen=True)
class Card:
    """A role as it stands: the column chosen, samples as they are read, what is missing."""

    role: Role
    source: str
    options: tuple[str, ...]
    samples: tuple[str, ...]
    gap: str
    is_required: bool
    constant: str | None = None
    note: str = ""


def roles_of(kind: str, domain: str | None) -> list[Role]:
    """The cards of a dataset's type: those every file has, then those that the domain asks for."""
    shown = ROLES[kind]
    names = {role.name for role in shown}
    return [
        *shown,
        *(DOMAIN_ROLES[name] for name in required_columns(kind, domain) if name not in names and name in DOMAIN_ROLES),
    ]


def cards_of(kind: str, domain: str | None, chosen: Sequence[JSONDict], found: JSONDict) -> list[Card]:
    """The cards for columns as they are chosen now (CreateDatasetFromFile's `columns`)."""
    guesses = {guess["source"]: guess for guess in found["columns"]}
    required = required_columns(kind, domain)
    cards = []
    for role in roles_of(kind, domain):
        column = next((one for one in chosen if one["name"] == role.name), None)
        guess = guesses.get(column.get("source", ""), {}) if column else {}
        samples = _samples(column, guess) if column else ()
        gap = _gap(role, column, guess, samples, role.name in required)
        constant = column.get("entered", column.get("constant")) if column else None
        source = CONSTANT if constant is not None else str(guess.get("source", ""))
        parts = date_parts(found["columns"]) if gap and role is WHEN else ()
        gap = _gap_of_parts(parts) if parts and (not source or source in parts) else gap
        note = _note(source, found) if role.name in required else ""
        cards.append(Card(role, source, tuple(guesses), samples, gap, role.name in required, constant, note))
    return cards


def _note(source: str, found: JSONDict) -> str:
    """What the preview warns of a column with a role."""
    return next((warning for warning in found.get("warnings", []) if f" of {source} are empty;" in warning), "")


def _samples(column: JSONDict, guess: JSONDict) -> tuple[str, ...]:
    return tuple(text for raw in guess.get("examples", [])[:SAMPLES] if (text := sample(raw, column)))


def _gap(role: Role, column: JSONDict | None, guess: JSONDict, samples: Sequence[str], is_required: bool) -> str:
    """What is missing at a card, in words; "" where nothing is."""
    if column is None or column.get("constant") == "":
        return role.gap if is_required else ""
    if guess.get("examples") and not samples:
        unread = guess["examples"][0]
        return (
            gettext("{unread} is not read as {type}. Choose another type below.").format(
                unread=unread, type=column.get("type", "text")
            )
            if not _is_time(role)
            else (
                gettext("{unread} is not read as a time. Choose another column, or its type below.").format(
                    unread=unread
                )
            )
        )
    return (
        gettext("A time is needed; choose how it is written below.")
        if _is_time(role) and guess and not column.get("timestampUnit")
        else ""
    )


def _gap_of_parts(parts: Sequence[str]) -> str:
    """What to do where a date stands in three columns."""
    year, month, day = parts
    return gettext(
        "The date stands in three columns: {year}, {month} and {day}. Write it into one column of the file, as in 2024-01-31, and "
        "upload the file again; or choose one date for every row."
    ).format(year=year, month=month, day=day)


def _is_time(role: Role) -> bool:
    return role.name.endswith("TIMESTAMP")


def described_gap(kind: str, chosen: Sequence[JSONDict]) -> str:
    """Items and users need a column besides their id."""
    if len(chosen) >= 2:
        return ""
    if kind == "ITEMS":
        return gettext("Use at least one column that describes the item.")
    return gettext("Use at least one column that describes the user.") if kind == "USERS" else ""


def open_questions(found: JSONDict, data: QueryDict | None, prefix: str) -> list[JSONDict]:
    """The questions with their answers so far; `is_open` where nothing tells the answer yet."""
    shown = []
    for number, question in enumerate(found.get("questions", [])):
        field = f"{prefix}answer-{number}"
        answer = (data.get(field) if data else None) or question.get("suggested", "")
        shown.append(
            question
            | {
                "field": field,
                "answer": answer,
                "is_open": not answer,
                "choices": [one | {"is_chosen": one["value"] == answer} for one in question["options"]],
            }
        )
    return shown


def applied(data: QueryDict, kind: str, domain: str | None, found: JSONDict, prefix: str) -> QueryDict:
    """The form's data after what was chosen on cards and answered to questions."""
    changed = data.copy()
    rows = {changed.get(f"{prefix}form-{n}-source", ""): f"{prefix}form-{n}" for n in range(len(found["columns"]))}
    guesses = {guess["source"]: guess for guess in found["columns"]}
    for number, question in enumerate(found.get("questions", [])):
        answer, before = changed.get(f"{prefix}answer-{number}"), changed.get(f"{prefix}answered-{number}")
        if answer and answer != before:
            _answer(changed, question, answer, rows)
    for role in roles_of(kind, domain):
        source = changed.get(f"{prefix}role-{role.name}")
        if source is not None and source != changed.get(f"{prefix}held-{role.name}", ""):
            _give(changed, role.name, source, rows, guesses)
    return changed


def _answer(data: QueryDict, question: JSONDict, answer: str, rows: dict[str, str]) -> None:
    row = rows.get(question["column"], "")
    match question["member"]:
        case "timestampUnit":
            data[f"{row}-look"] = answer
        case "decimal":
            if answer != data.get(f"{row}-decimal") and data.get(f"{row}-look") == "long":
                data[f"{row}-look"] = "double"  # its thousands are decimals now
            data[f"{row}-decimal"] = answer
        case _ if answer in rows and answer != question["column"]:
            ours, theirs = data.get(f"{row}-name", ""), data.get(f"{rows[answer]}-name", "")
            swapped = theirs if theirs in {"USER_ID", "ITEM_ID"} else column_name(question["column"])
            data[f"{rows[answer]}-name"], data[f"{row}-name"] = ours, swapped


def _give(data: QueryDict, name: str, source: str, rows: dict[str, str], guesses: dict[str, Any]) -> None:
    """Let the column `source` have the role, and no other."""
    for other, row in rows.items():
        if data.get(f"{row}-name") == name and other != source:
            data[f"{row}-name"] = column_name(other)
    if source in rows:
        row = rows[source]
        data[f"{row}-name"], data[f"{row}-use"] = name, "on"
        if name.endswith("TIMESTAMP") and guesses[source].get("recognisedUnit"):
            data[f"{row}-look"] = guesses[source]["recognisedUnit"]
        elif name in {"USER_ID", "ITEM_ID", "ACTION_ID", "TITLE", "IMAGE_URL", "EVENT_TYPE"}:
            data[f"{row}-look"] = "string"
