"""`manage.py limit_account NAME --requests-per-second 50 --quota CAMPAIGNS_PER_GROUP=9`: an account's own limits."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from console.limits import REQUESTS
from console.management.people import existing_account, require_database
from console.quotas import AWS


class Command(BaseCommand):
    help = "Give an account limits of its own, or the server's again; prints those it has."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument(
            "--requests-per-second", help="of its programs; 0 for any number, - for the server's RATE_LIMIT"
        )
        parser.add_argument(
            "--quota", action="append", default=[], metavar="NAME=NUMBER", help="NAME=- for the server's"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        require_database()
        account = existing_account(options["name"])
        given = [quota.partition("=")[::2] for quota in options["quota"]]
        if unknown := [name for name, _ in given if name not in AWS]:
            raise CommandError(f"{unknown[0]} is no quota; there are {', '.join(sorted(AWS))}.")
        if options["requests_per_second"] is not None:
            given.append((REQUESTS, options["requests_per_second"]))
        for name, value in given:
            if value == "-":
                account.limits.pop(name, None)
            elif value.isascii() and value.isdecimal():
                account.limits[name] = int(value)
            else:
                raise CommandError(f"{name} is {value!r}; allowed is a whole number from 0, or -.")
        account.save(update_fields=["limits"])
        self.stdout.write(json.dumps(account.limits))
