"""The compare pages: one to six versions on one frozen test set, against a baseline that a person chooses."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from console.errors import ServiceError
from console.models import DatasetGroup, SharedEvaluation
from console.shapes import JSONDict
from console.web.access import Request, View, analysis_page, page
from console.web.details import detail_context
from console.web.evaluation import comparison, decision
from console.web.evaluation.report_file import as_csv, as_html
from console.web.evaluation.selection import MAX_VERSIONS, MIN_VERSIONS, Selection
from console.web.jobs import progress_of
from console.web.kinds import page_url
from console.web.languages import lazily
from console.web.model_kinds import SHARED
from console.web.pages import call, chosen_group, find, last_group, render, service_error
from console.web.training.choosing import crumbs_of

TABS = (
    ("compare", lazily("Metrics"), 2), ("compare-lengths", lazily("By length"), 1), ("compare-exposure", lazily("Exposure"), 1),
    ("compare-segments", lazily("Segments"), 1), ("compare-users", lazily("Users"), 2), ("compare-anyone", lazily("Any user"), 1),
)  # fmt: skip
METRICS = {
    "normalized_discounted_cumulative_gain": "NDCG", "precision": lazily("Precision"), "recall": lazily("Recall"), "hit_rate": lazily("Hit rate"),
    "mean_reciprocal_rank": "MRR", "strict_ndcg": lazily("Strict NDCG"),
}  # fmt: skip
CUTOFFS = (5, 10, 25, 50)
Content = Callable[[Request, Selection], dict[str, Any]]


def comparing(name: str, template: str) -> Callable[[Content], View]:
    """Make a tab of a function that says what it shows of a selection that can be compared."""
    least = next(count for tab, _, count in TABS if tab == name)

    def tab(content: Content) -> View:
        @page
        @wraps(content)
        def view(request: Request) -> HttpResponse:
            group = chosen_group(request) or _group_of_versions(request) or last_group(request)
            if group is None:
                return HttpResponseRedirect(reverse("dataset-groups"))
            selection = Selection.read(request, group)
            context = tab_context(name, selection)
            if refusal := _too_few(request, selection, least):
                context["refusal"] = refusal
            elif len(selection.chosen) >= least:
                try:
                    context |= content(request, selection)
                except ServiceError as error:
                    context["refusal"] = service_error(error)
            response = context.get("response")
            return response if isinstance(response, HttpResponse) else render(request, template, context, group=group)

        return view

    return tab


def tab_context(name: str, selection: Selection) -> dict[str, Any]:
    """What evaluation/compare/base.html reads."""
    return {
        "selection": selection,
        "versions": selection.versions,
        "tabs": [(label, reverse(tab), tab == name) for tab, label, _ in TABS],
        "tab_url": reverse(name),
        "crumbs": crumbs_of(selection.group),
        "heading": gettext("Compare"),
        "labels": selection.labels,
        "earlier": selection.evaluated_together() if selection.is_blocked else [],
    }


def measure(request: Request) -> JSONDict:
    """Metric and cutoff as the URL has them."""
    metric, cutoff = request.GET.get("metric", ""), request.GET.get("cutoff", "")
    return {
        "metric": metric if metric in METRICS else next(iter(METRICS)),
        "cutoff": int(cutoff) if cutoff.isdecimal() and 1 <= int(cutoff) <= CUTOFFS[-1] else 10,
    }


@comparing("compare", "evaluation/compare/detail.html")
def compare_view(request: Request, selection: Selection) -> dict[str, Any]:
    """Every metric of the versions with its difference to the baseline, and the parameters that differ."""
    baseline = selection.chosen[0]
    answer = call(request, "CompareSolutionVersions", selection.members | {"baselineArn": baseline.arn})
    labels = selection.labels
    verdict, sentence, look = comparison.verdict(answer, labels)
    rows = list(comparison.table(answer["metrics"], labels))
    if request.GET.get("format") == "csv":
        return {"response": as_csv(answer, labels)}
    against = request.GET.get("against", "")
    against = against if against in decision.AGAINST else next(iter(decision.AGAINST))
    context = {
        "goals": decision.goals(answer, labels, selection.chosen),
        "trade_off": decision.scatter(answer, labels, selection.chosen, against),
        "against": against,
        "against_choices": {name: title for name, (title, _) in decision.AGAINST.items()},
        "kept_parameters": [
            (name, value) for name, values in request.GET.lists() for value in values if name not in {"notes", "format"}
        ],
        "notes": request.GET.get("notes", "").strip(),
        "baseline_label": labels[baseline.arn],
        "answer": answer,
        "columns": [v | {"label": labels[v["solutionVersionArn"]]} for v in answer["versions"]],
        "verdict": verdict,
        "sentence": sentence,
        "look": look,
        "rows": [row for row in rows if row.get("isAws")],
        "more_rows": [row for row in rows if not row.get("isAws")],
        "parameters": [
            row | {"cells": list(zip(labels.values(), row["values"], strict=True))}
            for row in answer.get("parameters", [])
        ],
        "only_differences": request.GET.get("parameters", "differing") != "all",
        "bars": comparison.chart(answer, labels),
        "single": len(selection.chosen) == MIN_VERSIONS,
    }
    if request.GET.get("format") == "html":
        return {"response": as_html(context | {"selection": selection, "now": timezone.now()})}
    return context


@require_POST
@analysis_page
def together_view(request: Request) -> HttpResponse:
    """Have the versions evaluated together on a test that none of them has seen."""
    wanted = request.POST.getlist("version")
    arns = [find(request, "SolutionVersion", name).arn for name in wanted]
    try:
        made = call(request, "CreateSharedEvaluation", {"solutionVersionArns": arns})
    except ServiceError as error:
        messages.error(request, service_error(error))
        return HttpResponseRedirect(f"{reverse('compare')}?{request.GET.urlencode()}")
    return HttpResponseRedirect(page_url(SharedEvaluation.objects.by_arn(request.account, made["sharedEvaluationArn"])))


@page
def shared_view(request: Request, name: str) -> HttpResponse:
    """A shared evaluation: its progress, then the way to what came of it."""
    row: SharedEvaluation = find(request, "SharedEvaluation", name)
    results = row.results.select_related("solution_version__solution", "solution_version__account")
    context = detail_context(SHARED, row) | {
        "progress": progress_of(row),
        "versions": [result.solution_version for result in results],
        "compare_url": f"{reverse('compare')}?group={row.dataset_group.name}&shared={row.name}",
        "facts": [
            (gettext("Test"), row.get_method_display(), "text"),
            (gettext("Users tested"), row.report.get("num_queries"), "number"),
            (gettext("How"), row.report.get("note"), "text"),
        ],
    }
    return render(request, "evaluation/compare/shared.html", context, group=row.dataset_group)


def _group_of_versions(request: Request) -> DatasetGroup | None:
    """The group of the first version that the URL names, for links that name no group."""
    names = request.GET.getlist("version")
    return find(request, "SolutionVersion", names[0]).solution.dataset_group if names else None


def _too_few(request: Request, selection: Selection, least: int) -> str:
    if not request.GET.getlist("version") or least <= len(selection.chosen) <= MAX_VERSIONS:
        return ""
    return gettext("{chosen} chosen; choose {least} to {most} versions.").format(
        chosen=len(selection.chosen), least=least, most=MAX_VERSIONS
    )
