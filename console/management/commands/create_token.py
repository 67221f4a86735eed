"""`manage.py create_token --user NAME`: a bearer token for REST, as JSON."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from console.management.people import member_named, person_named, require_database, require_days
from console.models import Token


class Command(BaseCommand):
    help = "Print a new bearer token of a user as JSON; the user is made if need be, an owner of default without a password."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--user", required=True)
        parser.add_argument("--days", type=int, help="how long it may be used; for ever if left out")

    def handle(self, *_args: Any, **options: Any) -> None:
        require_database()
        require_days(options["days"])
        name = options["user"]
        with transaction.atomic():
            is_new = member_named(name) is None
            user = person_named(name)
            token = Token.issue(user, options["days"])
        if is_new:
            member = user.member
            self.stderr.write(
                f"{name} is new: made without a password, as {member.role} of the account {member.account}."
            )
        self.stdout.write(json.dumps({"token": token}))
