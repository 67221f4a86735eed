"""What every page shares: the side navigation of the current dataset group, the steps, and who is looking.

`render(request, template, context, group=group)` is how a view answers; templates extend base.html, whose opening comment
lists its blocks. `call` runs an operation for the signed-in account.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext

from console.errors import JobError, ServiceError
from console.json_values import is_storable
from console.models import DatasetGroup, Resource
from console.operations import rights
from console.operations.base import call_by_wire_names
from console.shapes import JSONDict
from console.web.access import Request
from console.web.data.steps import shown_steps
from console.web.glossary import explained
from console.web.kinds import KINDS
from console.web.languages import lazily

SESSION_GROUP = "dataset_group"


@dataclass(frozen=True)
class Link:
    """An entry of the side navigation."""

    label: str
    url: str
    icon: str
    is_current: bool


GROUP_LINKS = (
    ("", ((lazily("Overview"), "/dataset-groups/{}/", "house"), (lazily("Datasets"), "/datasets/?group={}", "table"),
          (lazily("Data insights"), "/data-insights/?group={}", "clipboard-data"),
          (lazily("Import jobs"), "/dataset-import-jobs/?group={}", "box-arrow-in-down"),
          (lazily("Event tracker"), "/event-trackers/?group={}", "lightning"), (lazily("Filters"), "/filters/?group={}", "funnel"))),
    (lazily("Models"), ((lazily("Recipes"), "/recipes/?group={}", "journal-text"), (lazily("Solutions"), "/solutions/?group={}", "cpu"),
                (lazily("Compare"), "/compare/?group={}", "bar-chart"))),
    (lazily("Use"), ((lazily("Campaigns"), "/campaigns/?group={}", "broadcast"),
             (lazily("Experiments"), "/experiments/?group={}", "signpost-split"), (lazily("Recommenders"), "/recommenders/?group={}", "stars"),
             (lazily("Batch jobs"), "/batch-inference-jobs/?group={}", "stack"),
             (lazily("Segments"), "/batch-segment-jobs/?group={}", "people"),
             (lazily("Metric attribution"), "/metric-attributions/?group={}", "graph-up"))),
)  # fmt: skip
ACCOUNT_LINKS = (
    (lazily("Dataset groups"), "/dataset-groups/", "collection"),
    (lazily("Schemas"), "/schemas/", "braces"),
    (lazily("API access"), "/settings/access/", "key"),
    (lazily("People"), "/settings/people/", "people"),
    (lazily("Audit"), "/audit/", "clock-history"),
    (lazily("Trash"), "/trash/", "trash3"),
    (lazily("Health"), "/settings/health/", "heart-pulse"),
)


def render(
    request: Request,
    template: str,
    context: JSONDict | None = None,
    *,
    group: DatasetGroup | None = None,
    status: int = 200,
) -> HttpResponse:
    """Answer with a page; `group` is the dataset group it belongs to, which also becomes the current one."""
    if group is not None and request.session.get(SESSION_GROUP) != group.pk:
        request.session[SESSION_GROUP] = group.pk
    current = group or last_group(request)
    shell = {
        "account": request.account,
        "may_write": request.member.may_write,
        "may_analyse": request.member.may_analyse,
        "role": request.member.role,
        "group": group,
        "nav_group": current,
        "navigation": _navigation(request.path, current),
        "account_links": [_link(request.path, *entry) for entry in ACCOUNT_LINKS],
        "steps": shown_steps(group) if group else [],
        "theme": request.COOKIES.get("theme", ""),
    }
    return TemplateResponse(request, template, shell | (context or {}), status=status)


def call(request: Request, name: str, members: JSONDict) -> JSONDict:
    """Run an operation for the signed-in account, members by their wire names; the person's role must open it."""
    rights.require(request.member, name)
    return call_by_wire_names(name, request.account, members)


def find(request: Request, label: str, name: str) -> Any:
    """The account's resource of that kind and ARN name, or a 404 page."""
    kind = KINDS[label]
    rows = kind.rows(request.account).filter(**kind.model.arn_lookup(name))
    row = rows.first() if is_storable(name) else None
    if row is None:
        raise Http404(gettext("There is no {noun} {name} in this account.").format(noun=kind.called(), name=name))
    return row


def group_of(_request: Request, row: Resource) -> DatasetGroup | None:
    """The dataset group a resource belongs to."""
    return KINDS[type(row).__name__].group_of(row)


def chosen_group(request: Request) -> DatasetGroup | None:
    """The dataset group that ?group= names, or a 404 page if it names none."""
    name = request.GET.get("group") or request.POST.get("group")
    return find(request, "DatasetGroup", name) if name else None


def groups_for(request: Request) -> tuple[DatasetGroup | None, list[DatasetGroup]]:
    """The group that the address names, and those to choose among."""
    group = chosen_group(request)
    rows = DatasetGroup.objects.for_account(request.account).select_related("account").order_by("name")
    return group, [group] if group else list(rows)


def last_group(request: Request) -> DatasetGroup | None:
    """The dataset group looked at last, while it exists."""
    pk = request.session.get(SESSION_GROUP)
    rows = DatasetGroup.objects.for_account(request.account).select_related("account")
    return rows.filter(pk=pk).first() if pk else None


def service_error(error: ServiceError | JobError) -> str:
    """An error as a sentence for a page, in the reader's language."""
    return explained(str(error))


def _navigation(path: str, group: DatasetGroup | None) -> list[tuple[str, list[Link]]]:
    if group is None:
        return []
    return [
        (title or group.name, [_link(path, label, url.format(group.name), icon) for label, url, icon in entries])
        for title, entries in GROUP_LINKS
    ]


def _link(path: str, label: str, url: str, icon: str) -> Link:
    base = url.partition("?")[0]
    is_current = path == base if base.startswith("/dataset-groups/") else path.startswith(base)
    return Link(label, url, icon, is_current)
