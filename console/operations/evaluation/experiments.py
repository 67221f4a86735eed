"""Ours: experiments, which split a campaign's users between the version it serves and another.

While one runs the campaign's version stays as it is, and neither version nor campaign can be deleted. Who gets which version is
serving.experiments' to say; requests without a userId always get the control and are not counted.
"""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from console.errors import InvalidInputException, ResourceInUseException
from console.models import Account, Campaign, Experiment, ExperimentUser, InterleavedList, SolutionVersion, Status
from console.models.base import ResourceQuerySet
from console.operations.account.tags import tag_map
from console.operations.base import create, operation, page
from console.operations.serving.campaigns import fitting_config, running_experiment, update_campaign
from console.operations.training.solution_versions import version_named
from console.serving import interleaving, outcomes
from console.serving.experiments import arm_name, is_treated
from console.shapes import JSONDict
from recipes import catalogue
from recipes.base import RecipeType

HALF, MOST_SHARE = 50, 99
MINIMUM_EFFECT, LEAST_EFFECT, MOST_EFFECT = 0.05, 0.001, 10.0
INTERLEAVABLE = {RecipeType.USER_PERSONALIZATION, RecipeType.POPULAR_ITEMS, RecipeType.RELATED_ITEMS}
INTERLEAVED = "INTERLEAVED"  # the arm of those who get items of both
REQUESTS = {
    RecipeType.USER_PERSONALIZATION: "recommendations for a user",
    RecipeType.POPULAR_ITEMS: "recommendations for a user",
    RecipeType.RELATED_ITEMS: "items that go with an item",
    RecipeType.PERSONALIZED_RANKING: "an order of given items",
    RecipeType.PERSONALIZED_ACTIONS: "actions for a user",
}


@operation
def create_experiment(
    account: Account,
    *,
    name: str,
    campaign_arn: str,
    treatment_version_arn: str,
    kind: str = Experiment.Kind.SPLIT,
    traffic_share: int | None = None,
    outcome_event_types: list[str] | None = None,
    minimum_effect: float = MINIMUM_EFFECT,
    tags: list[JSONDict] | None = None,
) -> JSONDict:
    """Begin at once: to split the users, each of whom stays on one side, or to give them lists with items of both versions."""
    campaign: Campaign = _campaigns().select_for_update(of=("self",)).by_arn(account, campaign_arn, field="campaignArn")
    _check_free(campaign)
    check_effect(minimum_effect)
    treatment = version_named(account, treatment_version_arn, field="treatmentVersionArn")
    _check_treatment(campaign, treatment)
    if kind == Experiment.Kind.INTERLEAVED:
        _check_interleaving(treatment)
    share = traffic_share or (MOST_SHARE if kind == Experiment.Kind.INTERLEAVED else HALF)
    row = Experiment(
        account=account, name=name, kind=kind, campaign=campaign, treatment=treatment, control_arn=campaign.solution_version.arn,
        treatment_arn=treatment.arn, salt=secrets.token_hex(16), traffic_share=share,
        event_types=list(dict.fromkeys(outcome_event_types or ())), minimum_effect=minimum_effect, tags=tag_map(tags),
    )  # fmt: skip
    create(row)
    return {"experimentArn": row.arn}


@operation
def describe_experiment(account: Account, *, experiment_arn: str) -> JSONDict:
    """An experiment, without what came of it."""
    return {"experiment": experiment_named(account, experiment_arn).wire()}


@operation
def list_experiments(
    account: Account, *, campaign_arn: str | None = None, next_token: str | None = None, max_results: int = 100
) -> JSONDict:
    """Newest first; of one campaign where it is given."""
    rows = Experiment.objects.for_account(account).select_related("account", "campaign__account")
    if campaign_arn:
        rows = rows.filter(campaign=Campaign.objects.by_arn(account, campaign_arn, field="campaignArn"))
    return page("ListExperiments", rows, "experiments", next_token, max_results)


@operation
def get_experiment_arm(account: Account, *, experiment_arn: str, user_id: str) -> JSONDict:
    """Which version a user gets, whether or not the user has asked yet; of one that has ended, which it was."""
    row = experiment_named(account, experiment_arn)
    treated = is_treated(row.salt, user_id, row.traffic_share)
    shown: QuerySet[Any] = (InterleavedList if row.is_interleaved else ExperimentUser).objects.filter(
        experiment=row, user_id=user_id
    )
    first = shown.order_by("time").values_list("time", flat=True).first()
    alone = row.treatment_arn if treated else row.control_arn
    return {
        "experimentArn": row.arn,
        "userId": user_id,
        "arm": INTERLEAVED if treated and row.is_interleaved else arm_name(is_treatment=treated),
        "solutionVersionArn": None if treated and row.is_interleaved else alone,
        "firstShown": None if first is None else datetime.fromtimestamp(first, UTC),
    }


@operation
def stop_experiment(account: Account, *, experiment_arn: str) -> JSONDict:
    """End it: everybody gets the control from the next request on, and what came of it is kept as counts."""
    row = experiment_named(account, experiment_arn)
    _end(row, Experiment.State.STOPPED)
    return {"experimentArn": row.arn}


