"""What a field of a filter can be compared with: the values that the group's data hold, for those who write expressions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from console.errors import InvalidInputException
from console.models import Account, Dataset, DatasetGroup
from console.operations.base import operation
from console.operations.serving.filter_preview import newest_trained
from console.operations.training.choices import event_types_of
from console.serving.live_catalog import catalog_of
from console.serving.loader import MODEL_CACHE, column_named
from console.shapes import JSONDict
from recipes.columns import Categorical, Columns

FOUND = 20
KINDS = {"CURRENTUSER": "USERS", "CURRENTITEM": "ITEMS"}


@operation
def search_filter_values(
    account: Account, *, dataset_group_arn: str, field: str, query: str = "", max_results: int = FOUND
) -> JSONDict:
    """Values that contain the query: counted ones of the last import first, then those of the newest trained snapshot."""
    group: DatasetGroup = DatasetGroup.objects.by_arn(account, dataset_group_arn, field="datasetGroupArn")
    kind, _, column = field.upper().partition(".")
    kind = KINDS.get(kind, kind)
    dataset = group.datasets.filter(type=kind).select_related("schema", "dataset_group").first()
    if dataset is None:
        held = ", ".join(group.datasets.order_by("type").values_list("type", flat=True)) or "no dataset"
        raise InvalidInputException(f"{field} names no dataset of {group.name}, which has {held}.", field="field")
    if (kind, column) == ("INTERACTIONS", "EVENT_TYPE"):
        counted = [(entry["eventType"], entry["count"]) for entry in event_types_of(dataset)]
        return {"values": _matching(counted, query, max_results)}
    facts = _facts(dataset, column)
    values = _matching(_with_rest(facts.get("top", []), _categories(group, kind, column)), query, max_results)
    return {"values": values, "low": facts.get("min"), "high": facts.get("max")}


def _facts(dataset: Dataset, column: str) -> JSONDict:
    """What the last import found out about a column, named in any case."""
    columns = dataset.statistics.get("columns", {})
    return next((facts for name, facts in columns.items() if name.upper() == column), {})


def _categories(group: DatasetGroup, kind: str, column: str) -> tuple[str, ...]:
    """All values of a column of the items or users, as far as something was trained on them."""
    trained = newest_trained(group)
    if trained is None or kind not in {"ITEMS", "USERS"}:
        return ()
    loaded = MODEL_CACHE.get(trained.artefact)
    columns: Columns = catalog_of(loaded, group.pk).columns if kind == "ITEMS" else loaded.data.users
    found = column_named(columns, column)
    return found.categories if isinstance(found, Categorical) else ()


def _with_rest(counted: Iterable[tuple[str, int]], categories: Iterable[str]) -> Iterator[tuple[str, int | None]]:
    known = dict(counted)
    yield from known.items()
    yield from ((name, None) for name in categories if name not in known)


def _matching(values: Iterable[tuple[str, int | None]], query: str, most: int) -> list[JSONDict]:
    """At most `most` values with the query in them, in any case; those that begin with it come first."""
    wanted = query.casefold()
    found = [(name, count) for name, count in values if wanted in name.casefold()]
    found.sort(key=lambda pair: not pair[0].casefold().startswith(wanted))
    return [{"value": name, "count": count} for name, count in islice(found, most)]
