"""`manage.py create_user NAME`: a person who may sign in, as JSON with the password."""

from __future__ import annotations

import json
import secrets
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from console.management.people import DEFAULT_ACCOUNT, account_named, person_named, require_database
from console.models import Member


class Command(BaseCommand):
    help = "Make a person with a new password, or give one a new password; prints it as JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--account", default=DEFAULT_ACCOUNT)
        parser.add_argument("--role", choices=Member.Role.values, default=Member.Role.OWNER, type=_role)

    def handle(self, *_args: Any, **options: Any) -> None:
        require_database()
        password = secrets.token_urlsafe(12)
        user = person_named(options["name"], password)
        Member.objects.filter(user=user).update(account=account_named(options["account"]), role=options["role"])
        self.stdout.write(json.dumps({"username": options["name"], "password": password, "role": options["role"]}))


def _role(word: str) -> str:
    """A role; owners were called admin before there were four."""
    return Member.Role.OWNER if word == "admin" else word
