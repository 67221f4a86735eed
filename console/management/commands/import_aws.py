"""`manage.py import_aws PATH…`, or `openpersonalize import-aws`: make here what a hosted account has."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from console.configuration import hosted
from console.configuration.copied_buckets import CopiedBuckets
from console.configuration.document import Document, DocumentError
from console.management.configuring import ConfigurationCommand


class Command(ConfigurationCommand):
    help = "Read what List and Describe operations of a hosted account printed, or CloudFormation templates; show a plan, and apply it."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "paths", nargs="+", type=Path, help="JSON of boto3 or the CLI, templates, or folders of them"
        )
        parser.add_argument(
            "--data",
            type=Path,
            metavar="FOLDER",
            help="a copy of the buckets: FOLDER/BUCKET/KEY becomes s3://BUCKET/KEY",
        )
        parser.add_argument(
            "--write", type=Path, metavar="FILE", help="write the document, to be edited and applied later"
        )
        parser.add_argument(
            "--parameter",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="of a template, where its default is not meant; AWS::StackName, too",
        )
        parser.add_argument("--apply", action="store_true", help="make it so; without it only the plan is shown")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            document = hosted.read(options["paths"], _parameters(options["parameter"]))
        except DocumentError as error:
            raise CommandError(str(error)) from None
        if options["write"]:
            _write(options["write"], document)
        data = CopiedBuckets(options["data"]) if options["data"] else None
        self.show(document, options["account"], is_applied=options["apply"], data=data)


def _write(path: Path, document: Document) -> None:
    try:
        path.write_text(document.to_yaml(), encoding="utf-8")
    except OSError as error:
        raise CommandError(f"--write {path}: {error.strerror}.") from None


def _parameters(given: Sequence[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in given]
    if wrong := [name for name, mark, _ in pairs if not mark]:
        raise CommandError(f"--parameter {wrong[0]} has no value; write NAME=VALUE.")
    return {name: value for name, _, value in pairs}
