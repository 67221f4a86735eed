"""Tags: up to 50 words on a resource, for people's own order; here for every resource that AWS lets one tag."""

from __future__ import annotations

from collections.abc import Sequence

from console import arns, limits
from console.errors import (
    InvalidInputException,
    ResourceNotFoundException,
    TooManyTagKeysException,
    TooManyTagsException,
)
from console.models import RESOURCES, Account, Resource, SolutionVersion
from console.models.base import JSONDict
from console.operations.base import operation

MAX_KEYS = 50
RESERVED = "aws:"


def tag_map(tags: Sequence[JSONDict] | None) -> dict[str, str]:
    """The wire's list of tags as they are kept; for every Create operation that takes tags.

    Raises:
        InvalidInputException: a key twice, or one that begins with aws:.
        TooManyTagsException: more than a resource may have.
    """
    found: dict[str, str] = {}
    for tag in tags or ():
        key = tag["tagKey"]
        if key in found:
            raise InvalidInputException(f"The tag key {key} is given twice; give each key once.", field="tags")
        if key.lower().startswith(RESERVED):
            raise InvalidInputException(f"The tag key {key} begins with {RESERVED}, which is reserved.", field="tags")
        found[key] = tag["tagValue"]
    _within_limit(found)
    return found


@operation
def list_tags_for_resource(account: Account, *, resource_arn: str) -> JSONDict:
    """The tags of a resource, by key."""
    row = _taggable(account, resource_arn)
    return {"tags": [{"tagKey": key, "tagValue": value} for key, value in sorted(row.tags.items())]}


@operation
def tag_resource(account: Account, *, resource_arn: str, tags: Sequence[JSONDict]) -> None:
    """Add tags; the value of a key that is there already is replaced."""
    row = _taggable(account, resource_arn, for_update=True)
    row.tags = row.tags | tag_map(tags)
    _within_limit(row.tags)
    row.save(update_fields=["tags"])


@operation
def untag_resource(account: Account, *, resource_arn: str, tag_keys: Sequence[str]) -> None:
    """Remove tags; keys that are not there are no error."""
    if len(tag_keys) > MAX_KEYS:
        raise TooManyTagKeysException(f"{len(tag_keys)} tag keys given, at most {MAX_KEYS} allowed.", field="tagKeys")
    row = _taggable(account, resource_arn, for_update=True)
    row.tags = {key: value for key, value in row.tags.items() if key not in tag_keys}
    row.save(update_fields=["tags"])


def _within_limit(tags: dict[str, str]) -> None:
    limit = limits.quota("TAGS_PER_RESOURCE")
    if len(tags) > limit:
        raise TooManyTagsException(f"The resource would have {len(tags)} tags, at most {limit} allowed.", field="tags")


def _taggable(account: Account, arn: str, *, for_update: bool = False) -> Resource:
    parsed = arns.parse(arn, field="resourceArn")
    is_version = parsed.type == SolutionVersion.arn_type and "/" in parsed.name
    model: type[Resource] | None = SolutionVersion if is_version else RESOURCES.get(parsed.type)
    if model is None:
        raise ResourceNotFoundException(f"Resource Arn {arn} does not exist.", field="resourceArn")
    rows = model.objects.select_for_update(of=("self",)) if for_update else model.objects.all()
    found: Resource = rows.by_arn(account, arn, field="resourceArn")
    return found
