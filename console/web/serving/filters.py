"""Filters: writing an expression that is checked while one types, and reading one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django import forms
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render as render_fragment
from django.urls import path, reverse
from django.utils.translation import gettext, gettext_lazy

from console.errors import ServiceError
from console.models import DatasetGroup, Filter, SolutionVersion
from console.operations.serving.filter_preview import newest_trained
from console.operations.serving.filters import schema_columns
from console.shapes import JSONDict
from console.web.access import Request, page, reading_page, writing_page
from console.web.data_kinds import FILTERS
from console.web.details import crumbs, detail_context
from console.web.forms import OperationForm, group_choices, group_field, name_field
from console.web.kinds import page_url
from console.web.languages import lazily
from console.web.lists import list_urls
from console.web.pages import call, find, groups_for, render, service_error
from console.web.serving.testing import dressed
from console.web.templatetags.display import events

SHOWN_ITEMS, TYPE_AHEAD = 6, 12
EXAMPLES = (
    (
        lazily("Leave out what the user has bought"),
        'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("purchase")',
    ),
    (lazily("Only given genres, chosen with each request"), "INCLUDE ItemID WHERE Items.GENRES IN ($GENRES)"),
    (lazily("Only within a price range"), "INCLUDE ItemID WHERE Items.PRICE >= $MIN AND Items.PRICE <= $MAX"),
    (
        lazily("Nothing for adults shown to minors"),
        'EXCLUDE ItemID WHERE Items.RATING IN ("adult") IF CurrentUser.AGE < 18',
    ),
    (
        lazily("Two rules at once"),
        'INCLUDE ItemID WHERE Items.YEAR > 2000 | EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("*")',
    ),
)


FIELD = re.compile(r"(?:Items|Interactions|CurrentUser)\.\w+")
WORDS = {"ITEMS": "Items", "INTERACTIONS": "Interactions", "USERS": "CurrentUser", "ACTIONS": "Actions"}


class FilterForm(OperationForm):
    """CreateFilter."""

    operation: ClassVar[str] = "CreateFilter"

    dataset_group_arn = group_field()
    name = name_field()
    filter_expression = forms.CharField(
        label=gettext_lazy("Expression"),
        max_length=2500,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "class": "font-monospace"}),
    )

    def __init__(self, *args: Any, groups: list[DatasetGroup], check_url: str, **kwargs: Any) -> None:
        """Offer `groups`; the expression is checked at `check_url` when it changes."""
        super().__init__(*args, **kwargs)
        group_choices(self, groups)
        self.fields["filter_expression"].widget.attrs |= {
            "data-editor": reverse("filters-values"),
            "data-completions": gettext("What can follow"),
            "hx-get": check_url,
            "hx-trigger": "input changed delay:1s, blur, load, change from:#id_dataset_group_arn",
            "hx-target": "#verdict",
            "hx-sync": "#verdict:replace",  # an answer that comes late must not overwrite a newer one
            "hx-include": "closest form",
        }


@writing_page
def create(request: Request) -> HttpResponse:
    """Make a filter."""
    group, groups = groups_for(request)
    form = FilterForm(
        request.POST or None,
        groups=groups,
        check_url=reverse("filters-check"),
        initial={"filter_expression": request.GET.get("expression", "")},
    )
    if request.method == "POST" and (made := form.submit(request.account)) is not None:
        return HttpResponseRedirect(page_url(Filter.objects.by_arn(request.account, made["filterArn"])))
    known = _fields(groups[0]) if groups else []
    context = {
        "form": form,
        "heading": gettext("Create filter"),
        "lead": gettext(FILTERS.purpose),
        "submit": gettext("Create filter"),
        "crumbs": crumbs(FILTERS, group),
        "cancel_url": reverse("filters") + (f"?group={group.name}" if group else ""),
        "examples": _examples(known),
        "fields": known,
    }
    return render(request, "serving/filters/form.html", context, group=group)


def _examples(known: Sequence[str]) -> Sequence[tuple[str, str]]:
    """The examples that name only fields that the group has; all of them where there is no such."""
    fitting = [example for example in EXAMPLES if set(FIELD.findall(example[1])) <= {*known}]
    return fitting or EXAMPLES


def _fields(group: DatasetGroup) -> list[str]:
    """What an expression can name, as it is written there."""
    columns = schema_columns(group)
    return [f"{WORDS[kind]}.{name}" for kind in WORDS if kind in columns for name in columns[kind]]


@reading_page
def fields(request: Request) -> HttpResponse:
    """The fields of the group that is chosen in the form, as buttons that write them."""
    group = _group(request)
    return render_fragment(request, "serving/filters/fields.html", {"fields": _fields(group) if group else []})


@reading_page
def values(request: Request) -> HttpResponse:
    """What may stand after a field: values that its column has, for the editor's list."""
    group, field = _group(request), request.GET.get("field", "")
    if group is None:
        return JsonResponse({"values": []})
    members = {"datasetGroupArn": group.arn, "field": field, "query": request.GET.get("query", "")}
    try:
        return JsonResponse(call(request, "SearchFilterValues", members | {"maxResults": TYPE_AHEAD}))
    except ServiceError:  # half a name of a field
        return JsonResponse({"values": []})


