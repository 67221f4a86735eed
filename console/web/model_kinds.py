"""Solutions, their versions, campaigns and recommenders as the lists, links and deletions know them."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, OuterRef, Subquery
from django.utils.translation import gettext, gettext_noop

from console.models import Campaign, Experiment, Recommender, SharedEvaluation, Solution, SolutionVersion, Status
from console.web.kinds import CREATED, NAME, STATUS, Column, Kind, register
from console.web.lookouts import Quality, latency_of, look_up, quality_in, quality_of, requests_of


def recipe_title(name: str | None) -> str:
    """A recipe's name without the prefix that all share.

    >>> recipe_title("aws-user-personalization"), recipe_title(None)
    ('user-personalization', 'chosen by AutoML')
    """
    return name.removeprefix("aws-") if name else gettext("chosen by AutoML")


def _recipe(row: Any) -> str:
    return recipe_title(row.recipe)


def _newest_quality(row: Any) -> Quality | None:
    """NDCG at 10 of a solution's newest version."""
    return quality_in(row.newest_report or {})


SOLUTIONS = register(
    Kind(
        Solution,
        "solutions",
        "solution",
        "solutionArn",
        "cpu",
        gettext_noop(
            "A solution is a recipe with its settings on this group's data; each training makes a version"
            " of it to compare and deploy."
        ),
        (
            NAME,
            Column(gettext_noop("Recipe"), _recipe, sort="recipe"),
            Column(gettext_noop("NDCG at 10"), _newest_quality, "figure"),
            Column(gettext_noop("Versions"), "versions_count", "number"),
            STATUS,
            CREATED,
        ),
        related=("dataset_group",),
        create_url="recipes",
        annotate={
            "versions_count": Count("versions"),
            "newest_report": Subquery(
                SolutionVersion.objects.filter(solution=OuterRef("pk"), status=Status.ACTIVE)
                .order_by("-created")
                .values("report")[:1]
            ),
        },
    )
)
VERSIONS = register(
    Kind(
        SolutionVersion,
        "solution-versions",
        "solution version",
        "solutionVersionArn",
        "layers",
        gettext_noop("A version is one training of a solution."),
        (
            Column(gettext_noop("Version"), "arn_name", "link"),
            Column(gettext_noop("Recipe"), _recipe, sort="recipe"),
            Column(gettext_noop("NDCG at 10"), quality_of, "figure"),
            Column(gettext_noop("Training"), lambda row: gettext(row.training_mode.capitalize())),
            STATUS,
            CREATED,
        ),
        group_path="solution__dataset_group",
        related=("solution", "solution__dataset_group"),
        deletable=False,
        pattern="<path:name>",
        search=("solution__name", "identifier"),
    )
)
SHARED = register(
    Kind(
        SharedEvaluation,
        "shared-evaluations",
        "shared evaluation",
        "sharedEvaluationArn",
        "clipboard-data",
        gettext_noop(
            "A shared evaluation puts versions that were trained on different data to one test that none "
            "of them has seen. Compare offers one where it is needed."
        ),
        (NAME, Column(gettext_noop("Test"), lambda row: row.get_method_display()), STATUS, CREATED),
        related=("dataset_group",),
    )
)
CAMPAIGNS = register(
    Kind(
        Campaign,
        "campaigns",
        "campaign",
        "campaignArn",
        "broadcast",
        gettext_noop(
            "A campaign answers requests with a solution version: recommendations, related items or a ranking."
        ),
        (
            NAME,
            Column(gettext_noop("Version"), "solution_version", "resource"),
            Column(gettext_noop("Recipe"), lambda row: recipe_title(row.solution_version.recipe)),
            Column(gettext_noop("NDCG at 10"), lambda row: quality_of(row.solution_version), "figure"),
            Column(gettext_noop("Requests, last hour"), requests_of, "number"),
            Column("p95", latency_of, "figure"),
            STATUS,
            CREATED,
        ),
        group_path="solution_version__solution__dataset_group",
        related=("solution_version__solution__dataset_group", "solution_version__account"),
        create_url="campaigns-create",
        prepare=look_up,
        asks_name=True,
    )
)
EXPERIMENTS = register(
    Kind(
        Experiment,
        "experiments",
        "experiment",
        "experimentArn",
        "signpost-split",
        gettext_noop(
            "An experiment splits a campaign's users between the version it serves and another, and tells"
            " which does better."
        ),
        (
            NAME,
            Column(gettext_noop("Campaign"), "campaign", "resource", "campaign__name"),
            Column(gettext_noop("Treatment"), lambda row: row.treatment_arn.partition(":solution/")[2]),
            Column(gettext_noop("Share"), lambda row: f"{row.traffic_share} %", "number", "traffic_share"),
            STATUS,
            CREATED,
        ),
        group_path="campaign__solution_version__solution__dataset_group",
        related=(
            "campaign__solution_version__solution__dataset_group",
            "campaign__solution_version__account",
            "treatment__solution",
        ),
        create_url="experiments-create",
        address=lambda row: [row.campaign.name, row.name],
    )
)
RECOMMENDERS = register(
    Kind(
        Recommender,
        "recommenders",
        "recommender",
        "recommenderArn",
        "stars",
        gettext_noop(
            "A recommender serves one use case of a domain, such as Top picks for you: trained, deployed "
            "and retrained by itself."
        ),
        (
            NAME,
            Column(gettext_noop("Use case"), _recipe, sort="recipe"),
            Column(gettext_noop("NDCG at 10"), quality_of, "figure"),
            Column(gettext_noop("Requests, last hour"), requests_of, "number"),
            Column("p95", latency_of, "figure"),
            STATUS,
            CREATED,
        ),
        related=("dataset_group",),
        create_url="recommenders-create",
        prepare=look_up,
        asks_name=True,
    )
)
