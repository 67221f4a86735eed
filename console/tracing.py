"""Traces of requests and jobs, as far as OpenTelemetry's standard variables ask for them; nothing otherwise.

`console.opentelemetry` is imported only then: a server without traces neither needs the extra nor pays for it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from importlib.util import find_spec
from typing import Protocol, cast

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
PARENT = "traceparent"  # https://www.w3.org/TR/trace-context/: the header that carries a span to its children

Attributes = Mapping[str, str | int | float]


class Tracer(Protocol):
    """What makes spans."""

    def request(self, headers: Mapping[str, str]) -> AbstractContextManager[None]:
        """A span of a request, a child of the span that its headers name."""

    def job(self, name: str, parent: str) -> AbstractContextManager[None]:
        """A span of a job, a child of `parent`, and what waits is sent at its end."""

    def note(self, attributes: Attributes, name: str, error: str) -> None:
        """Put attributes on this thread's span, give it a better name, and mark it as failed where `error` says why."""

    def stage(self, name: str) -> None:
        """Note in this thread's span that a stage of it begins."""

    def parent(self) -> str:
        """This thread's span as a `traceparent`, "" without one."""

    def end(self) -> None:
        """Send what waits."""


_tracer: Tracer | None = None


def is_wanted(environ: Mapping[str, str]) -> bool:
    """Whether the variables ask for traces.

    >>> is_wanted({}), is_wanted({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"})
    (False, True)
    """
    named = environ.get("OTEL_TRACES_EXPORTER", "").strip().lower()
    if named == "none" or environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    return bool(named) or any(environ.get(name) for name in ENDPOINTS)


def is_installed() -> bool:
    """Whether the extra is there."""
    return find_spec("opentelemetry") is not None and find_spec("opentelemetry.sdk") is not None


def begin() -> None:
    """Trace from now on in this process, which forks no more, if it is asked for."""
    if _tracer is None and is_wanted(os.environ) and is_installed():
        use(cast("Tracer", import_module("console.opentelemetry").configured(os.environ)))


def use(tracer: Tracer | None) -> None:
    """Trace with `tracer`; not any more with None."""
    global _tracer  # noqa: PLW0603  one for the process
    _tracer = tracer


def is_on() -> bool:
    """Whether this process traces."""
    return _tracer is not None


def end() -> None:
    """Send what waits, as the process ends."""
    if _tracer is not None:
        _tracer.end()


def request(headers: Mapping[str, str]) -> AbstractContextManager[None]:
    """A span for the time in which this thread answers a request with these headers (WSGI's names)."""
    return nullcontext() if _tracer is None else _tracer.request(headers)


def job(name: str, parent: str) -> AbstractContextManager[None]:
    """A span for the time in which this thread runs a job, a child of the request that began it."""
    return nullcontext() if _tracer is None else _tracer.job(name, parent)


def note(attributes: Attributes, *, name: str = "", error: str = "") -> None:
    """Say more of this thread's span, if there is one."""
    if _tracer is not None:
        _tracer.note(attributes, name, error)


def stage(name: str) -> None:
    """Say that a stage of this thread's span begins, if there is one."""
    if _tracer is not None:
        _tracer.stage(name)


def parent() -> str:
    """This thread's span for those it begins elsewhere; "" without one."""
    return "" if _tracer is None else _tracer.parent()
