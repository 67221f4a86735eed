"""JSON Lines in, JSON Lines out: each input object becomes NAME.out, published whole; an empty _CHECK ends the job.

Answers are kept in segments below the store until their file is complete, so that a job whose worker died goes on behind
the last segment, on any machine, and memory stays bounded by one chunk of lines. Lines that cannot be answered carry their
error in NAME.out, as on AWS, and stand with their numbers in NAME.errors as well.
"""

from __future__ import annotations

import json
import re
import shutil
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from typing import IO, Any, cast

from console import limits, storage
from console.errors import InvalidInputException, JobError
from console.jobs import Claim, Stopped
from console.json_values import is_storable
from console.models.serving import BatchJob
from console.runners.batch_sources import Source, sources
from console.storage import Location
from recipes.json_text import read_json

MOST_LINE_BYTES = 1 << 20
LEAST_LINE_BYTES = 2
COUNTED_AT_ONCE = 10_000
SEGMENT_S = 10.0  # so much work a worker that dies may lose
ECHOED = 1000  # characters of a line that is no JSON
BLANKS = b" \t\r\n\x0b\x0c\xef\xbb\xbf"
BRACKETS = {b"", b"[", b"]", b"],"}
ONE_AFTER_ANOTHER = re.compile(rb"\}\s*\{")
EXAMPLE = '{"userId": "1"}'
Line = dict[str, Any]


@dataclass(frozen=True)
class Answered:
    """What a line gets, and what should be known of it."""

    output: dict[str, Any]
    warnings: tuple[str, ...] = ()


Outcome = Answered | InvalidInputException


@dataclass(frozen=True)
class Place:
    """Where a chunk stands: its file's name and the number of its first line; the same on every attempt."""

    file: str
    line: int


Chunk = tuple[Sequence[Line], Place]
Answers = Callable[[Iterator[Chunk]], Iterator[Iterable[Outcome]]]


@dataclass
class Stand:
    """How far a file has come; kept in the job's report under "current".

    Attributes:
        file: its location.
        size: its bytes; another size means another file, which is begun anew.
        offset: bytes read.
        number: lines read, empty ones too.
        lines, errors: lines answered, and those among them that have an error.
        segments: keys of the store, in order; each has a twin that ends in .errors.
    """

    file: str
    size: int
    offset: int = 0
    number: int = 0
    lines: int = 0
    errors: int = 0
    segments: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Read:
    """A line of the input: its number, its text, and how many bytes it took."""

    number: int
    text: bytes
    size: int


def convert(held: Claim, answers: Answers, chunk: int, most_lines: int | None = None) -> None:
    """Answer every line of a job's input.

    Args:
        held: the claim on the batch job.
        answers: gives for each chunk an output, or what is wrong, for each of its lines; it may read some chunks ahead.
        chunk: how many lines are answered together.
        most_lines: allowed in one file; None for the quota of records.

    Raises:
        JobError: there is no input, there are too many files, or one is too large or has too many lines.
    """
    row = cast("BatchJob", held.row)
    folder = f"batch/{type(row)._meta.object_name}-{row.pk}"
    found = sources(row.job_input["s3DataSource"]["path"], folder, held.check)
    for source in found:
        _hold_to_lines(source, most_lines)
    target = storage.parse_location(row.job_output["s3DataDestination"]["path"])
    place = Location(target.bucket, f"{target.key.rstrip('/')}/".lstrip("/"))
    _Conversion(held, place, answers, chunk, folder).run(found)


