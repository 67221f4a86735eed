"""How the items of a group are shown in the console: which column is their title, which stand below it, where pictures are."""

from __future__ import annotations

from console.errors import InvalidInputException
from console.ingest import schema as avro
from console.models import Account, Dataset
from console.models.base import JSONDict
from console.operations.base import operation
from console.operations.data.datasets import find_dataset
from console.operations.serving.filter_preview import newest_trained
from console.serving.display import ADDRESSES, ITEM_ID, PLACE, Cards, Display
from console.serving.loader import MODEL_CACHE

SAMPLE = 6


@operation
def get_item_display(account: Account, *, dataset_arn: str) -> JSONDict:
    """What was chosen, what is in force where nothing was, and some items as they look."""
    dataset = _items(account, dataset_arn)
    answer: JSONDict = {"datasetArn": dataset.arn, "columns": _columns(dataset), "chosen": dataset.display}
    trained = newest_trained(dataset.dataset_group)
    if trained is None:
        return answer
    cards = Cards.of(MODEL_CACHE.get(trained.artefact), dataset.dataset_group_id)
    most_events = (-cards.loaded.popularity).argsort(kind="stable")[:SAMPLE].tolist()
    return answer | {
        "inForce": _wire(cards.display),
        "guess": _wire(Display.guessed(cards.columns)),
        "items": [{"itemId": cards.loaded.data.item_ids[item]} | cards.card(item) for item in most_events],
    }


@operation
def update_item_display(
    account: Account,
    *,
    dataset_arn: str,
    title_column: str | None = None,
    subtitle_columns: list[str] | None = None,
    picture: str | None = None,
) -> JSONDict:
    """Choose what is shown; what is left out is guessed by the columns' names again."""
    dataset = _items(account, dataset_arn)
    columns = _columns(dataset)
    _check_columns([title_column] if title_column else [], columns, "titleColumn")
    _check_columns(subtitle_columns or [], columns, "subtitleColumns")
    if picture:
        _check_columns(PLACE.findall(picture), [*columns, ITEM_ID], "picture")
        if not (picture.startswith(ADDRESSES) or PLACE.match(picture)):
            raise InvalidInputException(
                f"picture is {picture}; it begins with http://, https://, / or a {{COLUMN}} that holds an address.",
                field="picture",
            )
    chosen = {
        "titleColumn": (title_column or "").upper(),
        "subtitleColumns": [name.upper() for name in subtitle_columns or []],
        "picture": picture or "",
    }
    dataset.display = {name: value for name, value in chosen.items() if value}
    dataset.save(update_fields=["display", "updated"])
    return {"datasetArn": dataset.arn}


def _items(account: Account, arn: str) -> Dataset:
    dataset = find_dataset(account, arn)
    if dataset.type != "ITEMS":
        raise InvalidInputException(f"{arn} is of type {dataset.type}, allowed is ITEMS.", field="datasetArn")
    return dataset


def _columns(dataset: Dataset) -> list[str]:
    parsed = avro.parse(dataset.schema.text, dataset.dataset_group.domain)
    return [field.name for field in parsed.fields if field.name != ITEM_ID]


def _check_columns(names: list[str], columns: list[str], member: str) -> None:
    known = {name.upper() for name in columns}
    for name in names:
        if name.upper() not in known:
            raise InvalidInputException(f"{name} is no column of Items, which has {', '.join(columns)}.", field=member)


def _wire(display: Display) -> JSONDict:
    return {"titleColumn": display.title, "subtitleColumns": list(display.subtitle), "picture": display.picture or None}
