"""The list page of every kind: search, status filter, sort, pages and CSV, all in the URL, in a constant number of queries."""

from __future__ import annotations

import csv
import functools
from collections.abc import Iterator
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpResponseBase, StreamingHttpResponse
from django.urls import URLPattern, path

from console.models import DatasetGroup
from console.models.base import UNFINISHED
from console.web.access import Request, page
from console.web.details import delete_view
from console.web.kinds import Kind
from console.web.pages import chosen_group, render

PAGE_SIZE = 25
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def list_urls(kind: Kind, **more: Any) -> list[URLPattern]:
    """The paths of a kind's list and, where there is such an operation, its deletion; its detail page is the caller's."""
    urls = [path(f"{kind.slug}/", functools.partial(list_view, kind=kind, **more), name=kind.slug)]
    if kind.deletable:
        view = functools.partial(delete_view, kind=kind)
        urls.append(path(f"{kind.slug}/{kind.pattern}/delete/", view, name=f"{kind.slug}-delete"))
    return urls


@page
def list_view(request: Request, kind: Kind, **more: Any) -> HttpResponseBase:
    """One page of a kind's resources, or all that match as CSV; `more` is for a template of the kind's own."""
    group = chosen_group(request)
    everything = kind.rows(request.account)
    if group and kind.group_path:
        everything = everything.filter(**{kind.group_path: group})
    rows = narrowed(everything, kind, request)
    if request.GET.get("format") == "csv":
        return csv_response(kind, rows)
    found = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    context = list_context(request, kind, group) | {
        "found": found,
        "is_narrowed": bool(request.GET.get("q") or request.GET.get("status")),
        "is_live": any(row.status in UNFINISHED for row in found),
        "statuses": sorted(everything.order_by().values_list("status", flat=True).distinct()),
    }
    return render(request, kind.list_template, context | more, group=group)


def list_context(request: Request, kind: Kind, group: DatasetGroup | None) -> dict[str, Any]:
    """What the list template reads besides the rows."""
    return {
        "kind": kind,
        "crumbs": [(group.name, f"/dataset-groups/{group.name}/")] if group else [],
        "sort": request.GET.get("sort", ""),
        "q": request.GET.get("q", ""),
        "status": request.GET.get("status", ""),
    }


def narrowed(rows: QuerySet[Any], kind: Kind, request: Request) -> QuerySet[Any]:
    """The rows that the URL asks for, in its order."""
    if q := request.GET.get("q", "").strip():
        wanted = Q()
        for name in kind.search:
            wanted |= Q(**{f"{name}__icontains": q})
        rows = rows.filter(wanted)
    if status := request.GET.get("status"):
        rows = rows.filter(status=status)
    sort = request.GET.get("sort", "")
    if sort.lstrip("-") in {column.sort for column in kind.columns if column.sort}:
        rows = rows.order_by(sort, "-pk")
    return rows


class Echo:
    """A file that hands back what is written to it, so that CSV can be streamed."""

    def write(self, value: str) -> str:
        return value


def csv_response(kind: Kind, rows: QuerySet[Any]) -> StreamingHttpResponse:
    """All matching rows as CSV, streamed."""
    writer = csv.writer(Echo())

    def lines() -> Iterator[str]:
        yield writer.writerow([column.label for column in kind.columns])
        for row in rows.iterator(chunk_size=500):
            yield writer.writerow([csv_cell(column.of(row)) for column in kind.columns])

    headers = {"Content-Disposition": f'attachment; filename="{kind.slug}.csv"'}
    return StreamingHttpResponse(lines(), content_type="text/csv", headers=headers)


def csv_cell(value: Any) -> str:
    """A value for a spreadsheet; text that it would run as a formula is quoted away.

    >>> csv_cell("=1+1"), csv_cell(None), csv_cell(3)
    ("'=1+1", '', '3')
    """
    text = "" if value is None else value.isoformat() if hasattr(value, "isoformat") else str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(FORMULA_STARTS) else text
