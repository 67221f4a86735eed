"""`manage.py apply FILE`: make an account as a document says; nothing is deleted, and a second run finds nothing to do."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from console.management.configuring import ConfigurationCommand, add_file, document_at


class Command(ConfigurationCommand):
    help = "Create and change what a document names, import into empty datasets, train what campaigns need."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        add_file(parser)

    def handle(self, *_args: Any, **options: Any) -> None:
        self.show(document_at(options["file"]), options["account"], is_applied=True)
