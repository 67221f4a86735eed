"""The server's half of WebAuthn: what is asked of an authenticator, and what its answer must be.

W3C Web Authentication Level 3, sections 7.1 and 7.2. fido2 reads the bytes and checks signatures; each rule stands here, as its
server knows neither exact origins nor counters nor handles, and loads a list of all public suffixes.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import struct
import time
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext
from fido2 import cbor
from fido2.cose import CoseKey
from fido2.webauthn import AttestationObject, AuthenticatorData, CollectedClientData

from console.shapes import JSONDict
from console.web.account.sites import Site

ALGORITHMS = (-7, -8, -257)  # ES256, EdDSA, RS256: what authenticators have
CREATE, GET = "webauthn.create", "webauthn.get"
MAX_BYTES = 16 * 1024  # of an answer; a kilobyte is usual
MAX_ID_BYTES = 1023
MAX_KEY_BYTES = 1024  # RSA of 4096 bits has some 530
VALID_S = 300  # of a challenge
CHALLENGES = "passkeys"  # in the session
# What readers of bytes that somebody made up raise.
MALFORMED = (
    ValueError, TypeError, LookupError, AttributeError, ArithmeticError, NotImplementedError, RecursionError, struct.error,
)  # fmt: skip


@dataclass(frozen=True)
class Registration:
    """What is kept of a new passkey."""

    credential_id: str
    public_key: str
    counter: int


def ask(request: HttpRequest, purpose: str, **more: str) -> JSONDict:
    """A new challenge for a purpose, kept in the session with `more`; the one before it is void."""
    state = {"challenge": encoded(secrets.token_bytes(32)), "until": time.time() + VALID_S, **more}
    request.session[CHALLENGES] = request.session.get(CHALLENGES, {}) | {purpose: state}
    return state


def take(request: HttpRequest, purpose: str) -> JSONDict:
    """The open challenge of a purpose, which is void from now on.

    Raises:
        ValidationError: there is none, or it is too old.
    """
    states = dict(request.session.get(CHALLENGES, {}))
    state: JSONDict = states.pop(purpose, {})
    request.session[CHALLENGES] = states
    if state.get("until", 0) < time.time():
        raise ValidationError(gettext("This took too long, or was answered already; try again."))
    return state


def registration(answer: JSONDict, challenge: str, site: Site) -> Registration:
    """What an answer to a request for a new passkey holds.

    Raises:
        ValidationError: it breaks a rule, or cannot be read.
    """
    credential_id = credential_of(answer)
    try:
        client = CollectedClientData(_bytes(answer, "clientDataJSON"))
        data = AttestationObject(_bytes(answer, "attestationObject")).auth_data
        _check_client(client, CREATE, challenge, site)
        _check_authenticator(data, site)
        made = data.credential_data
        if made is None or encoded(made.credential_id) != credential_id:
            raise ValueError(credential_id)
        public_key = cbor.encode(made.public_key)
        _check_key(made.public_key, public_key)
    except MALFORMED:
        raise _malformed() from None
    return Registration(credential_id, encoded(public_key), data.counter)


def assertion(answer: JSONDict, challenge: str, site: Site, public_key: str) -> int:
    """The number of signatures that the authenticator tells in an answer to a request for a passkey.

    Raises:
        ValidationError: the answer breaks a rule, cannot be read, or is not signed by the key.
    """
    try:
        raw = _bytes(answer, "clientDataJSON")
        data = AuthenticatorData(_bytes(answer, "authenticatorData"))
        _check_client(CollectedClientData(raw), GET, challenge, site)
        _check_authenticator(data, site)
        key = CoseKey.parse(cbor.decode(decoded(public_key)))  # type: ignore[arg-type]
        key.verify(data + hashlib.sha256(raw).digest(), _bytes(answer, "signature"))
    except InvalidSignature:
        raise ValidationError(gettext("The passkey's signature is wrong.")) from None
    except MALFORMED:
        raise _malformed() from None
    return data.counter


def credential_of(answer: JSONDict) -> str:
    """The id of the passkey that an answer names.

    Raises:
        ValidationError: it names none.
    """
    try:
        return encoded(_bytes(answer, "id", MAX_ID_BYTES))
    except MALFORMED:
        raise _malformed() from None


def encoded(data: bytes) -> str:
    """In base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """From base64url without padding.

    Raises:
        ValueError: it is none.
    """
    if not re.fullmatch(r"[A-Za-z0-9_-]*", text):
        raise ValueError(text)
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _bytes(answer: JSONDict, name: str, most: int = MAX_BYTES) -> bytes:
    data = decoded(answer[name])
    if not 0 < len(data) <= most:
        raise ValueError(name)
    return data


def _check_client(client: CollectedClientData, kind: str, challenge: str, site: Site) -> None:
    if client.type != kind:
        raise ValueError(client.type)
    if not secrets.compare_digest(client.challenge, decoded(challenge)):
        raise ValidationError(gettext("This answers another question than was asked; try again."))
    if client.origin != site.origin or client.cross_origin:
        raise ValidationError(
            gettext("The passkey was used at another address; open the console at {origin}.").format(origin=site.origin)
        )


def _check_authenticator(data: AuthenticatorData, site: Site) -> None:
    if not secrets.compare_digest(data.rp_id_hash, hashlib.sha256(site.rp_id.encode()).digest()):
        raise ValidationError(gettext("The passkey is of another server."))
    if not data.is_user_present() or not data.is_user_verified():
        raise ValidationError(
            gettext("The device did not check that it is you: it must ask for a PIN, a finger or a face.")
        )


def _check_key(key: CoseKey, encoded_key: bytes) -> None:
    """Refuse a key of an algorithm that was not asked for, and one that no signature could be checked with."""
    if key.get(3) not in ALGORITHMS:
        raise ValidationError(gettext("The device signs in a way that is not known here; take another one."))
    if len(encoded_key) > MAX_KEY_BYTES:
        raise ValueError(len(encoded_key))
    try:
        key.verify(b"", b"")
    except InvalidSignature:
        return
    raise ValueError(key)


def _malformed() -> ValidationError:
    return ValidationError(gettext("The browser's answer cannot be read; try again, or with another browser."))
