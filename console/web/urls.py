"""Paths of the pages. A resource's page is at its collection's name and its ARN's last part, forms below create/."""

from __future__ import annotations

from django.urls import include, path

from console.web import (
    attributions,
    data_insights,
    datasets,
    filters,
    groups,
    imports,
    job_pages,
    jobs,
    model_urls,
    people,
    records,
    schemas,
    settings_pages,
    trackers,
)

urlpatterns = [
    *people.urlpatterns,
    *groups.urlpatterns,
    *schemas.urlpatterns,
    *imports.urlpatterns,
    *records.urlpatterns,
    *datasets.urlpatterns,
    *data_insights.urlpatterns,
    *filters.urlpatterns,
    *trackers.urlpatterns,
    *job_pages.urlpatterns,
    *attributions.urlpatterns,
    *settings_pages.urlpatterns,
    path("jobs/<str:label>/<int:pk>/progress/", jobs.progress_view, name="job-progress"),
    path("jobs/<str:label>/<int:pk>/<str:action>/", jobs.act_view, name="job-act"),
    path("", include(model_urls)),
]
