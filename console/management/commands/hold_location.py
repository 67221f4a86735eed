"""`manage.py hold_location s3://BUCKET/FOLDER/ --account NAME`: whose a bucket, or a folder of one, is."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from console import tenancy
from console.errors import ServiceError
from console.management.people import existing_account, require_database
from console.models import Holding
from console.storage import parse_location


class Command(BaseCommand):
    help = "Give a bucket, or a folder of one, to an account, to all (--shared) or to nobody (--free)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("location")
        whose = parser.add_mutually_exclusive_group(required=True)
        whose.add_argument("--account", help="the account's name")
        whose.add_argument("--shared", action="store_true", help="every account may read and write there")
        whose.add_argument("--free", action="store_true", help="whoever names it first gets it")

    def handle(self, *_args: Any, **options: Any) -> None:
        require_database()
        try:
            location = parse_location(options["location"])
        except ServiceError as error:
            raise CommandError(str(error)) from None
        if not location.is_folder:
            raise CommandError(f"{location} is an object; a folder's location ends with a slash.")
        if options["free"]:
            Holding.objects.filter(bucket=tenancy.plain(location.bucket), prefix=tenancy.plain(location.key)).delete()
            self.stdout.write(f"{location} is nobody's.")
            return
        account = None if options["shared"] else existing_account(options["account"])
        tenancy.hold(location, account)
        self.stdout.write(f"{location} is {'shared' if account is None else account.name + chr(39) + 's'}.")
