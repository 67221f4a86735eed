"""/aws/: one path for the operations named by a header, and one for each that is named by its path."""

from __future__ import annotations

from django.urls import re_path

from console.aws.views import serve

urlpatterns = [re_path(r"^(?P<path>.*?)/?$", serve)]
