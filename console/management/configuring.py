"""What the commands `plan`, `apply` and `import_aws` share."""

from __future__ import annotations

import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from console import operations  # noqa: F401  registers them
from console.configuration.applying import ApplyError, apply, require_no_conflicts
from console.configuration.copied_buckets import CopiedBuckets
from console.configuration.document import Document, DocumentError
from console.configuration.plan import make_plan
from console.configuration.rehearsal import nothing_comes, taken_back
from console.configuration.steps import Plan
from console.errors import ServiceError
from console.management.people import DEFAULT_ACCOUNT, LONGEST_ACCOUNT, account_named, require_database, require_name
from console.models import Account, Job

POLL_S = 0.5
QUIET_S = 30.0  # a job that nobody took up by then is reported


class ConfigurationCommand(BaseCommand):
    """A command that shows what a document would change, and changes it if that is asked for."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--account", default=DEFAULT_ACCOUNT)

    def show(
        self, document: Document, account_name: str, *, is_applied: bool, data: CopiedBuckets | None = None
    ) -> None:
        """Print the plan and take its steps, after the files of `data` are copied.

        Raises:
            CommandError: a step or a file was refused or failed, or no account can have the name.
        """
        require_database()
        require_name("account", account_name, LONGEST_ACCOUNT)
        found = Account.objects.filter(name=account_name).first()
        if found is None:
            self.stdout.write(f"There is no account {account_name} yet; applying makes it.")
        try:
            with taken_back() if found is None else nullcontext():
                plan = self._plan(found or account_named(account_name), document, data)
            if is_applied:
                require_no_conflicts(plan)  # before the account is made
                account = found or account_named(account_name)
                if data is not None:
                    self.stdout.write(f"{data.copy_to(account)} files copied from {data.folder}.")
                apply(account, plan, self._wait, lambda line: self.stdout.write(line.splitlines()[0]))
                self.stdout.write("Done.")
        except (ApplyError, DocumentError, ServiceError) as error:
            raise CommandError(str(error)) from None

    def _plan(self, account: Account, document: Document, data: CopiedBuckets | None) -> Plan:
        """Make the plan and print it."""
        if data is not None:
            with taken_back():
                data.check(account)
        plan = make_plan(account, document, data.will_have if data else nothing_comes)
        self.stdout.write(str(plan))
        return plan

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
