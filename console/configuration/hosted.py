"""From a hosted Amazon Personalize account to a document: what its List and Describe operations printed, or a template.

boto3's answers and the CLI's output are the same JSON. A file may hold one answer, or a list or mapping of several, or several
behind each other; summaries of List are enough for names and the full answers of Describe add the rest. What failed or is being
deleted there is left out. CloudFormation templates may be JSON or YAML.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from console.configuration.answers import documents, mappings, template_of
from console.configuration.document import Document, DocumentError, entry_of
from console.configuration.export import current_sources
from console.configuration.kinds import BY_NOUN, KINDS, Kind
from console.configuration.templates import RESOLVED_LATER, Resource, mapping, resources
from console.shapes import JSONDict

IMPORT_JOB = "datasetImportJobArn"
MAX_NAMED = 10  # resources that lack something
NOT_THERE = ("FAILED", "DELETE", "STOPPED")  # words in a status
Entries = dict[str, dict[tuple[str, str, str], JSONDict]]


def read(paths: Iterable[Path], parameters: Mapping[str, str] | None = None) -> Document:
    """The document of all files, and of all files below folders; `parameters` are those of templates.

    Raises:
        DocumentError: a file cannot be read, nothing of Personalize is in any, or a resource lacks what makes it or has a
            value that no operation takes.
    """
    try:
        return _read(paths, parameters or {})
    except RecursionError:
        raise DocumentError("The files are nested too deeply, or one holds itself.") from None


def _read(paths: Iterable[Path], parameters: Mapping[str, str]) -> Document:
    found: dict[str, JSONDict] = {}  # by ARN: the fullest description
    entries: Entries = {kind.noun: {} for kind in KINDS}
    jobs: dict[str, JSONDict] = {}
    metrics: list[JSONDict] = []
    for content in documents(paths):
        if template := template_of(content):
            _add_template(template, parameters, entries)
            continue
        for about in mappings(content):
            if IMPORT_JOB in about and "dataSource" in about:
                _require_texts(about, (IMPORT_JOB, "datasetArn"))
                _require_texts(about["dataSource"], ("dataLocation",))
                jobs[about[IMPORT_JOB]] = about
            metrics += [entry for entry in _rows(about.get("metrics")) if {"metricName", "expression"} <= entry.keys()]
            if kind := _kind_of(about):
                _require_texts(about, (kind.arn, "name"))
                _require_texts(about, [wire for wire in kind.references if about.get(wire) is not None])
                found[about[kind.arn]] = found.get(about[kind.arn], {}) | about
    _add_metrics(metrics, found)
    _add_described(found, entries)
    _add_sources(jobs, entries)
    if not any(entries.values()):
        raise DocumentError(
            "No resource of Amazon Personalize was found; give the JSON that List and Describe operations print."
        )
    return Document.checked({kind.section: list(entries[kind.noun].values()) for kind in KINDS})


def _rows(value: Any) -> list[JSONDict]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _require_texts(about: Any, members: Iterable[str]) -> None:
    """Hold members that say what is described, and what it belongs to, to be text.

    Raises:
        DocumentError: one is missing, empty or something else.
    """
    for member in members:
        value = about.get(member) if isinstance(about, dict) else None
        if not isinstance(value, str) or not value:
            raise DocumentError(f"{member} is {json.dumps(value, default=str)[:60]}, text is needed.")


def _is_there(about: Mapping[str, Any]) -> bool:
    return not any(word in str(about.get("status", "")) for word in NOT_THERE)


def _kind_of(about: Mapping[str, Any]) -> Kind | None:
    """The kind of resource whose description this is; None for a job, a solution version, or what only refers to one."""
    if "name" not in about or "jobName" in about or ("solutionVersionArn" in about and "campaignArn" not in about):
        return None
    own = [kind for kind in KINDS if kind.arn in about]
    return next((kind for kind in own if not any(kind.arn in other.references for other in own)), None)


def _add_metrics(metrics: list[JSONDict], found: Mapping[str, JSONDict]) -> None:
    """Give a metric attribution its metrics, which ListMetricAttributionMetrics tells without saying whose they are."""
    lacking = [about for arn, about in found.items() if ":metric-attribution/" in arn and "metrics" not in about]
    if metrics and len(lacking) == 1:
        lacking[0]["metrics"] = list({str(entry): entry for entry in metrics}.values())


def _add_described(found: Mapping[str, JSONDict], entries: Entries) -> None:
    there = {arn: about for arn, about in found.items() if _is_there(about)}
    names = {arn: str(about["name"]) for arn, about in there.items()}
    lacking = []
    for arn, about in there.items():
        kind = next(kind for kind in KINDS if about.get(kind.arn) == arn and _kind_of(about) is kind)
        entry = entry_of(kind, about)
        for wire, member in kind.references.items():
            if about.get(wire) in names:
                entry[member] = names[about[wire]]
        if missing := [member for member in kind.required if member not in entry]:
            lacking.append(
                f"{kind.noun} {entry['name']} lacks {missing[0]}; add what Describe{kind.title} prints of it."
            )
        else:
            _add(kind, entry, entries)
    if lacking:
        more = f" {len(lacking) - MAX_NAMED} more lack something, too." if len(lacking) > MAX_NAMED else ""
        raise DocumentError(" ".join(lacking[:MAX_NAMED]) + more)


def _add(kind: Kind, entry: JSONDict, entries: Entries) -> None:
    """Keep an entry.

    Raises:
        DocumentError: another one has its name, as one in another region may.
    """
    kept = entries[kind.noun].setdefault(kind.key(entry), entry)
    if kept != entry:
        raise DocumentError(
            f"There are two different {kind.section} named {entry['name']}, perhaps of two regions; read them one after the other."
        )


def _add_sources(jobs: Mapping[str, JSONDict], entries: Entries) -> None:
    """Say of each dataset where the rows that it holds came from."""
    of_dataset: dict[str, list[JSONDict]] = defaultdict(list)
    for job in jobs.values():
        if _is_there(job):
            of_dataset[job["datasetArn"]].append(job)
    for arn, own in of_dataset.items():
        own.sort(key=lambda job: _moment(job.get("creationDateTime", "")))
        sources = current_sources((job["dataSource"]["dataLocation"], job.get("importMode", "FULL")) for job in own)
        for entry in entries["dataset"].values():
            if arn.rpartition(":dataset/")[2] == f"{entry['datasetGroup']}/{str(entry['datasetType']).upper()}":
                entry["importFrom"] = sources[0] if len(sources) == 1 else sources


def _moment(value: Any) -> tuple[float, str]:
    """Something that sorts times: epoch seconds as the CLI's older versions print them, or ISO 8601."""
    return (float(value), "") if isinstance(value, int | float) else (0.0, str(value))


