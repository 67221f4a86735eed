"""`manage.py create_user NAME`: a person who may sign in, as JSON with the password."""

from __future__ import annotations

import json
import secrets
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from console.errors import ServiceError
from console.management.people import DEFAULT_ACCOUNT, member_named, person_named, require_database
from console.models import Member
from console.operations.account.members import change_role


class Command(BaseCommand):
    help = "Make a person with a new password, or give one of the account a new password; prints it as JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--account", default=DEFAULT_ACCOUNT)
        parser.add_argument(
            "--role", choices=Member.Role.values, type=_role, help="owner for a new person; else the role stays"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        require_database()
        password = secrets.token_urlsafe(12)
        try:
            member = _member(options["name"], password, options["account"], options["role"])
        except ServiceError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(json.dumps({"username": options["name"], "password": password, "role": member.role}))


@transaction.atomic
def _member(name: str, password: str, account: str, role: str | None) -> Member:
    """The person's place in the account, with this password and, if given, this role.

    Raises:
        CommandError: the person is in another account: nobody is moved, as tokens go where their person goes; or no person
            can have the name.
        ServiceError: the account would be left without an owner.
    """
    found = member_named(name)
    if found is not None and found.account.name != account:
        raise CommandError(
            f"{name} is in the account {found.account} and cannot be in {account}, too; choose another name, "
            f"or write --account {found.account} for a new password there."
        )
    member: Member = person_named(name, password, account, role or Member.Role.OWNER).member
    if role is not None and member.role != role:
        member = change_role(member.account, pk=member.pk, role=role)
    return member


def _role(word: str) -> str:
    """A role; owners were called admin before there were four."""
    return Member.Role.OWNER if word == "admin" else word
