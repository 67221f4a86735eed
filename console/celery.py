"""The Celery application; settings with the CELERY_ prefix are its own."""

from __future__ import annotations

import os
import warnings

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
# A container's root is what many run as; the worker executes nothing that a user sends.
warnings.filterwarnings("ignore", message="You're running the worker with superuser privileges")
app = Celery("console")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["console"])
