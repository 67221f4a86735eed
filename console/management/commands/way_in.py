"""`manage.py way_in NAME`: a link that signs a person in once, as JSON."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from console.management.people import member_named, require_database
from console.operations.account import ways_in


class Command(BaseCommand):
    help = "Print a link that signs a person in once, without password or OpenID provider, within 15 minutes."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")

    def handle(self, *_args: Any, **options: Any) -> None:
        require_database()
        member = member_named(options["name"])
        if member is None:
            raise CommandError(
                f"There is no person {options['name']} with a place in an account; create_user makes one."
            )
        where = settings.PUBLIC_URL.rstrip("/") or f"http://{settings.LOCAL_HOST}:{settings.PORT}"
        link = where + reverse("way-in", args=[ways_in.issue(member)])
        self.stdout.write(json.dumps({"link": link, "minutes": ways_in.LASTS_S // 60}))
