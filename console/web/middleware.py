"""What every page is sent with: a Content-Security-Policy that allows nothing inline, and compression."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

# Items' pictures may come from anywhere; all else is this server's own, and nothing stands inline.
POLICY = "; ".join(
    (
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "font-src 'self'", "img-src 'self' data: http: https:",
        "connect-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'",
    )
)  # fmt: skip
COMPRESSED = ("text/html", "application/vnd.oai.openapi", "application/javascript")


class PagesMiddleware(GZipMiddleware):
    """Adds the policy to pages and compresses them; answers to programs pass as they are."""

    get_response: Callable[[HttpRequest], HttpResponseBase]

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Called for each answer that Django gives."""
        kind = response.get("Content-Type", "")
        if kind.startswith("text/html"):
            response.headers.setdefault("Content-Security-Policy", POLICY)
        if kind.startswith(COMPRESSED):
            return super().process_response(request, response)
        return response
