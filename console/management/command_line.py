"""The server's command line: what all commands share, Django's own among them.

A command that would read or write a newer release's database is refused, and a fault that passes by itself, such as a full
disk, is a line instead of a traceback.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any

from django.core.management import ManagementUtility
from django.core.management.base import BaseCommand

# What says how a database is, puts another one in its place, or reads none.
WITH_ANY_DATABASE = {
    "doctor", "restore",
    "check", "compilemessages", "diffsettings", "makemessages", "sendtestemail", "startapp", "startproject", "test",
    "testserver",
}  # fmt: skip


class CommandLine(ManagementUtility):
    """Django's, whose commands begin with a look at whose the database is."""

    def fetch_command(self, subcommand: str) -> BaseCommand:
        """The command of that name."""
        command = super().fetch_command(subcommand)
        if subcommand in WITH_ANY_DATABASE:
            return command
        act = command.execute

        def execute(*arguments: Any, **options: Any) -> str | None:
            releases = import_module("console.management.releases")  # which needs settings, unlike `--help`
            releases.require_own_release()
            return act(*arguments, **options)

        command.execute = execute  # type: ignore[method-assign]
        return command


def run(arguments: list[str]) -> int:
    """Run one command; the exit status."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
    try:
        CommandLine(arguments).execute()
    except Exception as error:
        reason = import_module("console.transient").fault(error)
        if reason is None or "--traceback" in arguments:
            raise
        sys.stderr.write(f"{reason} Try again when that is over; --traceback says more.\n")
        return 1
    return 0
