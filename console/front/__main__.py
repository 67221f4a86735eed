"""`python -m console.front --fd N [--fd N …]`: the web processes of `manage.py serve`."""

from __future__ import annotations

import os
from importlib import import_module

import django

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
    os.environ.setdefault("SOCKET_TIMEOUT_S", "1")  # who answers people does not wait long for others
    django.setup()  # before models are imported
    import_module("console.front.server").main()
