"""The Django application."""

from __future__ import annotations

from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    """The one app of the project."""

    name = "console"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Make the Celery application the current one, and register the system checks."""
        from console import celery, checks  # noqa: F401, PLC0415  needs the app registry
