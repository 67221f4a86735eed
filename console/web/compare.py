"""The compare page: two to six versions judged on the same frozen test set, against a baseline that a person chooses."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse

from console.errors import ServiceError
from console.models import SolutionVersion, Status
from console.shapes import JSONDict
from console.web import comparison
from console.web.access import Request, page
from console.web.choosing import crumbs_of
from console.web.model_kinds import recipe_title
from console.web.pages import call, chosen_group, remembered_group, render, service_error

FEWEST, MOST = 2, 6


@page
def compare_view(request: Request) -> HttpResponse:
    """Choose versions and a baseline; everything chosen stands in the URL."""
    group = chosen_group(request) or remembered_group(request)
    if group is None:
        return HttpResponseRedirect(reverse("dataset-groups"))
    versions = list(
        SolutionVersion.objects.filter(solution__dataset_group=group, status=Status.ACTIVE).select_related(
            "account", "solution"
        )
    )
    baseline = request.GET.get("baseline", "")
    wanted = request.GET.getlist("version")
    chosen = [version for version in versions if version.arn_name in {*wanted, baseline}]
    context = {
        "versions": versions,
        "chosen": {version.arn_name for version in chosen},
        "baseline": baseline,
        "crumbs": crumbs_of(group),
        "heading": "Compare",
        "metric_choice": request.GET.get("metrics", ""),
        "only_differences": request.GET.get("parameters", "differing") != "all",
    }
    if len(chosen) >= FEWEST:
        context |= _compared(request, chosen, baseline)
    elif wanted:
        context["refusal"] = f"{len(chosen)} chosen; choose {FEWEST} to {MOST} versions."
    return render(request, "compare/detail.html", context, group=group)


def _compared(request: Request, chosen: list[SolutionVersion], baseline: str) -> dict[str, Any]:
    first = next((v for v in chosen if v.arn_name == baseline), chosen[-1])
    members: JSONDict = {"solutionVersionArns": [v.arn for v in chosen], "baselineArn": first.arn}
    try:
        answer = call(request, "CompareSolutionVersions", members)
    except ServiceError as error:
        return {"refusal": service_error(error), "baseline": first.arn_name}
    labels = {v.arn: _label(v) for v in chosen}
    ordered = sorted(answer["versions"], key=lambda v: v["solutionVersionArn"] != answer["baselineArn"])
    place = {version["solutionVersionArn"]: index for index, version in enumerate(answer["versions"])}
    answer |= {"versions": ordered}
    verdict, sentence, look = comparison.verdict(answer, labels)
    order = [version["solutionVersionArn"] for version in ordered]
    rows = list(comparison.table((_in_order(metric, order) for metric in answer["metrics"]), labels))
    return {
        "answer": answer,
        "baseline": first.arn_name,
        "columns": [v | {"label": labels[v["solutionVersionArn"]]} for v in ordered],
        "verdict": verdict,
        "sentence": sentence,
        "look": look,
        "rows": [row for row in rows if row.get("isAws")],
        "more_rows": [row for row in rows if not row.get("isAws")],
        "parameters": _parameters(answer, place, order),
        "bars": comparison.chart(answer, labels),
        "single": len(chosen) == FEWEST,
    }


def _label(version: SolutionVersion) -> str:
    return f"{recipe_title(version.recipe)} {version.identifier[:4]}"


def _in_order(metric: JSONDict, order: list[str]) -> JSONDict:
    return metric | {"values": sorted(metric["values"], key=lambda entry: order.index(entry["solutionVersionArn"]))}


def _parameters(answer: JSONDict, place: dict[str, int], order: list[str]) -> list[JSONDict]:
    """Each parameter's values in the columns' order."""
    return [row | {"values": [row["values"][place[arn]] for arn in order]} for row in answer.get("parameters", [])]
