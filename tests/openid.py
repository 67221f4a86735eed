"""An OpenID provider of the tests' own: real HTTP, a real key, codes that work once, PKCE; what it says can be bent."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwk, jws

CLIENT_ID, CLIENT_SECRET = "console", "a-secret-of-the-client"


def new_key(kid: str = "first") -> jwk.RSAKey:
    return jwk.RSAKey.generate_key(2048, {"kid": kid, "use": "sig"})


@dataclass
class Provider:
    """What it answers; tests set its members."""

    issuer: str = ""
    person: dict[str, Any] = field(default_factory=lambda: {"sub": "s-1", "preferred_username": "bob"})
    claims: dict[str, Any] = field(default_factory=dict)  # laid over those of the ID token
    dropped: set[str] = field(default_factory=set)  # claims that it leaves out
    userinfo: dict[str, Any] = field(default_factory=dict)
    key: jwk.RSAKey = field(default_factory=new_key)
    published: list[jwk.RSAKey] | None = None  # its own key, unless other ones are set
    sign: Any = None  # makes the ID token of claims, instead of RS256
    metadata: dict[str, Any] = field(default_factory=dict)
    error: dict[str, str] = field(default_factory=dict)  # what the page answers with instead of a code
    secret: str = CLIENT_SECRET
    methods: list[str] = field(default_factory=lambda: ["client_secret_basic"])
    faults: dict[str, Any] = field(default_factory=dict)  # path: status, "hang", "huge", "drip" or bytes
    asked: list[str] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
            "token_endpoint_auth_methods_supported": self.methods,
        } | self.metadata

    def authorize(self, query: dict[str, str]) -> str:
        """Where the browser goes on, after the person agreed."""
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        assert "openid" in query["scope"].split()
        back = {"state": query["state"], **self.error}
        if not self.error:
            back["code"] = secrets.token_urlsafe(16)
            self.codes[back["code"]] = query
        return f"{query['redirect_uri']}?{urlencode(back)}"

    def token(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        if not self._is_client(form, authorization):
            return 401, {"error": "invalid_client"}
        query = self.codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if query is None or query["code_challenge"] != challenge or query["redirect_uri"] != form["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": query["nonce"]}
        claims = {k: v for k, v in (claims | self.person | self.claims).items() if k not in self.dropped}
        return 200, {"access_token": "open-sesame", "token_type": "Bearer", "id_token": self._signed(claims)}

    def keys(self) -> dict[str, Any]:
        return {"keys": [key.as_dict(private=False) for key in self.published or [self.key]]}

    def _signed(self, claims: dict[str, Any]) -> str:
        if self.sign is not None:
            return str(self.sign(claims))
        return jws.serialize_compact({"alg": "RS256", "kid": self.key.kid}, json.dumps(claims), self.key)

    def _is_client(self, form: dict[str, str], authorization: str) -> bool:
        if not self.secret:
            return form.get("client_id") == CLIENT_ID
        if self.methods == ["client_secret_basic"]:
            expected = base64.b64encode(f"{CLIENT_ID}:{self.secret}".encode()).decode()
            return authorization == f"Basic {expected}"
        return (form.get("client_id"), form.get("client_secret")) == (CLIENT_ID, self.secret)


class Handler(BaseHTTPRequestHandler):
    """The provider's pages; `server` has what they answer with."""

    server: ProviderServer

    def do_GET(self) -> None:
        place = urlsplit(self.path)
        found = self.server.provider
        found.asked.append(place.path)
        if self._is_faulty(place.path):
            return
        query = {name: values[0] for name, values in parse_qs(place.query).items()}
        if place.path == "/authorize":
            page = f'<!doctype html><title>Provider</title><a href="{html.escape(found.authorize(query))}">Agree</a>'
            self._answer(200, page.encode(), "text/html")
        elif place.path == "/userinfo" and self.headers["Authorization"] == "Bearer open-sesame":
            self._json(200, {"sub": found.person["sub"]} | found.userinfo)
        elif place.path == "/keys":
            self._json(200, found.keys())
        elif place.path == "/.well-known/openid-configuration":
            self._json(200, found.discovery())
        else:
            self._json(404, {})

    def do_POST(self) -> None:
        self.server.provider.asked.append(self.path)
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if not self._is_faulty(self.path):
            form = {name: values[0] for name, values in parse_qs(text).items()}
            self._json(*self.server.provider.token(form, self.headers["Authorization"] or ""))

    def _is_faulty(self, path: str) -> bool:
        match self.server.provider.faults.get(path):
            case None:
                return False
            case "hang":
                self.server.over.wait(60)
            case "huge":
                self._answer(200, b'{"x":"' + b"x" * 3_000_000 + b'"}')
            case "drip":
                self.send_response(200)
                self.end_headers()
                while not self.server.over.wait(0.3):
                    self.wfile.write(b" ")
            case int(status):
                self._answer(status, b"<h1>broken</h1>", "text/html")
            case bytes(body):
                self._answer(200, body)
        return True

    def _json(self, status: int, body: dict[str, Any]) -> None:
        self._answer(status, json.dumps(body).encode())

    def _answer(self, status: int, body: bytes, kind: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle(self) -> None:
        with suppress(BrokenPipeError, ConnectionResetError):  # who asked has gone
            super().handle()

    def log_message(self, *_args: object) -> None:
        pass


class ProviderServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.over = threading.Event()
        self.provider = Provider(issuer=f"http://127.0.0.1:{self.server_address[1]}")


@contextmanager
def provider() -> Iterator[Provider]:
    """One that answers on a free port of this machine."""
    server = ProviderServer()
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server.provider
    server.over.set()
    server.shutdown()
    server.server_close()
