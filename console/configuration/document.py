"""The document: sections of entries, as YAML and back; what is wrong with one is said with its place in it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from console.configuration.kinds import BY_NOUN, BY_SECTION, KINDS, Kind
from console.json_values import is_storable, without_nulls
from console.shapes import SERVICES, JSONDict
from console.validation import violations

FORMAT = 1
MARK = "openpersonalize"  # the key that tells the format
TEXT = "Member must be a string"
LOCATION = SERVICES["personalize"].shape_for("S3Location")


class _Loader(yaml.SafeLoader):
    """Refuses a key that a mapping has twice, of which only the last would count."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """The mapping.

        Raises:
            ConstructorError: a key stands in it twice.
        """
        seen: set[tuple[str, str]] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if (key.tag, key.value) in seen:
                raise yaml.constructor.ConstructorError(None, None, f"the key {key.value} stands twice", key.start_mark)
            seen.add((key.tag, key.value))
        made: dict[Any, Any] = super().construct_mapping(node, deep)
        return made


class DocumentError(Exception):
    """The document cannot be used; the message names the place, what stands there and what is allowed."""


@dataclass(frozen=True)
class Document:
    """Entries by the section of their kind, each a mapping of AWS's members with references by name."""

    sections: Mapping[str, list[JSONDict]] = field(default_factory=dict)

    def entries(self) -> Iterator[tuple[Kind, JSONDict]]:
        """All entries in the order in which they are made."""
        for kind in KINDS:
            for entry in self.sections.get(kind.section, []):
                yield kind, entry

    def to_yaml(self) -> str:
        """Text that `from_yaml` reads."""
        content = {MARK: FORMAT} | {
            kind.section: self.sections[kind.section] for kind in KINDS if self.sections.get(kind.section)
        }
        return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120)

    @classmethod
    def from_yaml(cls, text: str) -> Document:
        """Read and check a document.

        Raises:
            DocumentError: it is no YAML, or something in it is unknown, missing or given twice.
        """
        try:
            content = yaml.load(text, _Loader)  # noqa: S506  a safe loader
        except yaml.YAMLError as error:
            raise DocumentError(f"The document is not YAML: {' '.join(str(error).split())}") from None
        except RecursionError:
            raise DocumentError("The document is nested too deeply.") from None
        if not isinstance(content, dict) or content.get(MARK) != FORMAT:
            raise DocumentError(f"The document must begin with `{MARK}: {FORMAT}`, which says its format.")
        return cls.checked({name: entries for name, entries in content.items() if name != MARK})

    @classmethod
    def checked(cls, sections: Mapping[Any, Any]) -> Document:
        """The document of these sections, which come from outside.

        Raises:
            DocumentError: something in them is unknown, missing, given twice, or nothing that an operation takes.
        """
        if unknown := [name for name in sections if name not in BY_SECTION]:
            raise DocumentError(f"There is no section {unknown[0]}; allowed are {', '.join(BY_SECTION)}.")
        return cls({name: _entries(BY_SECTION[name], found) for name, found in sections.items()})


def _entries(kind: Kind, found: Any) -> list[JSONDict]:
    if not isinstance(found, list):
        raise DocumentError(f"{kind.section} is {_shown(found)}, a list of entries is needed.")
    entries = [_entry(kind, place, entry) for place, entry in enumerate(found)]
    keys = [kind.key(entry) for entry in entries]
    if twice := [key for key in keys if keys.count(key) > 1]:
        raise DocumentError(f"{kind.section} has two entries named {twice[0][-1]}.")
    return entries


def _entry(kind: Kind, place: int, entry: Any) -> JSONDict:
    where = f"{kind.section}[{place}]"
    if not isinstance(entry, dict):
        raise DocumentError(f"{where} is {_shown(entry)}, a mapping is needed.")
    if unknown := [member for member in entry if member not in kind.members]:
        raise DocumentError(f"{where} has {unknown[0]}, allowed are {', '.join(kind.members)}.")
    if missing := [member for member in kind.required if entry.get(member) in (None, "")]:
        raise DocumentError(f"{where} ({entry.get('name', 'without a name')}) lacks {missing[0]}.")
    _check_value(entry, where)
    _check_texts(kind, entry, where)
    _check_members(kind, entry, where)
    return dict(entry)


