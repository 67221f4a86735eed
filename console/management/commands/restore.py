"""`manage.py restore FILE`: what `backup` wrote becomes the server's state; `--check` only verifies it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from console.management import archive
from console.management.archive import ArchiveError
from console.management.restoring import restore


class Command(BaseCommand):
    help = "Put a backup back; the server must be stopped. Everything is verified before anything is changed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source", help="a file that `backup` wrote, or - for the input")
        parser.add_argument("--check", action="store_true", help="verify the checksums and change nothing")
        parser.add_argument("--replace", action="store_true", help="also where there are accounts already")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            with _opened(options["source"]) as file:
                if options["check"]:
                    manifest = archive.read(file)
                    self.stdout.write(f"The backup of {manifest['made']} is whole: {len(manifest['files'])} files.")
                    return
                manifest, kept = restore(file, replace=options["replace"])
        except (ArchiveError, OSError) as error:
            raise CommandError(str(error)) from None
        call_command("migrate", verbosity=0)
        self.stdout.write(f"Restored the backup of {manifest['made']}: {len(manifest['files'])} files.")
        if kept:
            self.stdout.write(f"What was there before is in {kept}; delete it when you no longer need it.")
        self.stdout.write("Start the server, then run `manage.py doctor`.")


@contextmanager
def _opened(source: str) -> Iterator[IO[bytes]]:
    if source == "-":
        yield sys.stdin.buffer
        return
    with Path(source).open("rb") as file:
        yield file
