"""`python -m console.management.welcome`: say where the server is and who signs in first; `manage.py serve` runs it once all run."""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module

import django
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError


def main() -> int:
    """Make the first person, or load the sample, and print; the exit status."""
    parser = argparse.ArgumentParser(prog="console.management.welcome")
    parser.add_argument("--sample", default="")
    sample: str = parser.parse_args().sample
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
    django.setup()
    try:
        _welcome(sample)
    except CommandError as error:
        sys.stderr.write(f"CommandError: {error}\n")
        return 1
    return 0


def _welcome(sample: str) -> None:
    people = import_module("console.management.people")  # needs the apps to be ready
    url = f"http://{settings.LOCAL_HOST}:{settings.PORT}"
    if sample:
        credentials = people.write_demo_credentials(url)
        call_command("load_sample", sample)
        first = people.FirstPerson(credentials["username"], credentials["password"])
    else:
        first = people.ensure_first_person()
    sys.stdout.write(f"\nOpenPersonalize is at {url}/\n")
    if first:
        sys.stdout.write(f"Sign in as {first.username} with the password {first.password}\n")
    sys.stdout.write("Ctrl-C ends it.\n")


if __name__ == "__main__":
    sys.exit(main())
