"""The Celery application; settings with the CELERY_ prefix are its own."""

from __future__ import annotations

import gc
import os
import warnings
from importlib import import_module

from celery import Celery
from celery.exceptions import CPendingDeprecationWarning
from celery.signals import worker_before_create_process

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
# A container's root is what many run as; the worker executes nothing that a user sends.
warnings.filterwarnings("ignore", message="You're running the worker with superuser privileges")
# Said on each loss of the broker; it is about late acknowledgements, of which there are none.
warnings.filterwarnings("ignore", category=CPendingDeprecationWarning)
app = Celery("console")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["console"])


def _share(**_: object) -> None:
    """Import before a child is forked what its jobs need, and keep that on pages that both share.

    A child that replaces another then begins at once, and neither it nor the garbage collector copies what was imported.
    """
    import_module("console.tasks").get_ready()
    gc.collect()
    gc.freeze()


worker_before_create_process.connect(_share)
