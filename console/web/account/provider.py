"""The OpenID provider that OIDC_ISSUER names, asked by Authlib: nobody waits for it for long, and nothing large is read.

A sign-in asks for the discovery document and the keys (both kept for an hour, keys asked for anew when a token names another
one), exchanges the code, and verifies the ID token (OpenID Connect Core 1.0, section 3.1.3.7). All of that happens in a
thread of its own, as look-ups of names and bytes that trickle in hold to no timeout of a socket; its connections are cut when
nobody waits any more, so that the thread ends, too.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.django_client import DjangoIntegration, DjangoOAuth2App
from authlib.integrations.requests_client import OAuth2Session
from cachetools import TTLCache, cached
from cryptography.exceptions import UnsupportedAlgorithm
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry

from console.errors import InvalidInputException, ServiceUnavailableException
from console.models.identities import LONGEST_SUBJECT
from console.operations.account.identities import Claims
from console.shapes import JSONDict
from console.web.account.lines import LINES, Lines, NotingAdapter

logger = logging.getLogger(__name__)

TIMEOUTS_S = (2.0, 3.0)  # to connect, and until the next bytes come
PATIENCE_S = 5.0  # for everything that one sign-in asks
SLOTS = threading.BoundedSemaphore(2)  # sign-ins of a process that ask the provider at once; a lane has three threads
SLOT_PATIENCE_S = 0.5
LARGEST_BYTES = 512 * 1024  # of an answer
PART_BYTES = 64 * 1024
POSTED = "client_secret_post"  # how a secret travels where HTTP Basic is not taken
KEPT_S = 3600
LEEWAY_S = 60  # between the clocks of provider and server
GROUPS_MAX = 1000
SIGNED_BY = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
METADATA = {
    "issuer", "authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint", "_loaded_at",
    "id_token_signing_alg_values_supported", "end_session_endpoint",
}  # fmt: skip

# What comes of a provider that is away, and of answers that are not what they should be.
AWAY = (requests.RequestException, OSError, TimeoutError)
MALFORMED = (
    ValueError, TypeError, LookupError, AttributeError, ArithmeticError, NotImplementedError, RecursionError, UnsupportedAlgorithm,
)  # fmt: skip
OURS = ("invalid_client", "unauthorized_client")  # errors of the token endpoint that say nothing about the code

Result = TypeVar("Result")


class MalformedError(ValueError):
    """The provider answers with what OpenID Connect does not allow."""


class BoundedSession(OAuth2Session):
    """A session whose requests follow no redirects, and end after a time and a size."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Note each connection."""
        super().__init__(*args, **kwargs)
        for scheme in ("http://", "https://"):
            self.mount(scheme, NotingAdapter())

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        """Ask, and read the answer.

        Raises:
            MalformedError: the answer is larger than `LARGEST_BYTES`.
        """
        bounds = {"timeout": TIMEOUTS_S, "allow_redirects": False, "stream": True}
        answer: requests.Response = super().request(*args, **kwargs | bounds)
        body = b""
        with answer:
            for part in answer.iter_content(PART_BYTES):
                body += part
                if len(body) > LARGEST_BYTES:
                    raise MalformedError(f"an answer has more than {LARGEST_BYTES} bytes")
        answer._content = body
        return answer


class ProviderApp(DjangoOAuth2App):
    """Authlib's client; of the discovery document it takes what it needs, after checking it."""

    client_cls = BoundedSession

    @property
    def is_known(self) -> bool:
        """Whether the discovery document was read."""
        return "_loaded_at" in self.server_metadata

    def load_server_metadata(self) -> JSONDict:
        """The discovery document, asked for once."""
        if not self.is_known:
            try:
                found = _checked(super().load_server_metadata())
            finally:
                self.server_metadata = {}
            methods = found.pop("methods")
            if self.client_secret and "client_secret_basic" not in methods:
                self.client_kwargs["token_endpoint_auth_method"] = POSTED
            self.server_metadata = found
        metadata: JSONDict = self.server_metadata
        return metadata

    def fetch_jwk_set(self, force: bool = False) -> JSONDict:
        """The provider's keys, without those that cannot be read here, which others may have a use for (RFC 7517, section 5)."""
        found = super().fetch_jwk_set(force=force)
        return {"keys": [key for key in found["keys"] if _is_key(key)]}


def begin(redirect_uri: str) -> dict[str, str]:
    """Where a browser goes to sign in, as `url`, and what the way back is checked by: state, nonce, code_verifier.

    Raises:
        ServiceUnavailableException: the provider does not answer, or not as it should.
    """
    app = _app()
    if app.is_known:  # nothing is asked, so that nobody waits for those who do ask
        return dict(app.create_authorization_url(redirect_uri))
    return _bounded(lambda: dict(app.create_authorization_url(redirect_uri)))


def end_address(back: str) -> str:
    """Where the provider ends its own sign-in and leads to `back`; "" where it says no such place."""
    app = _app()
    if not (app.is_known and _is_safe(app.server_metadata.get("end_session_endpoint"))):
        return ""
    return str(app.create_logout_url(back, client_id=settings.OIDC_CLIENT_ID)["url"])


def identify(code: str, *, nonce: str, code_verifier: str, redirect_uri: str) -> Claims:
    """Who came back with a code.

    Raises:
        InvalidInputException: the provider refuses the code, or its token is not for this sign-in.
        ServiceUnavailableException: the provider does not answer, or not as it should.
    """
    return _bounded(lambda: _claims(_app(), code, nonce, code_verifier, redirect_uri))


