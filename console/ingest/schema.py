"""Schemas: the Avro-style text that says what a dataset's columns are, read and held to the rules of each dataset type."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import pyarrow as pa

from console.errors import InvalidInputException
from console.json_values import json_kind
from recipes.columns import Kind
from recipes.json_text import read_json
from recipes.tables.field import ARROW
from recipes.tables.field import Field as Field  # noqa: PLC0414  pages take it from here
from recipes.tables.reserved import (
    DATASET_TYPES,
    DOMAIN_REQUIRED,
    MAX_METADATA,
    MAX_TEXTUAL,
    REQUIRED,
    RESERVED,
    Reserved,
)

JSONDict = dict[str, Any]


@dataclass(frozen=True)
class DatasetSchema:
    """The columns of a dataset of one type."""

    dataset_type: str
    fields: tuple[Field, ...]

    @cached_property
    def by_plain_name(self) -> dict[str, Field]:
        """Fields by their name without case and underscores, as requests name them; no two are alike."""
        return {plain(field.name): field for field in self.fields}

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names, in the schema's order."""
        return tuple(field.name for field in self.fields)

    @property
    def key(self) -> str:
        """The column that tells rows apart; "" where a row is an event."""
        return {"ITEMS": "ITEM_ID", "USERS": "USER_ID", "ACTIONS": "ACTION_ID"}.get(self.dataset_type, "")

    @property
    def id_columns(self) -> tuple[str, ...]:
        """The columns that hold ids."""
        return tuple(name for name in ("USER_ID", "ITEM_ID", "ACTION_ID") if name in self.names)

    @property
    def metadata(self) -> tuple[Field, ...]:
        """The columns that AWS reserves no meaning for."""
        known = REQUIRED[self.dataset_type].keys() | RESERVED[self.dataset_type].keys()
        return tuple(field for field in self.fields if field.name not in known)

    def field(self, name: str) -> Field | None:
        """The column of that name."""
        return next((field for field in self.fields if field.name == name), None)

    def kinds(self) -> dict[str, Kind]:
        """How models read each column that is neither an id nor a time of an event."""
        reserved = set(self.id_columns)
        if not self.key:
            reserved |= REQUIRED[self.dataset_type].keys() | RESERVED[self.dataset_type].keys()
        return {field.name: field.kind for field in self.fields if field.name not in reserved}

    def arrow(self) -> pa.Schema:
        """The columns as they are kept."""
        return pa.schema([pa.field(field.name, field.arrow) for field in self.fields])

    def stored(self) -> pa.Schema:
        """The columns as they are written: strings that recur by their dictionary, which spares the writer finding it."""
        return pa.schema([pa.field(field.name, _stored(field)) for field in self.fields])


def _stored(field: Field) -> pa.DataType:
    return pa.dictionary(pa.int32(), pa.string()) if field.type == "string" and not field.textual else field.arrow


def dataset_type(name: str) -> str | None:
    """The canonical dataset type behind a spelling: `Interactions`, `items`, `Action_Interactions`, `ActionInteractions`."""
    plain = re.sub(r"[\s_-]", "", name).upper()
    return next((known for known in DATASET_TYPES if known.replace("_", "") == plain), None)


def required_columns(kind: str, domain: str | None) -> dict[str, Reserved]:
    """The columns that a dataset of that type must have in a domain, the type's own first."""
    return REQUIRED[kind] | DOMAIN_REQUIRED.get((domain or "", kind), {})


def reserved_columns(kind: str, domain: str | None) -> dict[str, Reserved]:
    """The columns with a meaning of their own in a dataset of that type, required ones first."""
    return required_columns(kind, domain) | RESERVED[kind]


def plain(name: str) -> str:
    """A name without case and underscores, by which `numRatings` and `NUM_RATINGS` are one."""
    return name.replace("_", "").lower()


@lru_cache(maxsize=256)
def parse(text: str, domain: str | None = None) -> DatasetSchema:
    """Read a schema and hold it to the rules of its dataset type and domain.

    Raises:
        InvalidInputException: the text is no schema, or breaks a rule; names the column, its value and what is allowed.
    """
    document = _document(text)
    kind = dataset_type(str(document.get("name", "")))
    if kind is None:
        raise _invalid(f"name is {document.get('name')!r}, allowed is one of Interactions, Items, Users, Actions, "
                       "ActionInteractions.")  # fmt: skip
    if kind in {"ACTIONS", "ACTION_INTERACTIONS"} and domain:
        raise _invalid(
            f"a dataset group of domain {domain} holds no {document['name']} dataset; it is for custom groups."
        )
    entries = document.get("fields")
    if not isinstance(entries, list) or not entries:
        raise _invalid("fields must be a list of at least one field.")
    schema = DatasetSchema(kind, tuple(_field(entry) for entry in entries))
    _check_names(schema)
    _check_required(schema, domain)
    _check_reserved(schema, domain)
    _check_metadata(schema, domain)
    return schema


def text_of(kind: str, fields: tuple[Field, ...] | list[Field]) -> str:
    """The schema text that declares `fields` for a dataset type."""
    name = "".join(word.capitalize() for word in kind.split("_"))
    return json.dumps(
        {
            "type": "record",
            "name": name,
            "namespace": "com.amazonaws.personalize.schema",
            "fields": [_entry(field) for field in fields],
            "version": "1.0",
        }
    )


