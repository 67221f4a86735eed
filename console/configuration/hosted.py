"""From a hosted Amazon Personalize account to a document: what its List and Describe operations printed, or a template.

boto3's answers and the CLI's output are the same JSON. A file may hold one answer, or a list or mapping of several; summaries of
List are enough for names and the full answers of Describe add the rest. CloudFormation templates may be JSON or YAML.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from console.configuration.document import Document, DocumentError, entry_of
from console.configuration.kinds import BY_NOUN, KINDS
from console.shapes import JSONDict

STACK_TYPES = {
    "AWS::Personalize::DatasetGroup": "datasetGroup",
    "AWS::Personalize::Schema": "schema",
    "AWS::Personalize::Dataset": "dataset",
    "AWS::Personalize::Solution": "solution",
}
SUFFIXES = {".json", ".yaml", ".yml", ".template"}
IMPORT_JOB = "datasetImportJobArn"


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short tags: `!Ref X` and `!GetAtt X.Arn` give the logical name X."""


def _short_tag(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return {suffix: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {suffix: loader.construct_sequence(node, deep=True)}
    return {suffix: None}


_Loader.add_multi_constructor("!", _short_tag)


def read(paths: Iterable[Path]) -> Document:
    """The document of all files, and of all files below folders.

    Raises:
        DocumentError: a file cannot be read, or nothing of Personalize is in any.
    """
    found: dict[str, JSONDict] = {}  # by ARN: the fullest description
    entries: dict[str, dict[str, JSONDict]] = {kind.noun: {} for kind in KINDS}
    sources: dict[str, str] = {}
    for content in map(_parse, _files(paths)):
        if isinstance(content, dict) and "Resources" in content:
            _add_stack(content["Resources"], entries)
            continue
        for about in _mappings(content):
            if IMPORT_JOB in about and "dataSource" in about:
                sources[name_of_dataset(about["datasetArn"])] = about["dataSource"]["dataLocation"]
            for kind in KINDS:
                if kind.arn in about and "name" in about and "jobName" not in about and _is_own(about, kind.arn):
                    found[about[kind.arn]] = found.get(about[kind.arn], {}) | about
    _add_described(found, entries)
    _add_sources(sources, entries)
    if not any(entries.values()):
        raise DocumentError(
            "No resource of Amazon Personalize was found; give the JSON that List and Describe operations print."
        )
    return Document({kind.section: list(entries[kind.noun].values()) for kind in KINDS})


def name_of_dataset(arn: str) -> str:
    """What tells a dataset in an ARN: "films/INTERACTIONS"; AWS names it after its group and type."""
    return arn.rpartition(":dataset/")[2]


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.exists():
            raise DocumentError(f"There is no file {path}.")
        below = sorted(file for file in path.rglob("*") if file.suffix in SUFFIXES) if path.is_dir() else [path]
        yield from below


def _parse(path: Path) -> Any:
    try:
        text = path.read_text()
        return json.loads(text) if path.suffix == ".json" else yaml.load(text, _Loader)  # noqa: S506  a safe loader
    except (ValueError, OSError, yaml.YAMLError) as error:
        raise DocumentError(f"{path} cannot be read: {' '.join(str(error).split())[:200]}") from None


def _mappings(content: Any) -> Iterator[JSONDict]:
    """All mappings anywhere in an answer."""
    if isinstance(content, dict):
        yield content
        for value in content.values():
            yield from _mappings(value)
    elif isinstance(content, list):
        for value in content:
            yield from _mappings(value)


def _is_own(about: Mapping[str, Any], arn: str) -> bool:
    """Whether the mapping is of the resource whose ARN it holds, not of one that refers to it."""
    others = {kind.arn for kind in KINDS if kind.arn in about and arn in kind.references}
    return not others


def _add_described(found: Mapping[str, JSONDict], entries: dict[str, dict[str, JSONDict]]) -> None:
    names = {arn: str(about["name"]) for arn, about in found.items()}
    for arn, about in found.items():
        kind = next(kind for kind in KINDS if about.get(kind.arn) == arn)
        entry = entry_of(kind, about)
        for wire, member in kind.references.items():
            if about.get(wire) in names:
                entry[member] = names[about[wire]]
        if missing := [member for member in kind.required if member not in entry]:
            raise DocumentError(
                f"{kind.noun} {entry['name']} lacks {missing[0]}; add what Describe{kind.title} prints of it."
            )
        entries[kind.noun][str(entry["name"])] = entry


def _add_sources(sources: Mapping[str, str], entries: dict[str, dict[str, JSONDict]]) -> None:
    for entry in entries["dataset"].values():
        key = f"{entry['datasetGroup']}/{str(entry['datasetType']).upper()}"
        if key in sources:
            entry["importFrom"] = sources[key]


def _add_stack(resources: Mapping[str, Any], entries: dict[str, dict[str, JSONDict]]) -> None:
    """The resources of a CloudFormation template, whose references are logical names."""
    known = {
        logical: (STACK_TYPES[about["Type"]], about.get("Properties", {}))
        for logical, about in resources.items()
        if about.get("Type") in STACK_TYPES
    }
    names = {logical: str(properties.get("Name", logical)) for logical, (_, properties) in known.items()}
    for logical, (noun, properties) in known.items():
        kind = BY_NOUN[noun]
        about = {_camel(member): value for member, value in properties.items()} | {"name": names[logical]}
        job = about.pop("datasetImportJob", None)
        for wire in kind.references:
            if wire in about:
                about[wire] = names.get(_logical(about[wire]), about[wire])
        entry = entry_of(kind, about)
        if job and job.get("DataSource", {}).get("DataLocation"):
            entry["importFrom"] = job["DataSource"]["DataLocation"]
        entries[noun][names[logical]] = entry


def _logical(reference: Any) -> str:
    """The logical name in {"Ref": "Group"}, {"Fn::GetAtt": ["Group", "DatasetGroupArn"]} or `!GetAtt Group.Arn`."""
    if isinstance(reference, dict) and len(reference) == 1:
        [target] = reference.values()
        return str(target[0]) if isinstance(target, list) else str(target).split(".")[0]
    return str(reference)


def _camel(member: str) -> str:
    return "performHPO" if member == "PerformHPO" else member[0].lower() + member[1:]
