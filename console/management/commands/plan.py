"""`manage.py plan FILE`: what `apply` would do."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from console.management.configuring import ConfigurationCommand, add_file, document_at


class Command(ConfigurationCommand):
    help = "Show how an account differs from a document; nothing is changed."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        add_file(parser)

    def handle(self, *_args: Any, **options: Any) -> None:
        self.show(document_at(options["file"]), options["account"], is_applied=False)
