"""How an item is shown to people: its title, a line below it and a picture, as the Items dataset says, else guessed by name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from console.models import Dataset
from console.models.base import JSONDict
from console.serving.live_catalog import catalog_of
from console.serving.loader import LoadedModel
from console.serving.metadata import title_column, value_text, values_of
from recipes.columns import Columns

PICTURES = ("IMAGE", "IMAGE_URL", "PICTURE", "PICTURE_URL", "POSTER", "POSTER_URL", "THUMBNAIL", "THUMBNAIL_URL")
ITEM_ID = "ITEM_ID"
SHOWN_VALUES, VALUE_LENGTH = 2, 60
PLACE = re.compile(r"\{(\w+)\}")
ADDRESSES = ("http://", "https://", "/")


@dataclass(frozen=True)
class Display:
    """What stands where: a column, columns of which the first that are filled are shown, an address with {COLUMN} in it."""

    title: str | None
    subtitle: tuple[str, ...]
    picture: str

    @classmethod
    def guessed(cls, columns: Columns) -> Display:
        """By the columns' names and kinds."""
        title = title_column(columns)
        pictures = [name for name in columns if name.upper() in PICTURES]
        hidden = {title, *pictures}
        telling = (
            name
            for name in columns
            if name not in hidden and "TIMESTAMP" not in name.upper() and "URL" not in name.upper()
        )
        return cls(title, tuple(telling), f"{{{pictures[0]}}}" if pictures else "")

    @classmethod
    def of(cls, group_id: int, columns: Columns) -> Display:
        """As the group's Items dataset says; what it does not say, or what is no column here, is guessed."""
        rows = Dataset.objects.filter(dataset_group_id=group_id, type="ITEMS")
        said = rows.values_list("display", flat=True).first() or {}
        guess, known = cls.guessed(columns), {name.upper(): name for name in columns}
        subtitle = tuple(known[name] for name in said.get("subtitleColumns", ()) if name in known)
        return cls(
            known.get(said.get("titleColumn", ""), guess.title),
            subtitle or guess.subtitle,
            said.get("picture") or guess.picture,
        )


@dataclass(frozen=True)
class Cards:
    """Items of a loaded model as people see them, with what was put since it was trained."""

    loaded: LoadedModel
    columns: Columns
    display: Display

    @classmethod
    def of(cls, loaded: LoadedModel, group_id: int) -> Cards:
        """For the items of a group's model."""
        columns = catalog_of(loaded, group_id).columns
        return cls(loaded, columns, Display.of(group_id, columns))

    def title(self, item: int) -> str | None:
        """An item's title, by index; None where no column names it."""
        column = self.columns.get(self.display.title or "")
        return value_text(column, item) if column is not None and item >= 0 else None

    def card(self, item: int) -> JSONDict:
        """Title, picture, subtitle and metadata of an item, by index; of one that is unknown nothing."""
        if item < 0:
            return {"metadata": {}}
        texts = {name: value_text(column, item) or "" for name, column in self.columns.items()}
        line = [texts[name] for name in self.display.subtitle if texts[name]]
        return {
            "title": self.title(item),
            "picture": address(self.display.picture, texts | {ITEM_ID: self.loaded.data.item_ids[item]}),
            "subtitle": " · ".join(text.replace("|", ", ")[:VALUE_LENGTH] for text in line[:SHOWN_VALUES]),
            "metadata": values_of(self.columns, item),
        }


def address(pattern: str, values: Mapping[str, str]) -> str | None:
    """A picture's address: the pattern with an item's values; None where one is missing or it is no address of the web.

    >>> address("https://a.example/{ITEM_ID}.jpg", {"ITEM_ID": "a b"}), address("{URL}", {"URL": "https://a.example/1?x=y"})
    ('https://a.example/a%20b.jpg', 'https://a.example/1?x=y')
    >>> address("{URL}", {"URL": "javascript:alert(1)"}), address("/{URL}", {"URL": ""})
    (None, None)
    >>> address("{URLS}", {"URLS": "https://a.example/1.jpg|https://a.example/2.jpg"})  # of several the first
    'https://a.example/1.jpg'
    """
    by_name = {name.upper(): value for name, value in values.items()}
    names = [name.upper() for name in PLACE.findall(pattern)]
    if not pattern or not all(by_name.get(name) for name in names):
        return None
    is_whole = PLACE.fullmatch(pattern) is not None
    found = PLACE.sub(
        lambda place: (
            by_name[place[1].upper()].partition("|")[0] if is_whole else quote(by_name[place[1].upper()], safe="")
        ),
        pattern,
    )
    return found if found.startswith(ADDRESSES) else None