@reading_page
def users(request: Request) -> HttpResponse:
    """Options for the user to try an expression for: those with the most events until something is typed."""
    group = _group(request)
    trained = newest_trained(group) if group else None
    options: list[tuple[str, str]] = []
    if trained is not None:
        typed = request.GET.get("user_id", "").strip()
        kind = "solutionVersionArn" if isinstance(trained, SolutionVersion) else "recommenderArn"
        members = {kind: trained.arn, "maxResults": TYPE_AHEAD} | ({"query": typed} if typed else {"kind": "heavy"})
        found = call(request, "SearchUsers", members)["users"]
        options = [(user["userId"], events(user["events"])) for user in found]
    return render_fragment(request, "serving/campaigns/_options.html", {"options": options})


def _group(request: Request) -> DatasetGroup | None:
    rows = DatasetGroup.objects.for_account(request.account).select_related("account")
    try:
        found: DatasetGroup = rows.by_arn(request.account, request.GET.get("dataset_group_arn", ""))
    except ServiceError:
        return None
    return found


@reading_page
def check(request: Request) -> HttpResponse:
    """What is wrong with an expression, with a mark at the place, or how many items it lets through."""
    text = request.GET.get("filter_expression", "").strip()
    arn = request.GET.get("dataset_group_arn", "")
    user = request.GET.get("user_id", "").strip()
    given = {name.removeprefix("value_"): str(text) for name, text in request.GET.items() if name.startswith("value_")}
    verdict = verdict_of(request, arn, text, user, given) if text and arn else {}
    asked = [(name, given.get(name, "")) for name in verdict.get("placeholders", [])]
    context = {"verdict": verdict, "mark": _mark(text, verdict), "asked": asked, "tried_for": user, "is_tried": True}
    return render_fragment(request, "serving/filters/verdict.html", context)


def verdict_of(
    request: Request, arn: str, text: str, user: str = "", given: Mapping[str, str] | None = None
) -> JSONDict:
    """PreviewFilter's answer, or its refusal as `message` and `column`."""
    filled = {name: value for name, value in (given or {}).items() if value.strip()}
    members: JSONDict = {"datasetGroupArn": arn, "filterExpression": text, "filterValues": filled, "userId": user}
    try:
        found = call(request, "PreviewFilter", {name: value for name, value in members.items() if value})
    except ServiceError as error:
        place = re.search(r"column (\d+)", str(error), re.IGNORECASE)
        return {"message": service_error(error), "column": int(place.group(1)) if place else None}
    shown = {name: [dressed(item) for item in found.get(name, [])[:SHOWN_ITEMS]] for name in ("items", "dropped")}
    return found | {
        "passers": shown["items"],
        "dropped": shown["dropped"],
    }  # a template's `.items` is the dict's method


def _mark(text: str, verdict: JSONDict) -> JSONDict | None:
    """The expression around the error: what stands before, at and after it."""
    column = verdict.get("column")
    if not column:
        return None
    at = min(column - 1, len(text))
    return {"before": text[max(0, at - 60) : at], "at": text[at : at + 1] or " ", "after": text[at + 1 : at + 40]}


@page
def detail(request: Request, name: str) -> HttpResponse:
    """A filter's expression and how a request uses it."""
    row: Filter = find(request, "Filter", name)
    context = detail_context(FILTERS, row) | {
        "facts": [],
        "verdict": verdict_of(request, row.dataset_group.arn, row.expression),
    }
    return render(request, "serving/filters/detail.html", context, group=row.dataset_group)


urlpatterns = [
    path("create/filters/", create, name="filters-create"),
    path("create/filters/check/", check, name="filters-check"),
    path("create/filters/fields/", fields, name="filters-fields"),
    path("create/filters/values/", values, name="filters-values"),
    path("create/filters/users/", users, name="filters-users"),
    *list_urls(FILTERS),
    path("filters/<str:name>/", detail, name="filters-detail"),
]