def _referred(value: Any, known: Mapping[str, Resource], where: str) -> str:
    """The name of a resource that a template refers to, or its ARN where that is written out.

    Raises:
        DocumentError: only another stack or service knows it.
    """
    if not isinstance(value, str) or RESOLVED_LATER in value:
        raise DocumentError(
            f"{where} is {json.dumps(value)[:100]}, which the template does not tell; write its ARN out."
        )
    return str(known[value].members["name"]) if value in known else value


def _add_template(template: Mapping[str, Any], parameters: Mapping[str, str], entries: Entries) -> None:
    """The resources of a CloudFormation template, whose references are logical names."""
    known = resources(template, parameters)
    for resource in known.values():
        kind, about = BY_NOUN[resource.noun], dict(resource.members)
        job = mapping(about.pop("datasetImportJob", None) or {}, f"DatasetImportJob of {about['name']}")
        for wire in kind.references.keys() & about.keys():
            about[wire] = _referred(about[wire], known, f"{wire} of {kind.noun} {about['name']}")
        entry = entry_of(kind, about)
        source = mapping(job.get("dataSource") or {}, f"DataSource of {about['name']}")
        if place := source.get("dataLocation"):
            entry["importFrom"] = place
        if missing := [member for member in kind.required if member not in entry]:
            raise DocumentError(f"{kind.noun} {entry['name']} lacks {missing[0]}; the template does not tell it.")
        _add(kind, entry, entries)
