"""`manage.py backup FILE|FOLDER`: everything in one file, while the server serves."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from console.management.archive import ArchiveError
from console.management.backing_up import Backup, back_up, check, whole_file
from console.management.people import require_database

OWN_FOLDERS = ("store", "buckets", "secrets", "cache", "run", "scratch", "static", "valkey")


class Command(BaseCommand):
    help = "Write database, models, data, uploads and secrets to one file; the server may go on serving."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "target", help="a file ending in .tar or .tar.gz, a folder for a dated file, or - for the output"
        )
        parser.add_argument("--without-secrets", action="store_true", help="leave the keys of DATA_DIR/secrets out")

    def handle(self, *_args: Any, **options: Any) -> None:
        require_database()
        with_secrets = not options["without_secrets"]
        try:
            if options["target"] == "-":
                self._report(back_up(sys.stdout.buffer, compressed=False, with_secrets=with_secrets), "standard output")
                return
            path = _file_named(options["target"])
            with whole_file(path) as file:
                made = back_up(file, compressed=path.name.endswith("gz"), with_secrets=with_secrets)
            check(path)
        except (ArchiveError, OSError) as error:
            raise CommandError(str(error)) from None
        self._report(made, str(path))

    def _report(self, made: Backup, where: str) -> None:
        stream = self.stderr if where == "standard output" else self.stdout
        stream.write(f"Wrote {made.files} files, {made.bytes / 2**20:.1f} MB, to {where}.")
        if made.secrets_elsewhere:
            names = " and ".join(made.secrets_elsewhere)
            self.stderr.write(
                f"{names} are not in it: keep them yourself; without ENCRYPTION_KEY access keys are lost."
            )
        if made.missing:
            self.stderr.write(
                f"The store lacks {len(made.missing)} folders or files that rows name, such as {made.missing[0]}; "
                "`manage.py doctor` says whose they are."
            )


def _file_named(target: str) -> Path:
    """The file to write: `target`, or a dated one in it where it is a folder.

    Raises:
        CommandError: it is called neither .tar nor .tar.gz, or its folder is missing or the server's own.
    """
    path = Path(target).resolve()
    _keep_out(path)
    if path.is_dir() or target.endswith("/"):
        path.mkdir(parents=True, exist_ok=True)
        path /= f"openpersonalize-{timezone.now():%Y%m%d-%H%M%S}.tar.gz"
    if not path.name.endswith((".tar", ".tar.gz", ".tgz")):
        raise CommandError(f"{path.name} is no name of a backup; allowed are names that end in .tar, .tar.gz or .tgz.")
    if not path.parent.is_dir():
        raise CommandError(f"There is no folder {path.parent}.")
    return path


def _keep_out(path: Path) -> None:
    """Keep a backup out of the server's own folders, links followed: the next one would contain it, imports could read it.

    Raises:
        CommandError: it is to lie in one of them.
    """
    for name in OWN_FOLDERS:
        folder = (settings.DATA_DIR / name).resolve()
        if path.is_relative_to(folder):
            raise CommandError(
                f"{path} lies in {folder}, a folder of the server's own, which backups contain or the server empties. Choose "
                f"another one, such as {settings.DATA_DIR / 'backups'}/."
            )
