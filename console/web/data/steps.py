"""Where a dataset group stands on the way Data → Recipe → Train → Evaluate → Deploy → Test, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from django.utils.translation import gettext

from console.models import Dataset, DatasetGroup, Recommender, Solution, SolutionVersion, Status
from console.web.data.cockpit import main_campaign
from console.web.nouns import in_sentence

State = Literal["done", "now", "blocked"]


@dataclass(frozen=True)
class Step:
    """One step: done, the one to do now, or blocked by an earlier one; `url` leads to what it needs."""

    label: str
    state: State
    url: str
    hint: str


@dataclass(frozen=True)
class Standing:
    """What a dataset group has so far: names of the newest of each, None where there is none."""

    has_interactions: bool
    solution: str | None
    version: tuple[str, str] | None
    evaluated: tuple[str, str] | None
    campaign: str | None
    recommender: str | None


def standing_of(group: DatasetGroup) -> Standing:
    """Look up what there is, in a constant number of queries."""
    datasets = Dataset.objects.filter(dataset_group=group, type__iexact="interactions")
    has_interactions = any(parts or revision for parts, revision in datasets.values_list("parts", "revision"))
    versions = SolutionVersion.objects.filter(solution__dataset_group=group, status=Status.ACTIVE)
    newest = versions.values_list("solution__name", "identifier", "metrics").first()
    campaign = main_campaign(group)
    recommender = Recommender.objects.filter(dataset_group=group, status=Status.ACTIVE)
    solution = Solution.objects.filter(dataset_group=group)
    return Standing(
        has_interactions=has_interactions,
        solution=solution.values_list("name", flat=True).first(),
        version=newest[:2] if newest else None,
        evaluated=newest[:2] if newest and newest[2] else None,
        campaign=campaign.name if campaign else None,
        recommender=recommender.values_list("name", flat=True).first(),
    )


def steps_of(group: DatasetGroup) -> list[Step]:
    """The six steps in order; the first that is not done is the one to do now."""
    standing = standing_of(group)
    name = group.name
    version_url = "/solution-versions/{}/{}/"
    served = standing.campaign or standing.recommender
    served_url = f"/campaigns/{standing.campaign}/" if standing.campaign else f"/recommenders/{standing.recommender}/"
    trained_url = version_url.format(*standing.version) if standing.version else ""
    entries = (
        (gettext("Data"), standing.has_interactions, f"/datasets/?group={name}", f"/create/datasets/?group={name}",
         gettext("Import interactions")),
        (gettext("Recipe"), standing.solution or standing.recommender, f"/solutions/?group={name}", f"/recipes/?group={name}",
         gettext("Choose a recipe")),
        (gettext("Train"), standing.version or standing.recommender, f"/solutions/{standing.solution}/",
         f"/solutions/{standing.solution}/", gettext("Train a solution version")),
        (gettext("Evaluate"), standing.evaluated or standing.recommender, trained_url, trained_url, gettext("Read the metrics")),
        (gettext("Deploy"), served, served_url, f"/create/campaigns/?group={name}", gettext("Create a campaign")),
        (gettext("Test"), False, served_url, served_url, gettext("Get recommendations")),
    )  # fmt: skip
    steps: list[Step] = []
    todo: tuple[str, str] | None = None
    for label, done, there, here, verb in entries:
        if todo:
            steps.append(
                Step(
                    label,
                    "blocked",
                    todo[0],
                    gettext("First: {step}").format(step=in_sentence(todo[1])),
                )
            )
        elif done:
            steps.append(Step(label, "done", there, gettext("Done")))
        else:
            todo = (here, verb)
            steps.append(Step(label, "now", here, verb))
    return steps


def shown_steps(group: DatasetGroup) -> list[Step]:
    """The steps until something answers; from then on the overview says what to do next."""
    steps = steps_of(group)
    return [] if steps[-1].state == "now" else steps
