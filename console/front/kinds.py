"""What kind of work a request is, from its head alone: it decides which threads take it and how large a body may be."""

from __future__ import annotations

from enum import StrEnum

from console.operations.base import is_read

SERVING_PATHS = {"recommendations", "personalize-ranking", "action-recommendations"}
EVENT_PATHS = {"events", "items", "users", "actions", "action-interactions"}
SERVING_ENDS = ("/recommendations/", "/ranking/", "/action-recommendations/", "/related-items/")
SAFE = {"GET", "HEAD", "OPTIONS"}


class Kind(StrEnum):
    """The lanes."""

    SERVING = "serving"
    EVENTS = "events"
    READING = "reading"
    WRITING = "writing"
    UPLOADS = "uploads"


def kind_of(method: str, path: str, target: str) -> Kind:
    """The kind of a request.

    Args:
        method: HTTP's.
        path: decoded, with its slash.
        target: the X-Amz-Target header, "" if there is none.

    >>> kind_of("POST", "/aws/recommendations", "").value
    'serving'
    >>> kind_of("POST", "/aws/", "AmazonPersonalize.ListSolutions").value
    'reading'
    >>> kind_of("POST", "/solutions/", "").value
    'writing'
    """
    first = path.strip("/").removeprefix("aws").strip("/")
    if method == "POST" and first in SERVING_PATHS:
        return Kind.SERVING
    if method == "POST" and (first in EVENT_PATHS or path.startswith("/ingest/")):
        return Kind.EVENTS
    if method in SAFE or is_read(target.rpartition(".")[2]):
        return Kind.READING
    return Kind.SERVING if path.startswith("/api/") and path.endswith(SERVING_ENDS) else Kind.WRITING
