"""The server's command line: a fault that passes by itself, such as a full disk, is a line instead of a traceback."""

from __future__ import annotations

import os
import sys
from importlib import import_module

from django.core.management import execute_from_command_line


def run(arguments: list[str]) -> int:
    """Run one command; the exit status."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
    try:
        execute_from_command_line(arguments)
    except Exception as error:
        reason = import_module("console.transient").fault(error)  # which needs settings, unlike `--help`
        if reason is None or "--traceback" in arguments:
            raise
        sys.stderr.write(f"{reason} Try again when that is over; --traceback says more.\n")
        return 1
    return 0
