"""An authenticator in software: real keys and signatures, and a say in every byte, so that each rule can be broken alone."""

from __future__ import annotations

import hashlib
import json
import secrets
import struct
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import Client
from fido2 import cbor
from fido2.cose import ES256

from console.shapes import JSONDict
from console.web.account.webauthn import decoded, encoded

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40
ORIGIN = "http://localhost"
PASSWORD = "right-password"
AT = {"HTTP_HOST": "localhost"}


@dataclass
class Authenticator:
    """A device with one passkey; the attributes are what it says, true or not."""

    origin: str = ORIGIN
    rp_id: str = "localhost"
    flags: int = PRESENT | VERIFIED
    counter: int = 0
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    cose: dict[int, object] = field(default_factory=dict)  # in place of the key's
    handle: str = ""

    def make(self, options: JSONDict, **changes: str) -> JSONDict:
        """The answer to a request for a new passkey; `changes` are of the client's data."""
        self.handle = options["user"]["id"]
        cose = self.cose or dict(ES256.from_cryptography_key(self.key.public_key()))
        attested = bytes(16) + struct.pack(">H", len(self.credential_id)) + self.credential_id + cbor.encode(cose)
        statement = {"fmt": "none", "attStmt": {}, "authData": self._data(ATTESTED) + attested}
        return {
            "id": encoded(self.credential_id),
            "clientDataJSON": encoded(self._client("webauthn.create", options, changes)),
            "attestationObject": encoded(cbor.encode(statement)),
        }

    def sign(self, options: JSONDict, **changes: str) -> JSONDict:
        """The answer to a request for a passkey; `changes` are of the client's data."""
        client, data = self._client("webauthn.get", options, changes), self._data(0)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return {
            "id": encoded(self.credential_id),
            "clientDataJSON": encoded(client),
            "authenticatorData": encoded(data),
            "signature": encoded(signature),
            "userHandle": self.handle,
        }

    def _data(self, more: int) -> bytes:
        return hashlib.sha256(self.rp_id.encode()).digest() + struct.pack(">BI", self.flags | more, self.counter)

    def _client(self, kind: str, options: JSONDict, changes: JSONDict) -> bytes:
        said = {"type": kind, "challenge": options["challenge"], "origin": self.origin, "crossOrigin": False}
        assert len(decoded(options["challenge"])) == 32
        return json.dumps(said | changes).encode()


def sent(client: Client, path: str, body: object, **more: str):
    text = body if isinstance(body, str | bytes) else json.dumps(body)
    return client.post(path, text, content_type="application/json", **(AT | more))


def options(client: Client, password: str = PASSWORD):
    return sent(client, "/settings/you/passkeys/options/", {"password": password})


def added(client: Client, device: Authenticator, name: str = "phone", **changes: str):
    answer = device.make(options(client).json(), **changes)
    return sent(client, "/settings/you/passkeys/add/", answer | {"name": name})


def asked(client: Client):
    return sent(client, "/accounts/passkey/options/", {}).json()


def signed_in(device: Authenticator, client: Client | None = None, next_page: str = "", **changes: str):
    client = client or Client()
    return sent(client, "/accounts/passkey/", device.sign(asked(client), **changes) | {"next": next_page})


def is_in(client: Client) -> bool:
    return bool(client.get("/settings/you/", **AT).status_code == 200)