class _Conversion:
    """One attempt at a job."""

    def __init__(self, held: Claim, target: Location, answers: Answers, chunk: int, folder: str) -> None:
        self._held, self._target, self._answers, self._chunk, self._folder = held, target, answers, chunk, folder
        self._row = cast("BatchJob", held.row)
        self._report: dict[str, Any] = {"files": [], "lines": 0, "errors": 0} | dict(self._row.report)

    def run(self, inputs: list[Source]) -> None:
        """All files, then the marker."""
        total = sum(source.size for source in inputs)
        for source in inputs:
            if str(source.location) not in self._report["files"]:
                passed = sum(each.size for each in inputs if str(each.location) in self._report["files"])
                self._file(source, passed, total or 1)
        storage.delete(storage.store(f"{self._folder}/"))  # what attempts that died left there too
        with storage.open_write(self._target.child("_CHECK")):
            message = f"{self._report['lines']:,} lines, {self._report['errors']:,} of them with an error"
            self._held.report("publishing", 1.0, message=message)
        if not self._report["lines"]:
            raise JobError(f"The input has no lines. Expected is an object in each, such as {EXAMPLE}.")
        if self._report["errors"] == self._report["lines"]:
            raise JobError(
                f"None of the {self._report['lines']:,} lines of the input could be answered. {self._first(inputs)}"
            )
        self._held.finish(report=self._report)

    def _first(self, inputs: list[Source]) -> str:
        """The error of the first line, and where all of them are."""
        for place in (self._target.child(f"{each.name}.errors") for each in inputs):
            if storage.exists(place):
                with storage.open_read(place) as source:
                    error = json.loads(source.readline())["error"]
                return f"The first error: {error} All of them are in {place}."
        return ""

    def _file(self, source: Source, passed: int, total: int) -> None:
        """One file, before which `passed` of all `total` bytes were answered."""
        stand = self._stand(source)
        while stand.offset < stand.size:
            self._segment(source, stand, passed, total)
        self._publish(source, stand)
        self._report["files"].append(stand.file)
        self._report["lines"] += stand.lines
        self._report["errors"] += stand.errors
        self._keep(None)
        _forget(stand.segments)

    def _stand(self, source: Source) -> Stand:
        """Where an earlier attempt left the file, or its beginning."""
        found = self._report.get("current")
        if found:
            stand = Stand(**found)
            if (stand.file, stand.size) == (str(source.location), source.size):
                return stand
            _forget(stand.segments)
        return Stand(str(source.location), source.size)

    def _segment(self, source: Source, stand: Stand, passed: int, total: int) -> None:
        """Answer lines for some seconds, then make sure of them.

        The input is opened anew for each segment: a connection to S3 need not outlive it.
        """
        ends = time.monotonic() + SEGMENT_S
        key = f"{self._folder}/{self._row.attempts}-{len(stand.segments):06}"
        lines, errors, number, offset = stand.lines, stand.errors, stand.number, stand.offset
        with ExitStack() as stack:
            file = stack.enter_context(storage.open_read(source.text, start=offset))
            sink, aside = (
                stack.enter_context(storage.open_write(storage.store(f"{key}{end}"))) for end in ("", ".errors")
            )
            chunks = Ahead(source.location.key, _chunks(file, self._chunk, number), ends)
            for texts, parsed, outcomes in chunks.answered(self._answers):
                for read, output in zip(texts, _outputs(texts, parsed, iter(outcomes)), strict=True):
                    written = json.dumps(output, ensure_ascii=False)
                    sink.write(f"{written}\n".encode())
                    if output["error"] is not None:
                        errors += 1
                        aside.write(f'{{"line": {read.number}, {written[1:]}\n'.encode())
                lines, number = lines + len(texts), texts[-1].number
                offset += sum(read.size for read in texts)
                self._tell(source, passed + offset, total)
            if chunks.is_over:
                offset = stand.size
        stand.segments.append(key)
        stand.offset, stand.number, stand.lines, stand.errors = offset, number, lines, errors
        self._keep(stand)

    def _tell(self, source: Source, passed: int, total: int) -> None:
        self._held.report(f"answering {source.name}", min(1.0, passed / total))

    def _publish(self, source: Source, stand: Stand) -> None:
        """Put the segments together under the file's name; readers see all of it or nothing."""
        for end, wanted in ((".out", ""), (".errors", ".errors")):
            place = self._target.child(f"{source.name}{end}")
            if wanted and not stand.errors:
                continue
            with storage.open_write(place) as sink:
                for key in stand.segments:
                    self._held.check()
                    with storage.open_read(storage.store(f"{key}{wanted}")) as segment:
                        shutil.copyfileobj(segment, sink, storage.CHUNK)

    def _keep(self, stand: Stand | None) -> None:
        """Make sure of what was done; ends the attempt if another worker has taken the job over."""
        self._report.pop("current", None)
        if stand is not None:
            self._report["current"] = asdict(stand)
        rows = type(self._row).objects.filter(pk=self._row.pk, claim=self._row.claim)
        if not rows.update(report=self._report):
            raise Stopped