def _claims(app: ProviderApp, code: str, nonce: str, code_verifier: str, redirect_uri: str) -> Claims:
    token: JSONDict = app.fetch_access_token(  # type: ignore[no-untyped-call]
        redirect_uri, code=code, code_verifier=code_verifier
    )
    options = {
        "iss": {"essential": True, "value": app.load_server_metadata()["issuer"]},
        "aud": {"essential": True, "value": settings.OIDC_CLIENT_ID},
        "sub": {"essential": True},
    }
    if "id_token" not in token:
        raise MalformedError("the token endpoint gave no id_token")
    found: JSONDict = dict(app.parse_id_token(token, nonce, claims_options=options, leeway=LEEWAY_S) or {})
    subject = found["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT or not subject.isprintable():
        raise MalformedError("the subject is not a text of 1 to 255 characters")
    wanted = {"email"} | ({settings.OIDC_GROUPS_CLAIM} if settings.OIDC_ROLES else set())
    if wanted - found.keys() and app.server_metadata.get("userinfo_endpoint"):
        more = app.userinfo(token=token)
        if more.get("sub") == subject:  # section 5.3.2
            found = {**more, **found}
    return Claims(
        issuer=found["iss"].rstrip("/"),
        subject=subject,
        name=_text(found.get("preferred_username")) or _text(found.get("name")),
        email=_email(found),
        groups=_groups(found.get(settings.OIDC_GROUPS_CLAIM)),
    )


def _is_key(value: object) -> bool:
    if not isinstance(value, dict) or value.get("kty") == "oct":  # a secret that is published signs nothing
        return False
    try:
        JWKRegistry.import_key(value)
    except (JoseError, *MALFORMED):
        return False
    return True


def _text(value: object) -> str:
    """A text that every database takes."""
    return "".join(filter(str.isprintable, value[:200])) if isinstance(value, str) else ""


def _email(claims: JSONDict) -> str:
    """The address, if the provider verified it."""
    email = _text(claims.get("email"))
    try:
        validate_email(email)
    except ValidationError:
        return ""
    return email if claims.get("email_verified") is True else ""


def _groups(value: object) -> frozenset[str]:
    found = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    return frozenset(group for group in found[:GROUPS_MAX] if isinstance(group, str))


def _app() -> ProviderApp:
    return _app_of(settings.OIDC_ISSUER, settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET, settings.OIDC_SCOPES)


@cached(TTLCache(1, KEPT_S), lock=threading.Lock())
def _app_of(issuer: str, client_id: str, client_secret: str, scope: str) -> ProviderApp:
    return ProviderApp(
        DjangoIntegration("oidc"),
        name="oidc",
        client_id=client_id,
        client_secret=client_secret or None,
        server_metadata_url=f"{issuer}/.well-known/openid-configuration",
        client_kwargs={"scope": scope, "code_challenge_method": "S256"},
    )


def _checked(found: object) -> JSONDict:
    """What is needed of a discovery document.

    Raises:
        MalformedError: it is another issuer's, or lacks an address, or nothing signs its tokens that others cannot.
    """
    if not isinstance(found, dict) or str(found.get("issuer")).rstrip("/") != settings.OIDC_ISSUER:
        raise MalformedError("the discovery document is not that of OIDC_ISSUER")
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        if not _is_safe(found.get(name)):
            raise MalformedError(f"the discovery document has no {name} that is safe")
    said = found.get("id_token_signing_alg_values_supported") or ["RS256"]
    algorithms = [name for name in SIGNED_BY if name in said]
    if not algorithms:
        raise MalformedError("the provider signs with no key pair")
    methods = found.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    kept = {name: value for name, value in found.items() if name in METADATA}
    return kept | {"id_token_signing_alg_values_supported": algorithms, "methods": methods}


def _is_safe(address: object) -> bool:
    """Whether browsers and secrets may go to an address: by HTTPS, unless the issuer is this machine."""
    if not isinstance(address, str) or not address.isascii() or not address.isprintable() or " " in address:
        return False
    return urlsplit(address).scheme in {"https", urlsplit(settings.OIDC_ISSUER).scheme}


def _bounded(work: Callable[[], Result]) -> Result:
    """What `work` returns, within `PATIENCE_S`.

    Raises:
        InvalidInputException: the provider refuses, or a token is not what it should be.
        ServiceUnavailableException: the provider is away or slow, or says what cannot be read.
    """
    away = gettext("{name} does not answer as it should. Try again in a moment.").format(name=settings.OIDC_NAME)
    if not SLOTS.acquire(timeout=SLOT_PATIENCE_S):
        raise ServiceUnavailableException(away)
    done: Future[Result] = Future()
    lines = Lines()
    threading.Thread(target=_run, args=(work, done, lines), name="openid", daemon=True).start()
    try:
        return done.result(PATIENCE_S)
    except (OAuthError, JoseError) as error:
        logger.warning("A sign-in by OpenID Connect was refused: %s", _log_text(error))
        if getattr(error, "error", "") in OURS:
            raise ServiceUnavailableException(away) from None
        raise InvalidInputException(
            gettext("{name} did not confirm who you are. Begin the sign-in anew.").format(name=settings.OIDC_NAME)
        ) from None
    except (*AWAY, *MALFORMED) as error:
        logger.warning("The OpenID provider does not answer as it should: %s", _log_text(error))
        raise ServiceUnavailableException(away) from None
    finally:
        lines.cut()


def _run(work: Callable[[], Result], done: Future[Result], lines: Lines) -> None:
    LINES.set(lines)
    try:
        done.set_result(work())
    except Exception as error:  # noqa: BLE001  raised where it is waited for
        done.set_exception(error)
    finally:
        SLOTS.release()


def _log_text(error: BaseException) -> str:
    """The error in a line, without the client's secret, whatever it quotes."""
    text = " ".join(f"{type(error).__name__}: {error}".split())[:300]
    return text.replace(settings.OIDC_CLIENT_SECRET, "…") if settings.OIDC_CLIENT_SECRET else text
