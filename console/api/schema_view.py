"""The OpenAPI document as it is sent: made once in a process, as it changes with the code alone."""

from __future__ import annotations

from functools import cache

from django.http import HttpRequest, HttpResponse
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer

AN_HOUR = {"Cache-Control": "max-age=3600"}


def schema_view(request: HttpRequest) -> HttpResponse:
    """GET /api/v1/schema/: YAML, or JSON where ?format= or the Accept header says so."""
    asked = request.GET.get("format") or request.headers.get("Accept", "")
    form = "json" if "json" in asked else "yaml"
    kind = "application/vnd.oai.openapi+json" if form == "json" else "application/vnd.oai.openapi"
    return HttpResponse(_written(form), content_type=f"{kind}; charset=utf-8", headers=AN_HOUR)


@cache
def _written(form: str) -> bytes:
    document = SchemaGenerator().get_schema(request=None, public=True)
    renderer = OpenApiJsonRenderer() if form == "json" else OpenApiYamlRenderer()
    written = renderer.render(document, renderer_context={})
    return written if isinstance(written, bytes) else written.encode()