@operation
def promote_experiment(account: Account, *, experiment_arn: str) -> JSONDict:
    """End it and serve the treatment to everybody, in one step; the campaign can be rolled back to the control."""
    row = experiment_named(account, experiment_arn)
    campaign, treatment = row.campaign, row.treatment
    _end(row, Experiment.State.PROMOTED)
    assert treatment is not None  # noqa: S101  a constraint: what ran has one
    update_campaign(
        account, campaign_arn=campaign.arn, solution_version_arn=treatment.arn,
        campaign_config=fitting_config(treatment, campaign.config),
    )  # fmt: skip
    return {"experimentArn": row.arn, "campaignArn": campaign.arn}


@operation
def delete_experiment(account: Account, *, experiment_arn: str) -> None:
    """Remove one that has ended."""
    row = experiment_named(account, experiment_arn)
    if row.is_running:
        raise ResourceInUseException(
            f"The experiment {row.name} is RUNNING; stop it first (StopExperiment).", field="experimentArn"
        )
    row.delete()


def experiment_named(account: Account, arn: str) -> Experiment:
    """The experiment that an ARN names."""
    rows = Experiment.objects.select_related(
        "account", "campaign__account", "campaign__solution_version__solution__dataset_group", "treatment__account",
        "treatment__solution",
    )  # fmt: skip
    found: Experiment = rows.by_arn(account, arn, field="experimentArn")
    return found


def check_effect(effect: float) -> None:
    """A lift that can be looked for.

    Raises:
        InvalidInputException: it is too small or too large for one.
    """
    if not LEAST_EFFECT <= effect <= MOST_EFFECT:
        raise InvalidInputException(
            f"minimumEffect is {effect:g}, allowed is {LEAST_EFFECT:g} to {MOST_EFFECT:g}; 0.05 stands for five percent more.",
            field="minimumEffect",
        )


def counted(row: Experiment, until: int) -> list[outcomes.Cell]:
    """What came of its users: as of now while it runs, else as of its end."""
    return outcomes.count(row, until=until, actions=of_actions(row)) if row.is_running else outcomes.revived(row.counts)


def of_actions(row: Experiment) -> bool:
    """Whether its campaign recommends actions."""
    recipe = catalogue.get(row.campaign.solution_version.recipe or "")
    return recipe.type is RecipeType.PERSONALIZED_ACTIONS


def _end(row: Experiment, state: Experiment.State) -> None:
    """Keep the counts, forget the users; of two who end it at once one is refused."""
    now = timezone.now()
    until = int(time.time())
    counts = (
        interleaving.count(row, until).kept() if row.is_interleaved else [cell.kept() for cell in counted(row, until)]
    )
    ended = Experiment.objects.filter(pk=row.pk, status=Experiment.State.RUNNING).update(
        status=state, ended=now, updated=now, treatment=None, counts=counts
    )
    if not ended:
        row.refresh_from_db(fields=["status"])
        raise ResourceInUseException(
            f"The experiment {row.name} is {row.status}; only a RUNNING one can be ended.", field="experimentArn"
        )
    ExperimentUser.objects.filter(experiment=row).delete()
    InterleavedList.objects.filter(experiment=row).delete()


def _campaigns() -> ResourceQuerySet:
    return Campaign.objects.select_related(
        "account", "solution_version__account", "solution_version__solution__dataset_group"
    )


def _check_free(campaign: Campaign) -> None:
    """The campaign must answer, have no experiment, and stay with its version by itself."""
    if campaign.status != Status.ACTIVE:
        raise ResourceInUseException(f"The campaign is {campaign.status}; an experiment needs an ACTIVE one.")
    if other := running_experiment(campaign):
        raise ResourceInUseException(
            f"The experiment {other.name} runs on the campaign {campaign.name}; stop or promote it first.",
            field="campaignArn",
        )
    if campaign.follows_latest:
        raise ResourceInUseException(
            f"The campaign {campaign.name} takes over each new version of its solution, which would change the control; "
            "set syncWithLatestSolutionVersion to false first.", field="campaignArn",
        )  # fmt: skip


def _check_treatment(campaign: Campaign, treatment: SolutionVersion) -> None:
    """The treatment must be able to answer what the campaign is asked."""
    control = campaign.solution_version
    if treatment.pk == control.pk:
        raise InvalidInputException(
            f"{treatment.arn} is what the campaign serves already; choose another version.", field="treatmentVersionArn"
        )
    if treatment.status != Status.ACTIVE:
        raise ResourceInUseException(
            f"The solution version {treatment.arn} is {treatment.status}; only an ACTIVE one can be served.",
            field="treatmentVersionArn",
        )
    if treatment.solution.dataset_group_id != control.solution.dataset_group_id:
        raise InvalidInputException(
            f"{treatment.arn} is of another dataset group than the campaign.", field="treatmentVersionArn"
        )
    served, offered = (catalogue.get(version.recipe or "") for version in (control, treatment))
    if REQUESTS.get(served.type) != REQUESTS.get(offered.type):
        raise InvalidInputException(
            f"The campaign is asked for {REQUESTS[served.type]}, but {offered.name} makes "
            f"{REQUESTS.get(offered.type, 'user segments')}; choose a version that answers the same requests.",
            field="treatmentVersionArn",
        )


def _check_interleaving(treatment: SolutionVersion) -> None:
    """Only lists that are chosen from the catalogue can be interleaved."""
    recipe = catalogue.get(treatment.recipe or "")
    if recipe.type not in INTERLEAVABLE:
        raise InvalidInputException(
            f"{recipe.name} makes {REQUESTS.get(recipe.type, 'segments')}, which cannot be interleaved; choose kind SPLIT.",
            field="kind",
        )