def _check_texts(kind: Kind, entry: JSONDict, where: str) -> None:
    """Hold names, references and tags to be text."""
    tags = entry.get("tags") or {}
    if not isinstance(tags, dict):
        raise DocumentError(f"{where}.tags is {_shown(tags)}, a mapping is needed.")
    texts = {member: entry[member] for member in ("name", *kind.references.values()) if member in entry}
    for path, value in (texts | {f"tags.{tag}": value for tag, value in tags.items()}).items():
        if not isinstance(value, str):
            raise _not_text(f"{where}.{path}", value)


def _check_members(kind: Kind, entry: JSONDict, where: str) -> None:
    """Hold members to what the operation that makes the entry takes, which would refuse them when half is applied.

    Raises:
        DocumentError: a member has another type or breaks another rule of AWS's model.
    """
    if "schema" in entry and kind is BY_NOUN["schema"] and not isinstance(entry["schema"], dict):
        raise DocumentError(f"{where}.schema is {_shown(entry['schema'])}, a mapping is needed.")
    places = entry.get("importFrom") or []
    given = {member: value for member, value in entry.items() if value is not None and member in kind.shapes}
    values = [(kind.shapes[member], value, f"{where}.{member}") for member, value in given.items()]
    values += [(LOCATION, place, f"{where}.importFrom") for place in (places if isinstance(places, list) else [places])]
    for shape, value, path in values:
        for at, found, rule in violations(shape, without_nulls(value), path):
            raise DocumentError(f"{at} is {_shown(found)}. {rule}.{' Put it in quotes.' if rule == TEXT else ''}")


def _check_value(value: Any, where: str, above: tuple[Any, ...] = ()) -> None:
    """Hold a value, and all within it, to what JSON has and databases can keep.

    Raises:
        DocumentError: it holds a date, a key that is no text, text that is no Unicode, no finite number, or itself.
    """
    if any(value is one for one in above):
        raise DocumentError(f"{where} holds itself.")
    if isinstance(value, str) and not is_storable(value):
        raise DocumentError(f"{where} is {_shown(value)}, which is no Unicode text or holds NUL.")
    if isinstance(value, float) and not math.isfinite(value):
        raise DocumentError(f"{where} is {value}, which is no number of JSON.")
    if not isinstance(value, dict | list | str | int | float | None):
        raise _not_text(where, value)
    for key, within in _parts(value, where):
        _check_value(within, key, (*above, value))


def _parts(value: Any, where: str) -> Iterator[tuple[str, Any]]:
    """What a mapping or a list holds, each with its place."""
    if isinstance(value, list):
        yield from ((f"{where}[{place}]", within) for place, within in enumerate(value))
    elif isinstance(value, dict):
        for key, within in value.items():
            if not isinstance(key, str):
                raise _not_text(f"{where}'s key", key)
            yield f"{where}'s key", key
            yield f"{where}.{key}", within


def _not_text(where: str, value: Any) -> DocumentError:
    return DocumentError(f"{where} is {_shown(value)}, text is needed; put it in quotes.")


def _shown(value: Any) -> str:
    """A value as it can be printed, whatever YAML made of it."""
    return (json.dumps(value) if isinstance(value, str | int | float | None) else repr(value))[:60]


def entry_of(kind: Kind, described: Mapping[str, Any], tags: list[JSONDict] | None = None) -> JSONDict:
    """The entry that makes what a Describe… operation returned: members of Create…, ARNs as names, tags as a mapping."""
    entry: JSONDict = {}
    for wire, value in described.items():
        member = kind.references.get(wire, wire)
        if member not in kind.members or value in (None, "", {}, []):
            continue
        entry[member] = name_of(value) if wire in kind.references else value
    if kind is BY_NOUN["schema"] and isinstance(entry.get("schema"), str):
        entry["schema"] = _schema(entry)
    if tags:
        entry["tags"] = {tag["tagKey"]: tag["tagValue"] for tag in tags}
    return {"name": entry.pop("name")} | entry


def _schema(entry: JSONDict) -> Any:
    try:
        return json.loads(entry["schema"])
    except ValueError as error:
        raise DocumentError(f"The schema of {entry['name']} is not JSON: {error}.") from None


def name_of(arn: str) -> str:
    """What an ARN names: of a solution version its solution.

    >>> name_of("arn:aws:personalize:us-east-1:000000000000:solution/films/2f7")
    'films'
    """
    resource = arn.rpartition(":")[2]
    return resource.split("/")[1] if "/" in resource else arn
