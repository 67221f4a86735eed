"""The detail and delete pages of every kind."""

from __future__ import annotations

import functools
from collections import Counter
from itertools import islice
from typing import Any

from django.contrib import messages
from django.db import models
from django.db.models.deletion import Collector, ProtectedError
from django.http import HttpResponseBase, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext

from console.errors import ServiceError
from console.models import DatasetGroup, Experiment, Resource
from console.operations.data.group_contents import contents_of, counts_of
from console.web.access import Request, page, writing_page
from console.web.kinds import KINDS, Kind
from console.web.nouns import called
from console.web.pages import call, find, render, service_error

MOST_BLOCKERS = 50  # that are named
Fact = tuple[str, Any, str]  # label, value, look


def detail_url(kind: Kind, facts: Any = None, template: str = "generic/detail.html") -> URLPattern:
    """The path of a kind whose page shows no more than facts: `facts(row)` gives (label, value, look) rows."""
    view = functools.partial(detail_view, kind=kind, facts=facts, template=template)
    return path(f"{kind.slug}/{kind.pattern}/", view, name=f"{kind.slug}-detail")


@page
def detail_view(request: Request, name: str, kind: Kind, facts: Any, template: str) -> HttpResponseBase:
    """A resource's facts."""
    row = find(request, kind.model.__name__, name)
    context = detail_context(kind, row) | {"facts": facts(row) if facts else []}
    return render(request, template, context, group=kind.group_of(row))


def detail_context(kind: Kind, row: Resource) -> dict[str, Any]:
    """What generic/detail.html reads: the object, its kind, the crumbs and the way to its deletion."""
    group = kind.group_of(row)
    return {
        "object": row,
        "kind": kind,
        "crumbs": crumbs(kind, group),
        "delete_url": reverse(f"{kind.slug}-delete", args=[row.arn_name]) if kind.deletable else "",
    }


def crumbs(kind: Kind, group: DatasetGroup | None) -> list[tuple[str, str]]:
    """The way from the group to a resource of this kind."""
    if kind.model is DatasetGroup:
        return [(gettext("Dataset groups"), reverse(kind.slug))]
    trail = [(group.name, reverse("dataset-groups-detail", args=[group.name]))] if group else []
    return [*trail, (kind.title, reverse(kind.slug) + (f"?group={group.name}" if group else ""))]


@writing_page
def delete_view(request: Request, name: str, kind: Kind) -> HttpResponseBase:
    """Ask before deleting: what goes with it, or what is in the way; then let the operation decide."""
    row = find(request, kind.model.__name__, name)
    group = kind.group_of(row)
    goes, blockers = _in_the_way(row)
    error = ""
    if request.method == "POST":
        error = _delete_contents(request, row) if request.POST.get("contents") else _delete(request, row, kind)
        if not error:
            messages.success(request, deleted_words(kind).format(what=f"{kind.called()} {row}"))
            remaining = group if group and group != row else None
            return HttpResponseRedirect(reverse(kind.slug) + (f"?group={remaining.name}" if remaining else ""))
    context = detail_context(kind, row) | {"goes": goes, "blockers": blockers, "error": error}
    if blockers and isinstance(row, DatasetGroup):
        context["contents"] = [(_noun(model, count), count) for model, count in counts_of(row).items()]
    return render(request, "generic/delete.html", context, group=group, status=409 if error else 200)


def _in_the_way(row: Resource) -> tuple[list[tuple[str, int]], list[Any]]:
    """The consequences; of a group with something in it the first of that, as it may hold thousands."""
    if isinstance(row, DatasetGroup) and (inside := list(islice(contents_of(row), MOST_BLOCKERS))):
        return [], inside
    return consequences(row)


def _delete(request: Request, row: Resource, kind: Kind) -> str:
    if kind.asks_name and request.POST.get("name") != row.name:
        return gettext("Type the name {name} to delete it; it was “{entered}”.").format(
            name=row.name, entered=request.POST.get("name", "")
        )
    try:
        remove(request, row, kind)
    except ServiceError as failed:
        return service_error(failed)
    return ""


def _delete_contents(request: Request, row: Resource) -> str:
    """Delete a dataset group with all that is in it."""
    members = {"datasetGroupArn": row.arn, "confirmation": request.POST.get("name", "").strip() or "nothing"}
    try:
        call(request, "DeleteDatasetGroupContents", members)
    except ServiceError as failed:
        return service_error(failed)
    return ""


def remove(request: Request, row: Resource, kind: Kind) -> None:
    """Delete a resource; what can be had back goes to the trash, unless the person gives it up for good."""
    if kind.restorable and not request.POST.get("for_good"):
        call(request, "MoveToTrash", {"resourceArn": row.arn})
    else:
        call(request, kind.delete_operation, {kind.arn_member: row.arn})


def deleted_words(kind: Kind) -> str:
    """How a deletion is described."""
    return gettext("Moved to the trash: {what}.") if kind.restorable else gettext("Deleted {what}.")


def consequences(row: Resource) -> tuple[list[tuple[str, int]], list[Any]]:
    """What would be deleted along with `row`, counted by kind, and the resources that stand in the way."""
    collector = Collector(using=row._state.db or "default", origin=row)
    try:
        collector.collect([row])
    except ProtectedError as error:
        return [], sorted((r for r in error.protected_objects if isinstance(r, Resource)), key=str)[:MOST_BLOCKERS]
    if running := [experiment for experiment in _experiments(collector) if experiment.is_running and experiment != row]:
        return [], running
    counts: Counter[type[models.Model]] = Counter()
    for model, instances in collector.data.items():
        counts[model] += len(instances)
    for rows in collector.fast_deletes:
        counts[rows.model] += rows.count()
    counts[type(row)] -= 1
    return [(_noun(model, count), count) for model, count in counts.items() if count > 0], []


def _experiments(collector: Collector) -> list[Experiment]:
    """Those that would go along; the database lets a running one go, the operation does not."""
    fast = (row for rows in collector.fast_deletes if rows.model is Experiment for row in rows)
    return [row for row in (*collector.data.get(Experiment, ()), *fast) if isinstance(row, Experiment)]


def _noun(model: type[models.Model], count: int) -> str:
    noun = KINDS[model.__name__].noun if model.__name__ in KINDS else str(model._meta.verbose_name)
    return called(noun, count)
