"""`manage.py export`: an account as a YAML document, without data and secrets."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from console.configuration.export import export
from console.management.people import DEFAULT_ACCOUNT, existing_account, require_database


class Command(BaseCommand):
    help = "Print an account's resources as YAML, which `plan` and `apply` read."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--account", default=DEFAULT_ACCOUNT)

    def handle(self, *_args: Any, **options: Any) -> None:
        require_database()
        self.stdout.write(export(existing_account(options["account"])).to_yaml(), ending="")
