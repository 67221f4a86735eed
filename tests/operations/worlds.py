"""Small states that tests of operations begin from."""

from __future__ import annotations

import json

from console.models import Account, Dataset, DatasetGroup, Schema

FIELDS: dict[str, list[dict[str, object]]] = {
    "INTERACTIONS": [
        {"name": "USER_ID", "type": "string"},
        {"name": "ITEM_ID", "type": "string"},
        {"name": "EVENT_TYPE", "type": "string"},
        {"name": "EVENT_VALUE", "type": ["null", "float"]},
        {"name": "NUM_RATINGS", "type": ["null", "int"]},
        {"name": "DEVICE", "type": ["null", "string"], "categorical": True},
        {"name": "TIMESTAMP", "type": "long"},
    ],
    "ITEMS": [
        {"name": "ITEM_ID", "type": "string"},
        {"name": "GENRES", "type": "string", "categorical": True},
        {"name": "PRICE", "type": ["null", "float"]},
        {"name": "PLOT", "type": ["null", "string"], "textual": True},
        {"name": "CREATION_TIMESTAMP", "type": ["null", "long"]},
    ],
    "USERS": [{"name": "USER_ID", "type": "string"}, {"name": "AGE", "type": "int"}],
    "ACTIONS": [{"name": "ACTION_ID", "type": "string"}, {"name": "VALUE", "type": ["null", "long"]}],
    "ACTION_INTERACTIONS": [
        {"name": "USER_ID", "type": "string"},
        {"name": "ACTION_ID", "type": "string"},
        {"name": "EVENT_TYPE", "type": "string"},
        {"name": "TIMESTAMP", "type": "long"},
    ],
}


def group(account: Account, name: str = "films") -> DatasetGroup:
    """The dataset group of that name."""
    return DatasetGroup.objects.get_or_create(account=account, name=name)[0]


def dataset(account: Account, kind: str, group_name: str = "films") -> Dataset:
    """A dataset of `kind` in the group, with the columns above."""
    name = "".join(word.capitalize() for word in kind.split("_"))
    text = json.dumps({"type": "record", "name": name, "fields": FIELDS[kind], "version": "1.0"})
    schema = Schema.objects.get_or_create(account=account, name=f"{group_name}-{kind}", defaults={"text": text})[0]
    return Dataset.objects.create(
        account=account,
        name=f"{group_name}-{kind.lower()}",
        dataset_group=group(account, group_name),
        schema=schema,
        type=kind,
        tracking_id=f"{account.number}-{group_name}-{kind}"[:36] if kind == "ACTION_INTERACTIONS" else None,
    )
