"""The Celery application; settings with the CELERY_ prefix are its own."""

from __future__ import annotations

import os
import sys
import threading
import warnings
from importlib import import_module

from celery import Celery
from celery.signals import worker_process_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
# A container's root is what many run as; the worker executes nothing that a user sends.
warnings.filterwarnings("ignore", message="You're running the worker with superuser privileges")
app = Celery("console")
app.config_from_object("django.conf:settings", namespace="CELERY")
if "beat" not in sys.argv:  # beat sends tasks by name and needs none of what they import
    app.autodiscover_tasks(["console"])


def _get_ready(**_: object) -> None:
    """While it waits for its first job a worker's child imports what trainings need, which is a quarter of an UPDATE's time."""
    threading.Thread(target=import_module("console.tasks").get_ready, name="get-ready", daemon=True).start()


worker_process_init.connect(_get_ready)
