"""What is known of one item, user or action: the record put last, else the bulk row."""

from __future__ import annotations

from typing import Any

from console.models import DatasetGroup, Record


def entity_value(group: DatasetGroup, kind: str, entity_id: str, column: str) -> Any:
    """The value of a column for one entity; None if it is not known."""
    record = Record.objects.filter(dataset__dataset_group=group, dataset__type=kind, entity_id=entity_id).first()
    return record.values.get(column) if record else None
