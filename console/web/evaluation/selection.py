"""What is compared: the versions, the baseline and the test, as the URL of every comparing page holds them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q
from django.db.models.fields.json import KT

from console.models import DatasetGroup, SharedEvaluation, SolutionVersion, Status
from console.shapes import JSONDict
from console.web.access import Request
from console.web.pages import find

MIN_VERSIONS, MAX_VERSIONS = 2, 6
OFFERED = 50  # to choose among, besides those chosen; a search finds the others


@dataclass(frozen=True)
class Selection:
    """The chosen among a group's trained versions.

    Attributes:
        group: the dataset group.
        versions: those that can be chosen: all of the group, or of the shared evaluation.
        chosen: the baseline first.
        shared: the shared evaluation whose test is meant; None for the versions' own.
        sought: what the names of those offered contain.
        there_are_more: whether more match than are offered.
    """

    group: DatasetGroup
    versions: list[SolutionVersion]
    chosen: list[SolutionVersion]
    shared: SharedEvaluation | None = None
    sought: str = ""
    there_are_more: bool = False

    @classmethod
    def read(cls, request: Request, group: DatasetGroup) -> Selection:
        """From the URL; whatever it names that is not there is left out."""
        shared = find(request, "SharedEvaluation", request.GET["shared"]) if request.GET.get("shared") else None
        rows = SolutionVersion.objects.filter(solution__dataset_group=group, status=Status.ACTIVE)
        if shared:
            rows = rows.filter(shared_results__shared_evaluation=shared)
        rows = rows.select_related("account", "solution").annotate(fingerprint=KT("report__fingerprint"))
        rows = rows.order_by("-created", "-pk")
        sought = request.GET.get("q", "").strip()
        found = rows.filter(
            Q(solution__name__icontains=sought) | Q(identifier__icontains=sought) | Q(name__icontains=sought)
        )
        versions = list(found.defer("report", "progress", "hyperparameters", "traceback")[: OFFERED + 1])
        baseline = request.GET.get("baseline", "")
        wanted = {*request.GET.getlist("version"), baseline} - {""}
        chosen = list(rows.filter(_named(wanted)) if wanted else rows if shared else rows.none())
        there_are_more = len(versions) > OFFERED
        versions = [*chosen, *(version for version in versions[:OFFERED] if version not in chosen)]
        first = next((version for version in chosen if version.arn_name == baseline), chosen[-1] if chosen else None)
        return cls(
            group, versions, sorted(chosen, key=lambda version: version != first), shared, sought, there_are_more
        )

    @property
    def names(self) -> set[str]:
        """The chosen by their names."""
        return {version.arn_name for version in self.chosen}

    @property
    def baseline(self) -> SolutionVersion | None:
        """What the others are held against."""
        return self.chosen[0] if self.chosen else None

    @property
    def members(self) -> JSONDict:
        """How requests name the versions and the test."""
        arns = [version.arn for version in self.chosen]
        return {"solutionVersionArns": arns, "sharedEvaluationArn": self.shared.arn if self.shared else None}

    @property
    def labels(self) -> dict[str, str]:
        """What the chosen are called in tables and charts, by ARN: as people named them, kept apart where names are the same."""
        names = {version.arn: version.name or version.solution.name for version in self.chosen}
        often = {name for name, count in Counter(names.values()).items() if count > 1}
        return {
            version.arn: f"{names[version.arn]} {version.identifier[:4]}"
            if names[version.arn] in often
            else names[version.arn]
            for version in self.chosen
        }

    @property
    def is_blocked(self) -> bool:
        """Whether the chosen were evaluated on different tests, so that their numbers must not be put side by side."""
        return self.shared is None and len({version.report.get("fingerprint") for version in self.chosen}) > 1

    @property
    def query(self) -> str:
        """The selection as a query string."""
        pairs = [("group", self.group.name), *(("version", version.arn_name) for version in self.chosen)]
        pairs += [("baseline", self.baseline.arn_name)] if self.baseline else []
        return urlencode([*pairs, ("shared", self.shared.name)] if self.shared else pairs)

    def evaluated_together(self) -> list[SharedEvaluation]:
        """Shared evaluations that hold all of the chosen, newest first."""
        rows: Any = SharedEvaluation.objects.filter(dataset_group=self.group).select_related("account")
        for version in self.chosen:
            rows = rows.filter(results__solution_version=version)
        return list(rows)


def _named(names: set[str]) -> Q:
    """Versions by their names, "solution/identifier"."""
    wanted = Q(pk__in=[])
    for name in names:
        solution, _, identifier = name.rpartition("/")
        wanted |= Q(solution__name=solution, identifier=identifier)
    return wanted
