"""Files of a hosted account's answers as Python values: JSON, YAML or what Python prints, one document or several, in any encoding that a shell writes."""

from __future__ import annotations

import ast
import codecs
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from console.configuration.document import DocumentError
from console.shapes import JSONDict

SUFFIXES = {".json", ".jsonl", ".ndjson", ".yaml", ".yml", ".template"}
TIME = re.compile(
    r"datetime\.datetime\(([\d,\s]+?)(?:,\s*tzinfo=[\w.]+(?:\((?:[^()]|\([^()]*\))*\))?)?\)"
)  # as Python prints it
MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}  # PowerShell's `>`


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short tags in their long form: `!Ref X` is {"Ref": "X"}, `!Sub X` {"Fn::Sub": "X"}."""


def _short_tag(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> Any:
    name = suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        return {name: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    if isinstance(node, yaml.MappingNode):
        return {name: loader.construct_mapping(node, deep=True)}
    return {name: None}


_Loader.add_multi_constructor("!", _short_tag)
_Loader.yaml_implicit_resolvers = {  # a version such as 2010-09-09 and a time stay text, as in JSON
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def documents(paths: Iterable[Path]) -> Iterator[Any]:
    """What the files hold, and all files below folders, one document after the other.

    Raises:
        DocumentError: a file is not there or cannot be read.
    """
    for path in paths:
        if not path.exists():
            raise DocumentError(f"There is no file {path}.")
        below = sorted(file for file in path.rglob("*") if file.suffix in SUFFIXES) if path.is_dir() else [path]
        for file in below:
            yield from _contents(file)


def parse(text: str) -> list[Any]:
    """All documents of a text: JSON ones behind each other, as `>>` leaves them, what `print` shows of boto3's answers, or YAML.

    Raises:
        ValueError: it is neither.
        yaml.YAMLError: it is neither.
    """
    try:
        return _json_documents(text)
    except ValueError as fault:
        if (printed := _printed(text)) is not None:
            return printed
        try:
            return list(yaml.load_all(text, _Loader))
        except yaml.YAMLError:
            if text.lstrip()[:1] in {"{", "["}:
                raise fault from None
            raise


def mappings(content: Any, seen: set[int] | None = None) -> Iterator[JSONDict]:
    """All mappings anywhere in a document; one to which YAML refers again and again comes once."""
    seen = set() if seen is None else seen
    if not isinstance(content, dict | list) or id(content) in seen:
        return
    seen.add(id(content))
    if isinstance(content, dict):
        yield content
    for value in content.values() if isinstance(content, dict) else content:
        yield from mappings(value, seen)


def template_of(content: Any) -> Mapping[str, Any] | None:
    """The CloudFormation template that a document is, or that `get-template` printed in it; None where there is none."""
    if not isinstance(content, dict):
        return None
    body = content.get("TemplateBody", content)
    if isinstance(body, str):
        body = parse(body)[0]
    return body if isinstance(body, dict) and isinstance(body.get("Resources"), dict) else None


def _contents(path: Path) -> list[Any]:
    try:
        data = path.read_bytes()
        encoding = next((name for mark, name in MARKS.items() if data.startswith(mark)), "utf-8")
        return parse(data.decode(encoding))
    except (ValueError, OSError, RecursionError, yaml.YAMLError) as error:
        raise DocumentError(f"{path} cannot be read: {' '.join(str(error).split())[:200]}") from None


def _printed(text: str) -> list[Any] | None:
    """Dictionaries and lists as Python prints them, times as ISO 8601; None if it is something else."""
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        parsed = ast.parse(TIME.sub(_iso_time, text).strip())
        return [ast.literal_eval(line.value) for line in parsed.body if isinstance(line, ast.Expr)]
    except (ValueError, IndexError, SyntaxError, MemoryError, RecursionError):
        return None


def _iso_time(printed: re.Match[str]) -> str:
    numbers = [*map(int, printed[1].split(",")), 0, 0, 0][:6]
    return repr("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}".format(*numbers))


def _json_documents(text: str) -> list[Any]:
    decoder, found, at = json.JSONDecoder(), [], 0
    text = text.strip()
    while at < len(text):
        content, at = decoder.raw_decode(text, at)
        found.append(content)
        while at < len(text) and text[at] in " \t\r\n,":
            at += 1
    return found
