"""/api/v1/: the paths of the table of routes, uploads, and the document that describes them."""

from __future__ import annotations

from django.urls import path, re_path
from drf_spectacular.views import SpectacularSwaggerSplitView

from console.api.routes import Route, routes
from console.api.schema_view import schema_view
from console.api.uploads import UploadView
from console.api.views import NothingHere, view_of

_by_path: dict[str, list[Route]] = {}
for _route in routes():
    _by_path.setdefault(_route.path, []).append(_route)

urlpatterns = [
    path("schema/", schema_view, name="api-schema"),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="api-schema"), name="api-docs"),
    path("uploads/", UploadView.as_view(), name="api-uploads"),
    *(path(pattern, view_of(found)) for pattern, found in _by_path.items()),
    re_path(r"^.*$", NothingHere.as_view()),
]
