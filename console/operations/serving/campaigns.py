"""Campaigns: a solution version put up for requests. Changes take effect with the commit, so service has no gap."""

from __future__ import annotations

from console.errors import InvalidInputException, ResourceInUseException
from console.models import Account, Campaign, Experiment, Solution, SolutionVersion, Status
from console.models.base import update_summary
from console.operations.account.tags import tag_map
from console.operations.base import create, operation, page, within_quota
from console.operations.queueing import must_have_model
from console.operations.training.solution_versions import LATEST, version_named
from console.serving.exploration_config import INFLUENCED, check_exploration, check_influence
from console.shapes import JSONDict
from recipes import catalogue
from recipes.base import RecipeType


@operation
def create_campaign(
    account: Account,
    *,
    name: str,
    solution_version_arn: str,
    min_provisioned_tps: int = 1,
    campaign_config: JSONDict | None = None,
    tags: list[JSONDict] | None = None,
) -> JSONDict:
    """Serve a version; it answers as soon as the operation returns."""
    config = campaign_config or {}
    version = _servable(account, solution_version_arn, config)
    _check_config(version, config)
    group = version.solution.dataset_group
    running = Campaign.objects.filter(solution_version__solution__dataset_group=group)
    within_quota("CAMPAIGNS_PER_GROUP", running, f"a campaign in dataset group {group.name}")
    row = Campaign(
        account=account, name=name, solution_version=version, min_provisioned_tps=min_provisioned_tps, config=config,
        tags=tag_map(tags),
    )  # fmt: skip
    create(row)
    return {"campaignArn": row.arn}


@operation
def describe_campaign(account: Account, *, campaign_arn: str) -> JSONDict:
    """A campaign with its latest update."""
    return {"campaign": Campaign.objects.by_arn(account, campaign_arn, field="campaignArn").wire()}


@operation
def list_campaigns(
    account: Account, *, solution_arn: str | None = None, next_token: str | None = None, max_results: int = 100
) -> JSONDict:
    """Newest first; of one solution where it is given."""
    rows = Campaign.objects.for_account(account).select_related(
        "account", "solution_version__account", "solution_version__solution"
    )
    if solution_arn:
        solution = Solution.objects.by_arn(account, solution_arn, field="solutionArn")
        rows = rows.filter(solution_version__solution=solution)
    return page("ListCampaigns", rows, "campaigns", next_token, max_results)


@operation
def update_campaign(
    account: Account,
    *,
    campaign_arn: str,
    solution_version_arn: str | None = None,
    min_provisioned_tps: int | None = None,
    campaign_config: JSONDict | None = None,
) -> JSONDict:
    """Change version, capacity or configuration; what is not given stays. Requests never see half of a change."""
    row: Campaign = Campaign.objects.select_for_update().by_arn(account, campaign_arn, field="campaignArn")
    if row.status not in {Status.ACTIVE, Status.CREATE_FAILED}:
        raise ResourceInUseException(f"The campaign is {row.status}; it can be updated when ACTIVE or CREATE FAILED.")
    config = row.config if campaign_config is None else campaign_config
    version = row.solution_version
    if solution_version_arn:
        version = _servable(account, solution_version_arn, config)
    _check_experiment(row, version, config)
    _check_config(version, config)
    if version.pk != row.solution_version_id:
        row.previous_version = row.solution_version
    row.solution_version, row.config = version, config
    row.min_provisioned_tps = min_provisioned_tps or row.min_provisioned_tps
    row.latest_update = update_summary(
        solutionVersionArn=version.arn, minProvisionedTPS=row.min_provisioned_tps, campaignConfig=config
    )
    row.save()
    return {"campaignArn": row.arn}


@operation
def delete_campaign(account: Account, *, campaign_arn: str) -> None:
    """Take a campaign down, with what is kept of its experiments."""
    row: Campaign = Campaign.objects.by_arn(account, campaign_arn, field="campaignArn")
    if experiment := running_experiment(row):
        raise ResourceInUseException(
            f"The experiment {experiment.name} runs on the campaign {row.name}; stop or promote it first.",
            field="campaignArn",
        )
    row.delete()


def running_experiment(campaign: Campaign) -> Experiment | None:
    """The experiment that splits the campaign's users right now."""
    return campaign.experiments.filter(status=Experiment.State.RUNNING).select_related("account").first()


def fitting_config(version: SolutionVersion, config: JSONDict) -> JSONDict:
    """A campaign's configuration without what the version's recipe has no use for."""
    recipe = catalogue.get(version.recipe or "")
    unfit = {"itemExplorationConfig": not recipe.explores, "rankingInfluence": recipe.name != INFLUENCED}
    return {name: value for name, value in config.items() if not unfit.get(name)}


def _servable(account: Account, arn: str, config: JSONDict) -> SolutionVersion:
    """The ACTIVE version that an ARN names; `$LATEST` goes with following the latest."""
    if arn.endswith(LATEST) and not config.get("syncWithLatestSolutionVersion"):
        raise InvalidInputException(
            f"{LATEST} needs campaignConfig.syncWithLatestSolutionVersion to be true.", field="solutionVersionArn"
        )
    version = version_named(account, arn)
    if version.status != Status.ACTIVE:
        raise ResourceInUseException(
            f"The solution version {version.arn} is {version.status}; only an ACTIVE one can be served.",
            field="solutionVersionArn",
        )
    must_have_model(version, field="solutionVersionArn")
    return version


def _check_experiment(row: Campaign, version: SolutionVersion, config: JSONDict) -> None:
    """While an experiment runs its control stays as it is; all else may change, for both arms alike."""
    changes = version.pk != row.solution_version_id
    if not changes and not config.get("syncWithLatestSolutionVersion"):
        return
    if experiment := running_experiment(row):
        what = "serve another version" if changes else "take over new versions"
        raise ResourceInUseException(
            f"The experiment {experiment.name} runs on the campaign {row.name}, which cannot {what} meanwhile; stop or "
            "promote it first.", field="solutionVersionArn" if changes else "campaignConfig",
        )  # fmt: skip


def _check_config(version: SolutionVersion, config: JSONDict) -> None:
    recipe = catalogue.get(version.recipe or "")
    if recipe.type is RecipeType.USER_SEGMENTATION:
        raise InvalidInputException(
            f"{recipe.name} makes user segments; use a batch segment job instead of a campaign.",
            field="solutionVersionArn",
        )
    check_exploration(recipe, config.get("itemExplorationConfig"))
    check_influence(recipe, config.get("rankingInfluence"))
