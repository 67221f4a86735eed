"""What the pages know about each kind of resource: its nouns, its columns, where it lives and how it is deleted.

A kind is registered once; the list, detail and delete pages, the links between resources and the CSV export follow from it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext_noop

from console.models import Account, DatasetGroup, Resource
from console.operations.account.trash import KINDS as TRASHABLE
from console.web.nouns import called

Look = Literal["text", "figure", "link", "status", "time", "number", "code", "copied", "resource"]


@dataclass(frozen=True)
class Column:
    """A column of a list: `value` is a dotted attribute path or a function of the row; `sort` a field of the query."""

    label: str
    value: str | Callable[[Any], Any]
    look: Look = "text"
    sort: str = ""

    def of(self, row: Any) -> Any:
        """The cell's value, not yet made up for reading."""
        if callable(self.value):
            return self.value(row)
        found = row
        for part in self.value.split("."):
            found = getattr(found, part, None)
        return found


NAME = Column(gettext_noop("Name"), "name", "link", "name")
STATUS = Column(gettext_noop("Status"), "status", "status", "status")
CREATED = Column(gettext_noop("Created"), "created", "time", "created")


@dataclass(frozen=True)
class Kind:
    """A kind of resource as the pages show it."""

    model: type[Resource]
    slug: str  # the path and the url names: "filters", "filters-detail", "filters-delete"
    noun: str  # "filter", in sentences
    arn_member: str  # "filterArn", for Delete and Describe
    icon: str
    purpose: str  # what it is for: the empty page's sentence
    columns: tuple[Column, ...] = (NAME, STATUS, CREATED)
    group_path: str = "dataset_group"  # the query path to the dataset group; "" if it belongs to the account alone
    related: tuple[str, ...] = ()
    deletable: bool = True
    create_url: str = ""  # url name of the form that makes one; it takes ?group=NAME
    asks_name: bool = False  # deleting asks to type the name, because something answers requests
    pattern: str = "<str:name>"
    search: tuple[str, ...] = ("name",)
    annotate: dict[str, Any] = field(default_factory=dict)
    list_template: str = "generic/list.html"
    prepare: Callable[[Sequence[Any]], None] | None = None  # reads at once what the columns of several rows need
    address: Callable[[Any], list[str]] = lambda row: [row.arn_name]  # what its page's path is made of

    @property
    def title(self) -> str:
        """The list's heading: "Filters"."""
        return capfirst(self.called(2))

    def called(self, count: int = 1) -> str:
        """The noun for so many, in the reader's language."""
        return called(self.noun, count)

    @property
    def restorable(self) -> bool:
        """Whether what is deleted stays in the trash for a while."""
        return self.model.arn_type in TRASHABLE

    @property
    def delete_operation(self) -> str:
        """The operation that deletes one."""
        return f"Delete{self.model.__name__}"

    def rows(self, account: Account) -> QuerySet[Any]:
        """All of the account's, with what the columns need."""
        rows: QuerySet[Any] = self.model.objects.for_account(account).select_related("account", *self.related)
        rows = rows.annotate(**self.annotate)
        return rows.order_by("-created", "-pk")

    def group_of(self, row: Resource) -> DatasetGroup | None:
        """The dataset group a row belongs to."""
        if isinstance(row, DatasetGroup):
            return row
        found: Any = row
        for part in self.group_path.split("__") if self.group_path else ["-"]:
            found = getattr(found, part, None)
        return found if isinstance(found, DatasetGroup) else None


KINDS: dict[str, Kind] = {}


def register(kind: Kind) -> Kind:
    """Make a kind known to lists, links and deletions."""
    KINDS[kind.model.__name__] = kind
    return kind


def page_url(row: Resource) -> str:
    """The page of a resource."""
    kind = KINDS[type(row).__name__]
    return reverse(f"{kind.slug}-detail", args=kind.address(row))
