"""Places in buckets, as people name them and as the server names its own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from django.conf import settings

from console.errors import InvalidInputException

HTTPS = (  # the two ways in which Amazon writes an object as a page's address
    re.compile(r"https?://(?P<bucket>[^/]+)\.s3[.-][^/]*amazonaws\.com/(?P<key>.*)"),
    re.compile(r"https?://s3[.-][^/]*amazonaws\.com/(?P<bucket>[^/]+)/(?P<key>.*)"),
)
BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
CONTROL = re.compile(r"[\x00-\x1f\x7f\\]")
CHUNK = 1 << 20  # bytes of a stream that are read at once
STORE_BUCKET = "store"
UPLOADS_BUCKET = "uploads"


@dataclass(frozen=True)
class Location:
    """A place in a bucket: an object, or a folder when the key ends in "/" or is empty."""

    bucket: str
    key: str

    def __str__(self) -> str:
        """The location as an s3:// URL."""
        return f"s3://{self.bucket}/{self.key}"

    @property
    def is_folder(self) -> bool:
        """Whether it names a folder."""
        return not self.key or self.key.endswith("/")

    @property
    def name(self) -> str:
        """The object's name without its folders."""
        return self.key.rpartition("/")[2]

    def child(self, name: str) -> Location:
        """An object below this folder."""
        return Location(self.bucket, f"{self.key.rstrip('/')}/{name}".lstrip("/"))


def parse_location(url: str, *, field: str | None = None) -> Location:
    """Read an s3:// URL, or Amazon's https:// form of one.

    Raises:
        InvalidInputException: another scheme, no bucket, or a key that tries to leave it.
    """
    for form in HTTPS:
        if found := form.fullmatch(url):
            url = f"s3://{found['bucket']}/{unquote(found['key'])}"
    wrong = InvalidInputException(f"Invalid Data location: {url}. Allowed is s3://BUCKET/KEY.", field=field)
    try:
        parts = urlsplit(url)
    except ValueError:  # such as s3://[
        raise wrong from None
    segments = parts.path.strip("/").split("/") if parts.path.strip("/") else []
    odd = not BUCKET.fullmatch(parts.netloc) or "//" in parts.path or not {"", ".", ".."}.isdisjoint(segments)
    if parts.scheme != "s3" or odd or CONTROL.search(url) or parts.query or parts.fragment:
        raise wrong
    return Location(parts.netloc, parts.path.lstrip("/"))


def store(key: str) -> Location:
    """A place of the server's own."""
    parts = urlsplit(settings.STORAGE_URL)
    prefix = f"{parts.path.strip('/')}/" if parts.path.strip("/") else ""
    return Location(parts.netloc or STORE_BUCKET, f"{prefix}{key}")
