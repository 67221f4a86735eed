"""The overview's figures: how good the served model is, what it is asked, what it reaches, how fresh it is, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from django.utils.translation import gettext

from console.models import Campaign, Dataset, DatasetGroup, EventTracker, SolutionVersion, Status
from console.shapes import JSONDict
from console.web.kinds import page_url
from console.web.lookouts import asked_of, quality_of
from console.web.plots.words import shown

COVERAGE = "coverage"
DAY_MINUTES = 1440
COUNTED = 5  # campaigns whose requests are added up
VERSIONS = 12  # of the trend
PERSONAL = ("aws-user-personalization", "aws-hrnn", "aws-personalized-ranking")
STALE = timedelta(days=7)


@dataclass(frozen=True)
class Advice:
    """The one next thing to do, with the reason."""

    words: str
    reason: str
    url: str


def main_campaign(group: DatasetGroup) -> Campaign | None:
    """The campaign people look at first: the newest that gives each user a list of their own, else the newest."""
    rows = Campaign.objects.filter(solution_version__solution__dataset_group=group, status=Status.ACTIVE)
    found = list(
        rows.select_related("account", "solution_version__solution__dataset_group", "solution_version__account")
    )
    found.sort(key=lambda row: ((row.solution_version.recipe or "").startswith(PERSONAL), row.created), reverse=True)
    return found[0] if found else None


def cockpit(group: DatasetGroup, datasets: list[Dataset]) -> JSONDict:
    """All that the overview's tiles show, for a group in which something answers; empty before."""
    campaign = main_campaign(group)
    if campaign is None:
        return {}
    rows = SolutionVersion.objects.filter(solution__dataset_group=group, status=Status.ACTIVE)
    versions = list(rows.select_related("solution__dataset_group", "account").order_by("-created")[:VERSIONS])
    version = campaign.solution_version
    served = Campaign.objects.filter(solution_version__solution__dataset_group=group).select_related("account")
    arns = [one.arn for one in served[:COUNTED]]
    asked = asked_of(arns, DAY_MINUTES)
    newest = max((row.updated for row in datasets if row.type == "INTERACTIONS"), default=None)
    return {
        "campaign": campaign,
        "version": version,
        "quality": quality_of(version),
        "trend": _trend(versions),
        "asked": asked,
        "coverage": (version.report.get("figures") or {}).get(COVERAGE),
        "explored": asked["exploredShare"] if asked else None,
        "last_event": _last_event(datasets),
        "data_updated": newest,
        "trained": version.created,
        "advice": _advice(group, campaign, datasets, versions, newest),
    }  # fmt: skip


def _trend(versions: list[SolutionVersion]) -> list[JSONDict]:
    """Qualities of the newest versions, oldest first, as bars for `sparkbars`."""
    found = [(version, quality) for version in reversed(versions) if (quality := quality_of(version))]
    return [{"label": str(version.name or version.arn_name), "count": quality.value, "said": shown(quality.value)}
            for version, quality in found]  # fmt: skip


def _last_event(datasets: list[Dataset]) -> datetime | None:
    last = next((row.statistics.get("last") for row in datasets if row.type == "INTERACTIONS" and row.statistics), None)
    return datetime.fromtimestamp(last, UTC) if last is not None else None


def _advice(
    group: DatasetGroup,
    campaign: Campaign,
    datasets: list[Dataset],
    versions: list[SolutionVersion],
    newest: datetime | None,
) -> Advice:
    types = {row.type for row in datasets}
    version = campaign.solution_version
    best = max(versions, key=lambda one: quality.value if (quality := quality_of(one)) else -1.0, default=version)
    served, reached = quality_of(version), quality_of(best)
    if newest is not None and newest > version.created + STALE:
        return Advice(
            gettext("Train again"),
            gettext("The data is newer than the model that answers."),
            page_url(version.solution),
        )
    if best.pk != version.pk and served and reached and reached.value > (served.high or served.value):
        query = urlencode(
            {"group": group.name, "version": [version.arn_name, best.arn_name], "baseline": version.arn_name},
            doseq=True,
        )
        return Advice(
            gettext("Compare versions"),
            gettext("{arn_name} was evaluated better than what is served.").format(arn_name=best.arn_name),
            f"/compare/?{query}",
        )
    if "ITEMS" not in types:
        reason = gettext("With items, new ones are recommended, and lists show titles and pictures.")
        return Advice(gettext("Import items"), reason, f"/create/datasets/?group={group.name}&type=Items")
    if not EventTracker.objects.filter(dataset_group=group).exists():
        reason = gettext("With live events, lists follow what a user does within seconds.")
        return Advice(gettext("Create event tracker"), reason, f"/create/event-trackers/?group={group.name}")
    reason = gettext("Try users, change a history, and see why each item is there.")
    return Advice(gettext("Open the test panel"), reason, f"{page_url(campaign)}?pick=random")
