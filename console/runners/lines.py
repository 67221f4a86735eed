"""JSON Lines in, JSON Lines out: each input object becomes NAME.out, published whole; an empty _CHECK ends the job."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

from console import storage
from console.errors import InvalidInputException, JobError
from console.jobs import Claim
from console.models.serving import BatchJob
from console.storage import Location

MOST_FILES = 1000
Line = dict[str, Any]
Answers = Callable[[Sequence[Line]], Iterator[dict[str, Any] | InvalidInputException]]


def convert(held: Claim, answers: Answers, chunk: int, most_lines: int | None = None) -> None:
    """Answer every line of a job's input.

    Files that an earlier attempt has published are left as they are, so that a job whose worker died goes on where it was.

    Args:
        held: the claim on the batch job.
        answers: gives an output, or what is wrong, for each of a chunk of lines.
        chunk: how many lines are answered together.
        most_lines: allowed in one file.

    Raises:
        JobError: there is no input, or a file has too many lines.
    """
    row = cast("BatchJob", held.row)
    inputs = _inputs(row.job_input["s3DataSource"]["path"])
    target = storage.parse_location(row.job_output["s3DataDestination"]["path"])
    target = Location(target.bucket, target.key if target.is_folder else f"{target.key}/")
    report = dict(row.report)
    done: list[str] = report.setdefault("files", [])
    total = sum(storage.size_bytes(location) for location in inputs) or 1
    passed = 0
    for location in inputs:
        size = storage.size_bytes(location)
        if str(location) not in done:
            share = (passed / total, size / total)
            counts = _convert_file(held, location, target, answers, chunk, most_lines, share)
            done.append(str(location))
            for name, count in counts.items():
                report[name] = report.get(name, 0) + count
            type(row).objects.filter(pk=row.pk).update(report=report)
        passed += size
    with storage.open_write(target.child("_CHECK")):
        held.report("publishing", 1.0)
    held.finish(report=report)


def _inputs(path: str) -> list[Location]:
    location = storage.parse_location(path)
    found = [each for each in storage.list_objects(location) if not each.key.endswith("_CHECK")]
    if not found:
        raise JobError(f"Invalid S3 input path: there is nothing at {location}.")
    if len(found) > MOST_FILES:
        raise JobError(f"{location} has {len(found)} files, at most {MOST_FILES} are allowed.")
    return found


def _convert_file(
    held: Claim, location: Location, target: Location, answers: Answers, chunk: int, most: int | None,
    share: tuple[float, float],
) -> dict[str, int]:  # fmt: skip
    lines = errors = read = 0
    size = storage.size_bytes(location) or 1
    name = location.key.rpartition("/")[2]
    with storage.open_read(location) as source, storage.open_write(target.child(f"{name}.out")) as sink:
        for texts in _chunks(source, chunk):
            for output in _answered(texts, answers):
                errors += output["error"] is not None
                sink.write(json.dumps(output, ensure_ascii=False).encode() + b"\n")
            lines += len(texts)
            read += sum(map(len, texts))
            if most is not None and lines > most:
                raise JobError(f"{location} has more than {most} queries, which is the most in one file.")
            held.report(f"answering {name}", share[0] + share[1] * min(1.0, read / size))
    return {"lines": lines, "errors": errors}


def _chunks(source: Any, size: int) -> Iterator[list[bytes]]:
    chunk: list[bytes] = []
    for line in source:
        if line.strip():
            chunk.append(line)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _answered(texts: Sequence[bytes], answers: Answers) -> Iterator[dict[str, Any]]:
    """The output line for each input line, in order; what cannot be read becomes an error of its own line."""
    parsed = [_parse(text) for text in texts]
    good = answers([line for line in parsed if isinstance(line, dict)])
    for text, line in zip(texts, parsed, strict=True):
        if isinstance(line, str):
            yield {"input": text.decode("utf-8", "replace").strip(), "output": None, "error": line}
            continue
        found = next(good)
        if isinstance(found, InvalidInputException):
            yield {"input": line, "output": None, "error": str(found)}
        else:
            yield {"input": line, "output": found, "error": None}


def _parse(text: bytes) -> Line | str:
    try:
        line = json.loads(text)
    except ValueError as error:
        return f"The line is not JSON: {error}"
    return line if isinstance(line, dict) else "The line is not a JSON object."
