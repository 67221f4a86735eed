"""`manage.py doctor`: how every part is, in plain words; the exit status is 1 if something does not work."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from console.management.examination import Level, examine


class Command(BaseCommand):
    help = "Examine disk, folder, secrets, database, store, models, broker, workers, jobs and port; say what to do."
    requires_system_checks: list[str] = []  # they are among what it tells

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="a JSON array instead of lines")

    def handle(self, *_args: Any, **options: Any) -> None:
        found = list(examine())
        if options["json"]:
            rows = [{"part": part, "level": one.level, "text": one.text, "remedy": one.remedy} for part, one in found]
            self.stdout.write(json.dumps(rows, indent=1))
        for part, one in [] if options["json"] else found:
            self.stdout.write(f"{one.level:<5} {part:<11} {one.text}")
            if one.remedy:
                self.stdout.write(f"{'':<17} → {one.remedy}")
        count = sum(one.level is Level.BAD for _, one in found)
        if not options["json"]:
            self.stdout.write("Nothing is wrong." if not count else f"{count} findings need you.")
        if count:
            sys.exit(1)
