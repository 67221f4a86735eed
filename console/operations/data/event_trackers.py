"""Event trackers: one for each group; its tracking id lets clients stream events into the group."""

from __future__ import annotations

import re
import secrets
import uuid
from collections.abc import Sequence

from console.errors import InvalidInputException, ResourceAlreadyExistsException
from console.models import Account, EventTracker
from console.models.base import JSONDict
from console.operations.account.tags import tag_map
from console.operations.base import DEFAULT_PAGE, create, operation, page
from console.operations.data.dataset_groups import find_group

ORIGIN = re.compile(r"https?://[\w.-]+(:\d{1,5})?", re.ASCII)


@operation
def create_event_tracker(
    account: Account, *, name: str, dataset_group_arn: str, tags: Sequence[JSONDict] | None = None
) -> JSONDict:
    """Make the group's tracker, ACTIVE at once."""
    group = find_group(account, dataset_group_arn)
    if present := group.event_trackers.first():
        raise ResourceAlreadyExistsException(
            f"Dataset group {group.name} already has the event tracker {present.name} with Arn {present.arn}; "
            "a group has one.",
            field="datasetGroupArn",
        )
    tracker = EventTracker(
        account=account,
        name=name,
        dataset_group=group,
        identifier=secrets.token_hex(4),
        tracking_id=str(uuid.uuid4()),
        tags=tag_map(tags),
    )
    create(tracker)
    return tracker.wire()


@operation
def describe_event_tracker(account: Account, *, event_tracker_arn: str) -> JSONDict:
    """A tracker in full, with its tracking id."""
    return {"eventTracker": _find(account, event_tracker_arn).wire()}


@operation
def list_event_trackers(
    account: Account,
    *,
    dataset_group_arn: str | None = None,
    next_token: str | None = None,
    max_results: int = DEFAULT_PAGE,
) -> JSONDict:
    """The trackers of a group, or all of the account, newest first."""
    rows = EventTracker.objects.for_account(account).select_related("account", "dataset_group__account")
    if dataset_group_arn:
        rows = rows.filter(dataset_group=find_group(account, dataset_group_arn))
    return page("ListEventTrackers", rows, "eventTrackers", next_token, max_results)


@operation
def delete_event_tracker(account: Account, *, event_tracker_arn: str) -> None:
    """Delete a tracker; events it took stay in the group, its tracking id is refused from now on."""
    _find(account, event_tracker_arn).delete()


def issue_ingest_key(tracker: EventTracker, origins: str = "") -> str:
    """Give the tracker a new ingest key, bound to pages of these origins; the one before is refused from now on.

    Raises:
        InvalidInputException: an origin is not one, such as https://shop.example.
    """
    for origin in origins.split():
        if not ORIGIN.fullmatch(origin):
            raise InvalidInputException(
                f"The origin is {origin}, allowed are origins without a path, such as https://shop.example.",
                field="origins",
            )
    tracker.ingest_key = f"ingest-{secrets.token_urlsafe(18)}"
    tracker.ingest_origins = " ".join(origins.split())
    tracker.save(update_fields=["ingest_key", "ingest_origins"])
    return tracker.ingest_key


def withdraw_ingest_key(tracker: EventTracker) -> None:
    """Refuse the tracker's ingest key from now on."""
    tracker.ingest_key = None
    tracker.save(update_fields=["ingest_key"])


def _find(account: Account, arn: str) -> EventTracker:
    rows = EventTracker.objects.select_related("account", "dataset_group__account")
    found: EventTracker = rows.by_arn(account, arn, field="eventTrackerArn")
    return found
