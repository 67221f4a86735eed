"""Event trackers: one for each group; its tracking id lets clients stream events into the group."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Sequence

from console.errors import ResourceAlreadyExistsException
from console.models import Account, EventTracker
from console.models.base import JSONDict
from console.operations.account.tags import tag_map
from console.operations.base import DEFAULT_PAGE, create, operation, page
from console.operations.data.dataset_groups import find_group


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


def _find(account: Account, arn: str) -> EventTracker:
    rows = EventTracker.objects.select_related("account", "dataset_group__account")
    found: EventTracker = rows.by_arn(account, arn, field="eventTrackerArn")
    return found