@dataclass
class Ahead:
    """The chunks of a file, which may be answered some ahead of being written; none is begun after the time is up.

    Attributes:
        key: of the file.
        chunks: lines that are not empty.
        ends: when the last chunk is begun.
        is_over: whether the file has no more.
    """

    key: str
    chunks: Iterator[list[_Read]]
    ends: float
    is_over: bool = False
    _asked: deque[tuple[list[_Read], list[Line | str]]] = field(default_factory=deque)

    def answered(self, answers: Answers) -> Iterator[tuple[list[_Read], list[Line | str], Iterable[Outcome]]]:
        """Each chunk, what was read of it, and what its good lines get, in order."""
        for outcomes in answers(self._begun()):
            yield *self._asked.popleft(), outcomes

    def _begun(self) -> Iterator[Chunk]:
        for texts in self.chunks:
            parsed = [_parse(read.text) for read in texts]
            self._asked.append((texts, parsed))
            yield [line for line in parsed if isinstance(line, dict)], Place(self.key, texts[0].number)
            if time.monotonic() > self.ends:
                return
        self.is_over = True


def _outputs(texts: Sequence[_Read], parsed: Sequence[Line | str], good: Iterator[Outcome]) -> Iterator[dict[str, Any]]:
    """The output line for each input line, in order; what cannot be read becomes an error of its own line."""
    for read, line in zip(texts, parsed, strict=True):
        if isinstance(line, str):
            echo = read.text[:ECHOED].decode("utf-8", "replace").strip()
            yield {"input": echo, "output": None, "error": line}
            continue
        found = next(good)
        if isinstance(found, InvalidInputException):
            yield {"input": line, "output": None, "error": str(found)}
        else:
            warned = {"warnings": list(found.warnings)} if found.warnings else {}
            yield {"input": line, "output": found.output, "error": None} | warned


def _hold_to_lines(source: Source, most_lines: int | None) -> None:
    """Hold a file to its number of lines; it is read for that only if so many could be in it."""
    limit = limits.quota("BATCH_FILE_RECORDS") if most_lines is None else most_lines
    if source.size < LEAST_LINE_BYTES * limit:
        return
    lines = 0
    with storage.open_read(source.text) as file:
        for texts in _chunks(file, min(limit + 1, COUNTED_AT_ONCE), 0):
            lines += len(texts)
            if lines > limit:
                raise JobError(f"{source.location} has more than {limit} queries, which is the most in one file.")


def _chunks(source: IO[bytes], size: int, number: int) -> Iterator[list[_Read]]:
    """The lines that are not empty, `size` at a time; `number` lines came before. Empty ones count for the next's bytes.

    Those that hold nothing but the bracket of a list around all lines are as good as empty.
    """
    chunk: list[_Read] = []
    skipped = 0
    while text := source.readline(MOST_LINE_BYTES):
        number += 1
        taken = len(text) + (0 if text.endswith(b"\n") else _rest(source))
        if text.strip(BLANKS) in BRACKETS:
            skipped += taken
            continue
        chunk.append(_Read(number, text, taken + skipped))
        skipped = 0
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _rest(source: IO[bytes]) -> int:
    """Read on to the end of a line that is too long to be one; returns its bytes."""
    passed = 0
    while part := source.readline(MOST_LINE_BYTES):
        passed += len(part)
        if part.endswith(b"\n"):
            break
    return passed


def _parse(text: bytes) -> Line | str:
    if len(text) >= MOST_LINE_BYTES:
        return f"The line has {MOST_LINE_BYTES:,} bytes or more; allowed are fewer."
    try:
        line = read_json(_without_comma(text), parse_constant=_refuse)
    except ValueError as error:
        return f"The line is not JSON: {error}.{_shape_hint(text)}"
    if not isinstance(line, dict):
        return f"The line is not a JSON object.{_shape_hint(text)}"
    if b"\\u" in text and (b"\\u0000" in text or not is_storable(json.dumps(line, ensure_ascii=False))):
        return "The line holds characters that are no valid Unicode text."
    return line


def _without_comma(text: bytes) -> bytes:
    """The line without the comma that stands behind it in a list."""
    plain = text.rstrip()
    return plain[:-1] if plain.endswith(b"},") else text


def _shape_hint(text: bytes) -> str:
    """How the file must be, where the line shows that it is not so: a sentence after a blank."""
    plain = text.strip(BLANKS)
    if ONE_AFTER_ANOTHER.search(plain):
        return " Each object needs a line of its own; here several stand in one."
    if plain.startswith(b"[") or plain in {b"{", b"}"} or re.fullmatch(rb'"\w+"\s*:.*', plain):
        return " Each line must be one whole object, without a list around them or line ends within."
    return f" Expected is an object in each line, such as {EXAMPLE}."


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is no JSON value")


def _forget(segments: Sequence[str]) -> None:
    for key in segments:
        for end in ("", ".errors"):
            storage.delete(storage.store(f"{key}{end}"))
