"""`manage.py create_access_key --account NAME`: a key pair for boto3, as JSON."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from console.management.people import DEFAULT_ACCOUNT, account_named, require_database, require_days
from console.models import AccessKey


class Command(BaseCommand):
    help = "Print a new access key pair of an account as JSON; the account is made if need be."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--account", default=DEFAULT_ACCOUNT)
        parser.add_argument("--number", help="the twelve digits that ARNs of a new account hold")
        parser.add_argument("--days", type=int, help="how long it may be used; for ever if left out")

    def handle(self, *_args: Any, **options: Any) -> None:
        require_database()
        require_days(options["days"])
        key = AccessKey.issue(account_named(options["account"], options["number"]), options["days"])
        self.stdout.write(json.dumps({"aws_access_key_id": key.key_id, "aws_secret_access_key": key.secret}))
