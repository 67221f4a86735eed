"""Who signed this request? AWS Signature Version 4, verified in full.

The signature covers method, path, query, the named headers and the body's hash; it is recomputed from what arrived, with
the secret of the named access key, and compared in constant time. Written out rather than borrowed from botocore's signer
since it is on the path of every recommendation.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from time import monotonic
from urllib.parse import parse_qsl, quote

from django.http import HttpRequest

from console import transient
from console.errors import (
    IncompleteSignature,
    InvalidSignatureException,
    MissingAuthenticationToken,
    UnrecognizedClientException,
)
from console.models import AccessKey, Account

ALGORITHM = "AWS4-HMAC-SHA256"
SERVICES = {"personalize", "sts"}
MAX_AGE = timedelta(minutes=15)
KEY_CACHE_S = 20.0
STALE_S = 600.0  # how long a key that was read counts while the database does not answer
CREDENTIAL = re.compile(r"([\w\-.~+=@]{1,128})/(\d{8})/([a-zA-Z0-9\-]{1,64})/([a-zA-Z0-9\-]{1,64})/aws4_request")
PLAIN = {"CONTENT_TYPE", "CONTENT_LENGTH"}  # headers that WSGI names without HTTP_
PART = re.compile(r"\s*(Credential|SignedHeaders|Signature)=([^,\s]+)\s*")
SIGNED_IF_THERE = ("X-Amz-Date", "X-Amz-Target")  # what decides about the call must not be changed on the way
AMZ_DATE = re.compile(r"\d{8}T\d{6}Z")
HASH = re.compile(r"[0-9a-fA-F]{64}")


@dataclass(frozen=True)
class Authorization:
    """The parts of the Authorization header."""

    key_id: str
    day: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str

    @property
    def scope(self) -> str:
        return f"{self.day}/{self.region}/{self.service}/aws4_request"


@dataclass(frozen=True)
class Caller:
    """Who signed a request, and for which region and service."""

    account: Account
    key_id: str
    region: str
    service: str


@dataclass(frozen=True)
class Key:
    """A key as it is kept in memory for a short while."""

    secret: str
    account: Account
    expires: datetime | None
    read: float


_keys: dict[str, Key] = {}


def authenticate(request: HttpRequest) -> Caller:
    """The account whose key signed the request, and what for.

    Raises:
        MissingAuthenticationToken, IncompleteSignature, UnrecognizedClientException, InvalidSignatureException
    """
    claimed = parse_authorization(request.META.get("HTTP_AUTHORIZATION", ""))
    moment = _moment(request, claimed)
    key = _key(claimed.key_id)
    body_hash = hashlib.sha256(request.body).hexdigest()
    signing_key = _signing_key(key.secret, claimed.day, claimed.region, claimed.service)
    for host in _hosts(request):
        canonical = _canonical_request(request, claimed.signed_headers, host, body_hash)
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        text = f"{ALGORITHM}\n{moment}\n{claimed.scope}\n{digest}"
        expected = hmac.new(signing_key, text.encode(), hashlib.sha256).hexdigest()
        if hmac.compare_digest(expected, claimed.signature):
            return Caller(key.account, claimed.key_id, claimed.region, claimed.service)
    stated = request.META.get("HTTP_X_AMZ_CONTENT_SHA256", body_hash)
    if stated != body_hash:
        what = f"is {stated[:40]}" if not HASH.fullmatch(stated) else "is not of the body that arrived"
        raise InvalidSignatureException(
            f"The X-Amz-Content-Sha256 header {what}; the body must be signed as it is sent, whole and by its SHA-256."
        )
    raise InvalidSignatureException(
        "The signature does not match the request; check the secret access key and that nothing on the way changes "
        "the path, the Host header or the body."
    )


def parse_authorization(header: str) -> Authorization:
    """Take the header apart.

    Raises:
        MissingAuthenticationToken: there is none.
        IncompleteSignature: another scheme, or a part is missing or malformed.
    """
    if not header:
        raise MissingAuthenticationToken(
            "The request is not signed; sign it with an access key (AWS Signature Version 4)."
        )
    scheme, _, rest = header.partition(" ")
    if scheme != ALGORITHM:
        raise IncompleteSignature(f"The authorization scheme is {scheme[:40]}, allowed is {ALGORITHM}.")
    parts = {found[1]: found[2] for entry in rest.split(",") if (found := PART.fullmatch(entry))}
    credential = CREDENTIAL.fullmatch(parts.get("Credential", ""))
    names = tuple(parts.get("SignedHeaders", "").lower().split(";"))
    if not credential or "Signature" not in parts or names == ("",) or not parts["Signature"].isascii():
        raise IncompleteSignature("The Authorization header must have Credential, SignedHeaders and Signature.")
    if "host" not in names:
        raise IncompleteSignature("The Host header must be among the SignedHeaders.")
    key_id, day, region, service = credential.groups()
    return Authorization(key_id, day, region, service, names, parts["Signature"])


def _moment(request: HttpRequest, claimed: Authorization) -> str:
    """When it was signed, as it stands in the string to sign."""
    moment: str = request.META.get("HTTP_X_AMZ_DATE", "")
    if not AMZ_DATE.fullmatch(moment):
        raise IncompleteSignature(
            f"The X-Amz-Date header is {moment[:40]!r}, allowed is a time such as 20260131T235959Z."
        )
    for name in SIGNED_IF_THERE:
        if f"HTTP_{name.upper().replace('-', '_')}" in request.META and name.lower() not in claimed.signed_headers:
            raise IncompleteSignature(f"The {name} header must be among the SignedHeaders.")
    try:
        age = datetime.now(UTC) - datetime.fromisoformat(moment)
    except ValueError:
        raise IncompleteSignature(f"The X-Amz-Date header is {moment}, which is no time.") from None
    if abs(age) > MAX_AGE:
        raise InvalidSignatureException(
            f"The signature is of {moment}, more than {MAX_AGE.seconds // 60} minutes off this server's clock."
        )
    if not moment.startswith(claimed.day) or claimed.service not in SERVICES:
        raise InvalidSignatureException(
            f"The credential's scope is {claimed.scope}, allowed are the day of X-Amz-Date and the services "
            f"{', '.join(sorted(SERVICES))}."
        )
    return moment


def _key(key_id: str) -> Key:
    """The key, from memory where it was read a moment ago; a deleted key works for that long."""
    key = _keys.get(key_id)
    if key is None or monotonic() - key.read >= KEY_CACHE_S:
        key = _keys[key_id] = _read_again(key_id, key)
    if key.expires is not None and key.expires <= datetime.now(UTC):
        raise UnrecognizedClientException(f"The access key {key_id} expired; create a new one under API access.")
    return key


def _read_again(key_id: str, known: Key | None) -> Key:
    """The key as it is now or, while the database does not answer, as it was a while ago."""
    try:
        return _read_key(key_id)
    except Exception as error:
        is_young = known is not None and monotonic() - known.read < STALE_S
        if known is None or not is_young or not transient.passed_over("Reading an access key", error):
            raise
        return known


def _read_key(key_id: str) -> Key:
    row = AccessKey.objects.select_related("account").filter(key_id=key_id).first()
    if row is None:
        _keys.pop(key_id, None)
        raise UnrecognizedClientException(f"The access key {key_id} is not known here.")
    if not row.secret:
        raise UnrecognizedClientException(
            f"The secret of {key_id} cannot be decrypted: the server's ENCRYPTION_KEY changed. Create a new access key."
        )
    if not row.is_expired:
        row.used()
    return Key(row.secret, row.account, row.expires, monotonic())


@lru_cache(maxsize=1024)
def _signing_key(secret: str, day: str, region: str, service: str) -> bytes:
    """The key of a day, region and service; derived once."""
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


def _hosts(request: HttpRequest) -> list[str]:
    """The host that may have been signed: as it arrived, or as a proxy says the client wrote it."""
    arrived = request.META.get("HTTP_HOST", "")
    forwarded = request.META.get("HTTP_X_FORWARDED_HOST", "").split(",")[0].strip()
    return [arrived, forwarded] if forwarded and forwarded != arrived else [arrived]


def _canonical_request(request: HttpRequest, names: tuple[str, ...], host: str, body_hash: str) -> str:
    headers = "".join(f"{name}:{host if name == 'host' else _header(request, name)}\n" for name in names)
    path = quote(request.path, safe="/-_.~")
    query = _canonical_query(request.META.get("QUERY_STRING", ""))
    return f"{request.method}\n{path}\n{query}\n{headers}\n{';'.join(names)}\n{body_hash}"


def _header(request: HttpRequest, name: str) -> str:
    """A header's value; from where they all arrive, as collecting them takes as long as the signature."""
    key = name.replace("-", "_").upper()
    value = request.META.get(f"HTTP_{key}") or (request.META.get(key) if key in PLAIN else None) or ""
    return " ".join(value.split())


def _canonical_query(query: str) -> str:
    if not query:
        return ""
    pairs = [(quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in parse_qsl(query, True)]
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))
