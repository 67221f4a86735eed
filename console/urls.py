"""Where each face is mounted."""

from __future__ import annotations

from django.urls import include, path, re_path

from console import health, metrics
from console.beacons import views as beacons

handler400 = "console.web.problems.refused"
handler500 = "console.web.problems.failed"
urlpatterns = [
    re_path(r"^aws(?:/|$)", include("console.aws.urls")),  # first, as it is asked most
    path("healthz", health.healthz, name="healthz"),
    path("livez", health.livez),
    path("metrics", metrics.metrics, name="metrics"),
    path("ingest/<str:key>/events", beacons.collect),
    path("op.js", beacons.script, name="op.js"),
    path("api/v1/", include("console.api.urls")),
    path("", include("console.web.urls")),
]
