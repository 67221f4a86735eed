"""Paths of the pages. A resource's page is at its collection's name and its ARN's last part, forms below create/."""

from __future__ import annotations

from django.urls import include, path

from console.web import datasets, groups, jobs, model_urls, people

urlpatterns = [
    *people.urlpatterns,
    *groups.urlpatterns,
    *datasets.urlpatterns,
    path("jobs/<str:label>/<int:pk>/progress/", jobs.progress_view, name="job-progress"),
    path("jobs/<str:label>/<int:pk>/<str:action>/", jobs.act_view, name="job-act"),
    path("", include(model_urls)),
]
