"""What the commands `plan`, `apply` and `import_aws` share."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from console import operations  # noqa: F401  registers them
from console.configuration.applying import ApplyError, apply
from console.configuration.document import Document, DocumentError
from console.configuration.plan import make_plan
from console.errors import ServiceError
from console.management.people import DEFAULT_ACCOUNT, account_named, require_database
from console.models import Job

POLL_S = 0.5
QUIET_S = 30.0  # a job that nobody took up by then is reported


class ConfigurationCommand(BaseCommand):
    """A command that shows what a document would change, and changes it if that is asked for."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--account", default=DEFAULT_ACCOUNT)

    def show(self, document: Document, account_name: str, *, is_applied: bool) -> None:
        """Print the plan and take its steps.

        Raises:
            CommandError: a step was refused or failed.
        """
        require_database()
        account = account_named(account_name)
        plan = make_plan(account, document)
        self.stdout.write(str(plan))
        if not is_applied:
            return
        try:
            apply(account, plan, self._wait, lambda line: self.stdout.write(line.splitlines()[0]))
        except (ApplyError, ServiceError) as error:
            raise CommandError(str(error)) from None
        self.stdout.write("Done.")

    def _wait(self, job: Job) -> None:
        began = time.monotonic()
        is_reported = False
        while job.is_unfinished:
            time.sleep(POLL_S)
            job.refresh_from_db()
            if not is_reported and job.status == job.waiting and time.monotonic() - began > QUIET_S:
                is_reported = True
                self.stdout.write(f"  {job.name} waits for a worker; is the server running (manage.py serve)?")


def document_at(path: Path) -> Document:
    """The document in a file.

    Raises:
        CommandError: there is none, or it cannot be used.
    """
    try:
        return Document.from_yaml(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError:
        raise CommandError(f"{path}: The document is not UTF-8.") from None
    except (OSError, DocumentError) as error:
        raise CommandError(f"{path}: {error}") from None


def add_file(parser: CommandParser, **more: Any) -> None:
    """The argument that names the document."""
    parser.add_argument("file", type=Path, help="YAML as `export` prints it", **more)
