"""Paths of the pages. A resource's page is at its collection's name and its ARN's last part, forms below create/."""

from __future__ import annotations

from django.urls import include, path
from django.views.i18n import set_language

from console.web import job_pages, jobs, lists, model_urls
from console.web.account import audit, members, openid, passkeys, people, settings_pages, trash, way_in, yourself
from console.web.data import data_insights, datasets, groups, imports, item_display, records, schemas, trackers
from console.web.evaluation import attributions
from console.web.serving import filters

urlpatterns = [
    *people.urlpatterns,
    *members.urlpatterns,
    *yourself.urlpatterns,
    *openid.urlpatterns,
    *way_in.urlpatterns,
    *passkeys.urlpatterns,
    *groups.urlpatterns,
    *schemas.urlpatterns,
    *imports.urlpatterns,
    *records.urlpatterns,
    *item_display.urlpatterns,
    *datasets.urlpatterns,
    *data_insights.urlpatterns,
    *filters.urlpatterns,
    *trackers.urlpatterns,
    *job_pages.urlpatterns,
    *attributions.urlpatterns,
    *settings_pages.urlpatterns,
    *audit.urlpatterns,
    *trash.urlpatterns,
    path("lists/<str:slug>/columns/", lists.columns_view, name="list-columns"),
    path("lists/<str:slug>/delete/", lists.bulk_delete_view, name="list-delete"),
    path("language/", set_language, name="set_language"),
    path("jobs/<str:label>/<int:pk>/progress/", jobs.progress_view, name="job-progress"),
    path("jobs/<str:label>/<int:pk>/<str:action>/", jobs.act_view, name="job-act"),
    path("", include(model_urls)),
]