def _entry(field: Field) -> JSONDict:
    entry: JSONDict = {"name": field.name, "type": ["null", field.type] if field.nullable else field.type}
    flags = {"categorical": field.categorical, "textual": field.textual, "itemName": field.item_name}
    return entry | {name: True for name, value in flags.items() if value}


def _invalid(reason: str) -> InvalidInputException:
    return InvalidInputException(f"Invalid schema: {reason}", field="schema")


def _document(text: str) -> JSONDict:
    try:
        document = read_json(text)
    except ValueError as error:
        raise _invalid(f"it is not JSON ({error}).") from None
    if isinstance(document, str) and document.lstrip().startswith("{"):
        raise _invalid(
            "it is text within JSON, as where json.dumps is called twice; allowed is an object with the type record."
        )
    if not isinstance(document, dict) or document.get("type") != "record":
        found = document.get("type") if isinstance(document, dict) else json_kind(document)
        raise _invalid(f'type is {found!r}, allowed is "record".')
    return document


def _field(entry: Any) -> Field:
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
        raise _invalid(f"field {entry!r} must be an object with a name and a type.")
    name = entry["name"]
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise _invalid(f"field name {name!r} is not allowed; letters, digits and underscore are, and no digit first.")
    kind, nullable = _type(name, entry.get("type"))
    flags = {flag: _flag(name, entry, flag) for flag in ("categorical", "textual", "itemName")}
    if any(flags.values()) and kind != "string":
        flag = next(flag for flag, value in flags.items() if value)
        raise _invalid(f"field {name} is {flag} but of type {kind}; only string fields may be {flag}.")
    if flags["categorical"] and flags["textual"]:
        raise _invalid(f"field {name} is both categorical and textual; allowed is one of them.")
    return Field(name, kind, nullable, flags["categorical"], flags["textual"], flags["itemName"])


def _flag(name: str, entry: JSONDict, flag: str) -> bool:
    value = entry.get(flag, False)
    if not isinstance(value, bool):
        raise _invalid(f"field {name}: {flag} is {value!r}, allowed is true or false.")
    return value


def _type(name: str, declared: Any) -> tuple[str, bool]:
    words = declared if isinstance(declared, list) else [declared]
    types = [word for word in words if word != "null"]
    if len(types) != 1 or not isinstance(types[0], str) or types[0] not in ARROW:
        raise _invalid(
            f"field {name} has type {json.dumps(declared)}; allowed is one of {', '.join(ARROW)}, or a list of one of "
            'them and "null".'
        )
    return types[0], "null" in words


def _check_names(schema: DatasetSchema) -> None:
    seen: dict[str, str] = {}
    for name in schema.names:
        plain = name.replace("_", "").lower()
        if plain in seen:
            raise _invalid(
                f"fields {seen[plain]} and {name} are the same name once underscores and case are ignored; "
                "allowed are unique names."
            )
        seen[plain] = name


def _required(schema: DatasetSchema, domain: str | None) -> dict[str, Reserved]:
    return required_columns(schema.dataset_type, domain)


def _check_required(schema: DatasetSchema, domain: str | None) -> None:
    required = _required(schema, domain)
    missing = [name for name in required if name not in schema.names]
    if missing:
        where = f" in domain {domain}" if domain else ""
        raise _invalid(
            f"the {schema.dataset_type} schema lacks {', '.join(missing)}; required{where} are {', '.join(required)}."
        )
    for name in required:
        field = schema.field(name)
        if field and field.nullable:
            raise _invalid(f"field {name} is required, so its type must not include null.")


def _check_reserved(schema: DatasetSchema, domain: str | None) -> None:
    rules = RESERVED[schema.dataset_type] | _required(schema, domain)
    for field in schema.fields:
        rule = rules.get(field.name)
        if rule and field.type not in rule.types:
            raise _invalid(
                f"field {field.name} is reserved and has type {field.type}; allowed is {' or '.join(rule.types)}."
            )
        if rule and rule.categorical and not field.categorical:
            raise _invalid(f"field {field.name} is reserved in domain {domain} and must be categorical.")


def _check_metadata(schema: DatasetSchema, domain: str | None) -> None:
    kind, required = schema.dataset_type, _required(schema, domain)
    if schema.key and len(schema.fields) < 2:
        raise _invalid(f"an {kind} schema needs at least one field besides {schema.key}.")
    metadata = [field.name for field in schema.metadata if field.name not in required]
    if len(metadata) > MAX_METADATA[kind]:
        raise _invalid(f"{len(metadata)} metadata fields; at most {MAX_METADATA[kind]} are allowed for {kind}.")
    for flag in ("textual", "item_name"):
        flagged = [field.name for field in schema.fields if getattr(field, flag)]
        word = {"textual": "textual", "item_name": "itemName"}[flag]
        if flagged and kind not in {"ITEMS", "ACTIONS"}:
            raise _invalid(f"field {flagged[0]} is {word}; that is allowed in an Items schema only.")
        if len(flagged) > MAX_TEXTUAL:
            raise _invalid(f"fields {', '.join(flagged)} are {word}; at most {MAX_TEXTUAL} may be.")
