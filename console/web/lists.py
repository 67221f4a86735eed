"""The list page of every kind: search, status filter, sort, pages and CSV, all in the URL, in a constant number of queries."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponseBase, HttpResponseRedirect, StreamingHttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext

from console.errors import ServiceError
from console.models import DatasetGroup
from console.models.base import UNFINISHED
from console.sheets import SheetWriter
from console.web.access import Request, page, reading_page, writing_page
from console.web.details import consequences, delete_view, deleted_words, remove
from console.web.kinds import KINDS, Column, Kind
from console.web.pages import chosen_group, find, render, service_error
from console.web.templatetags.display import status_words

PAGE_SIZE, CHUNK = 25, 500
MOST_AT_ONCE = 500  # to delete together; the page that asks names each of them
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
        return csv_response(kind, rows, shown_columns(request, kind))
    found = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    shown = shown_columns(request, kind)
    if kind.prepare:
        kind.prepare(list(found))
    context = list_context(request, kind, group) | {
        "columns": shown,
        "offered": [(column.label, column in shown) for column in kind.columns[1:]],
        "chips": chips(request),
        "may_choose": request.member.may_write and kind.deletable,
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


def shown_columns(request: Request, kind: Kind) -> list[Column]:
    """The columns this person has chosen for the list, the first always among them; all until they choose."""
    hidden = set(request.member.preferences.get("hidden_columns", {}).get(kind.slug, []))
    return [column for place, column in enumerate(kind.columns) if place == 0 or column.label not in hidden]


def chips(request: Request) -> list[tuple[str, str]]:
    """The filters in force, each with the query string that takes it away."""
    found = []
    for name, words in (("q", gettext("Name has “{}”")), ("status", gettext("Status: {}"))):
        if value := request.GET.get(name, "").strip():
            rest = request.GET.copy()
            rest.pop(name)
            rest.pop("page", None)
            text = status_words(value) if name == "status" else value
            found.append((words.format(text), f"?{rest.urlencode()}"))
    return found


@reading_page
def columns_view(request: Request, slug: str) -> HttpResponseBase:
    """Keep which columns this person wants to see of a list; viewers may choose, too."""
    kind = next((known for known in KINDS.values() if known.slug == slug), None)
    if kind is None:
        raise Http404(gettext("There is no list {slug}.").format(slug=slug))
    if request.method == "POST":
        wanted = set(request.POST.getlist("column"))
        hidden = [column.label for column in kind.columns[1:] if column.label not in wanted]
        member = request.member
        member.preferences["hidden_columns"] = member.preferences.get("hidden_columns", {}) | {slug: hidden}
        member.save(update_fields=["preferences"])
    return HttpResponseRedirect(f"{reverse(slug)}?{request.GET.urlencode()}")


@writing_page
def bulk_delete_view(request: Request, slug: str) -> HttpResponseBase:
    """Ask before deleting several; what is refused stays, with the reason."""
    kind = next((known for known in KINDS.values() if known.slug == slug and known.deletable), None)
    if kind is None:
        raise Http404(gettext("There is no list {slug} to delete from.").format(slug=slug))
    back = f"{reverse(slug)}?{request.GET.urlencode()}"
    rows = _ticked(request, kind)
    if len(rows) > MOST_AT_ONCE:
        messages.error(
            request,
            gettext("More than {most} {nouns} match; narrow the list and delete them in parts.").format(
                most=MOST_AT_ONCE, nouns=kind.called(2)
            ),
        )
        return HttpResponseRedirect(back)
    if not rows:
        messages.error(
            request, gettext("Nothing is selected. Select the {nouns} to delete.").format(nouns=kind.called(2))
        )
        return HttpResponseRedirect(back)
    words = f"{len(rows)} {kind.called(len(rows))}"
    error = ""
    if request.POST.get("confirmed"):
        if not kind.asks_name or request.POST.get("words", "").strip() == words:
            _delete_all(request, kind, rows)
            return HttpResponseRedirect(back)
        error = gettext("Type {words} to delete them; it was “{entered}”.").format(
            words=words, entered=request.POST.get("words", "")
        )
    context = {
        "kind": kind,
        "rows": [(row, *consequences(row)) for row in rows],
        "words": words,
        "error": error,
        "back": back,
        "crumbs": [(kind.title, back)],
        "heading": gettext("Delete {words}").format(words=words),
    }
    return render(request, "generic/delete_many.html", context, status=409 if error else 200)


def _ticked(request: Request, kind: Kind) -> list[Any]:
    """The rows that were ticked one by one, or all that match the list's address; of these one more than may go at once."""
    if request.POST.get("all"):
        matching = kind.rows(request.account)
        if (group := chosen_group(request)) and kind.group_path:
            matching = matching.filter(**{kind.group_path: group})
        return list(narrowed(matching, kind, request)[: MOST_AT_ONCE + 1])
    return [find(request, kind.model.__name__, name) for name in dict.fromkeys(request.POST.getlist("chosen"))]


def _delete_all(request: Request, kind: Kind, rows: list[Any]) -> None:
    gone = 0
    for row in rows:
        try:
            remove(request, row, kind)
            gone += 1
        except ServiceError as refused:
            messages.error(
                request, gettext("{row} was not deleted: {refused}").format(row=row, refused=service_error(refused))
            )
    if gone:
        messages.success(request, deleted_words(kind).format(what=f"{gone} {kind.called(gone)}"))


def csv_response(kind: Kind, rows: QuerySet[Any], columns: list[Column]) -> StreamingHttpResponse:
    """All matching rows as CSV, streamed."""
    writer = SheetWriter(Echo())

    def lines() -> Iterator[str]:
        yield writer.writerow([column.label for column in columns])
        every = rows.iterator(chunk_size=CHUNK)
        while some := list(islice(every, CHUNK)):
            if kind.prepare:
                kind.prepare(some)
            for row in some:
                yield writer.writerow([csv_cell(column.of(row)) for column in columns])

    headers = {"Content-Disposition": f'attachment; filename="{kind.slug}.csv"'}
    return StreamingHttpResponse(lines(), content_type="text/csv", headers=headers)


def csv_cell(value: Any) -> str:
    """A value for a spreadsheet; text that it would run as a formula is quoted away.

    >>> csv_cell("=1+1"), csv_cell(None), csv_cell(3)
    ("'=1+1", '', '3')
    """
    text = "" if value is None else value.isoformat() if hasattr(value, "isoformat") else str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(FORMULA_STARTS) else text
