"""Messages without the server's paths: what a person reads of an error must not tell how the machine is laid out."""

from __future__ import annotations

import re
import sys
import tempfile

from django.conf import settings

FOLDERS = re.compile(
    r"(?<![\w:/.])/(?:[^\s'\"/,;]+/)+"
)  # of an absolute path; not of a location such as s3://b/folder/


def without_paths(text: str) -> str:
    """The text with the last names of the server's paths alone.

    >>> without_paths("No such file: '/srv/data/buckets/b/x.csv' for s3://b/folder/x.csv")
    "No such file: 'x.csv' for s3://b/folder/x.csv"
    """
    return FOLDERS.sub("", without_roots(text, "/"))


def without_roots(text: str, instead: str = "") -> str:
    """The text with the server's paths from its own folders on, as a traceback needs them."""
    for root in (settings.DATA_DIR, settings.BASE_DIR, tempfile.gettempdir(), sys.prefix, sys.base_prefix):
        text = text.replace(f"{root}/", instead)
    return text


def reason_of(error: Exception) -> str:
    """What an error says, without the paths in it."""
    said = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return without_paths(said)
