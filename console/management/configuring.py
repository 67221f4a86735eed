"""What the commands `plan`, `apply` and `import_aws` share."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from console import operations  # noqa: F401  registers them
from console.configuration.applying import ApplyError, apply, require_no_conflicts
from console.configuration.document import Document, DocumentError
from console.configuration.plan import make_plan
from console.errors import ServiceError
from console.management.people import DEFAULT_ACCOUNT, LONGEST_ACCOUNT, account_named, require_database, require_name
from console.models import Account, Job

POLL_S = 0.5
NO_ROW = 0  # of an account that is not there: nothing belongs to it
QUIET_S = 30.0  # a job that nobody took up by then is reported


class ConfigurationCommand(BaseCommand):
    """A command that shows what a document would change, and changes it if that is asked for."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--account", default=DEFAULT_ACCOUNT)

    def show(self, document: Document, account_name: str, *, is_applied: bool) -> None:
        """Print the plan and take its steps.

        Raises:
            CommandError: a step was refused or failed, or no account can have the name.
        """
        require_database()
        require_name("account", account_name, LONGEST_ACCOUNT)
        found = Account.objects.filter(name=account_name).first()
        if found is None:
            self.stdout.write(f"There is no account {account_name} yet; applying makes it.")
        plan = make_plan(found or Account(pk=NO_ROW, name=account_name), document)
        self.stdout.write(str(plan))
        if not is_applied:
            return
        try:
            require_no_conflicts(plan)  # before the account is made
            apply(
                found or account_named(account_name),
                plan,
                self._wait,
                lambda line: self.stdout.write(line.splitlines()[0]),
            )
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
