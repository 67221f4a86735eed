"""`manage.py create_token --user NAME`: a bearer token for REST, as JSON."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from console.management.people import person_named, require_database, require_days
from console.models import Token


class Command(BaseCommand):
    help = "Print a new bearer token of a user as JSON; the user is made if need be, without a password."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--user", required=True)
        parser.add_argument("--days", type=int, help="how long it may be used; for ever if left out")

    def handle(self, *_args: Any, **options: Any) -> None:
        require_database()
        require_days(options["days"])
        self.stdout.write(json.dumps({"token": Token.issue(person_named(options["user"]), options["days"])}))
