"""From a row to what can be asked: one query for a campaign, a recommender or a version, no objects.

The queries of a campaign's request are SQL: building them through the ORM takes longer than the rest of the request.
"""

# ruff: noqa: S608  only names of our own, of tables and of a state, are put into the queries
from __future__ import annotations

import json
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any, NamedTuple

from django.db import connection

from console import arns
from console.errors import InvalidInputException, ResourceInUseException, ResourceNotFoundException
from console.models import Account, Campaign, Experiment, Filter, Recommender, Solution, SolutionVersion, Status
from console.serving.caches import REQUEST_CACHE
from console.serving.experiments import Arm, is_treated
from console.serving.exploration_config import Exploration
from console.serving.request import Rival, ServingTarget
from recipes import catalogue, filters, use_cases
from recipes.base import Recipe, RecipeType

NO_USER = {"aws-popularity-count", "aws-trending-now"}
METADATA_ALWAYS = {"aws-user-personalization-v2", "aws-personalized-ranking-v2"}
TABLES = {model.__name__: model._meta.db_table for model in (Campaign, Experiment, Filter, Solution, SolutionVersion)}
CAMPAIGN = """
    SELECT c.status, c.config, v.artefact, v.recipe, s.dataset_group_id, e.id
    FROM {Campaign} c JOIN {SolutionVersion} v ON v.id = c.solution_version_id JOIN {Solution} s ON s.id = v.solution_id
        LEFT JOIN {Experiment} e ON e.campaign_id = c.id AND e.status = '{running}'
    WHERE c.account_id = %s AND c.name = %s
""".format(**TABLES, running=Experiment.State.RUNNING.value)
EXPERIMENT = """
    SELECT e.name, e.salt, e.traffic_share, v.artefact, v.recipe, e.kind
    FROM {Experiment} e JOIN {SolutionVersion} v ON v.id = e.treatment_id WHERE e.id = %s
""".format(**TABLES)
FILTER = "SELECT expression, status, dataset_group_id FROM {Filter} WHERE account_id = %s AND name = %s".format(
    **TABLES
)


class CampaignRow(NamedTuple):
    """What a request needs to know of a campaign."""

    status: str
    config: dict[str, Any]
    artefact: str
    recipe: str
    group_id: int
    experiment: int | None


class ExperimentRow(NamedTuple):
    """What a request needs to know of a running experiment and its treatment."""

    name: str
    salt: str
    share: int
    artefact: str
    recipe: str
    kind: str


class FilterRow(NamedTuple):
    """What a request needs to know of a filter."""

    expression: str
    status: str
    group_id: int


def campaign_target(account: Account, arn: str, user_id: str | None = None) -> tuple[ServingTarget, type[Recipe]]:
    """What a campaign serves; where an experiment runs and `user_id` is given, what this user gets of it.

    Raises:
        ResourceNotFoundException: no such campaign in this account.
        InvalidInputException: it is not ACTIVE; the runtime knows no ResourceInUseException.
    """
    row, target, recipe = REQUEST_CACHE.get(("campaign", account.pk, arn), partial(_control, account, arn))
    if row.experiment is None or not user_id:
        return target, recipe
    return _of_arm(account, target, recipe, row, user_id)


def _control(account: Account, arn: str) -> tuple[CampaignRow, ServingTarget, type[Recipe]]:
    """A campaign as it is now, and what it serves to those in no experiment."""
    name = _name(account, arn, "campaign", "campaignArn")
    row = _campaign(account.pk, name)
    if row is None:
        raise _missing(arn, "campaignArn")
    if row.status != Status.ACTIVE:
        raise InvalidInputException(f"The campaign {name} is {row.status}; it answers once it is ACTIVE.")
    recipe = catalogue.get(row.recipe)
    return row, target_of(arn, recipe, row.artefact, row.group_id, row.config), recipe


def _of_arm(
    account: Account, control: ServingTarget, recipe: type[Recipe], row: CampaignRow, user_id: str
) -> tuple[ServingTarget, type[Recipe]]:
    """What a user gets while an experiment runs; the treatment allows what the campaign allows."""
    pk = row.experiment or 0
    found = REQUEST_CACHE.get(("experiment", pk), partial(_experiment, pk))
    if found is None:  # ended between the two queries
        return control, recipe
    arn = str(arns.Arn(account.number, "experiment", found.name))
    if found.kind == Experiment.Kind.INTERLEAVED:
        return _with_rival(control, row, found, Rival(pk, arn, control), user_id), recipe
    arm = Arm(pk, arn, user_id, is_treated(found.salt, user_id, found.share))
    if not arm.is_treatment:
        return replace(control, arm=arm), recipe
    recipe = catalogue.get(found.recipe)
    target = target_of(control.arn, recipe, found.artefact, row.group_id, row.config)
    return replace(target, arm=arm, metadata=target.metadata or control.metadata), recipe


def _with_rival(
    control: ServingTarget, row: CampaignRow, found: ExperimentRow, rival: Rival, user_id: str
) -> ServingTarget:
    """The control, with the treatment beside it for the share of users who take part."""
    if not is_treated(found.salt, user_id, found.share):
        return control
    treatment = target_of(control.arn, catalogue.get(found.recipe), found.artefact, row.group_id, row.config)
    target = replace(treatment, metadata=treatment.metadata or control.metadata)
    return replace(control, rival=replace(rival, target=target))


def version_target(account: Account, arn: str) -> tuple[ServingTarget, type[Recipe]]:
    """What a version would serve; for tests of a version that no campaign has, and for batch jobs."""
    row = SolutionVersion.objects.select_related("solution").by_arn(account, arn, field="solutionVersionArn")
    if row.status != Status.ACTIVE:
        raise ResourceInUseException(f"The solution version is {row.status}; it answers once it is ACTIVE.")
    recipe = catalogue.get(row.recipe)
    return target_of(arn, recipe, row.artefact, row.solution.dataset_group_id, {}), recipe


def recommender_target(account: Account, arn: str) -> ServingTarget:
    """What a recommender serves.

    Raises:
        ResourceNotFoundException: no such recommender in this account.
        InvalidInputException: it is not ACTIVE.
    """
    return REQUEST_CACHE.get(("recommender", account.pk, arn), partial(_recommender, account, arn))


def _recommender(account: Account, arn: str) -> ServingTarget:
    row: Recommender = Recommender.objects.by_arn(account, arn, field="recommenderArn")
    if not row.is_serving:
        raise InvalidInputException(f"The recommender {row.name} is {row.status}; it answers once it is ACTIVE.")
    case = use_cases.get(row.recipe)
    config = row.config
    return ServingTarget(
        arn, row.recipe, row.artefact, row.dataset_group_id,
        exploration=Exploration.of(config.get("itemExplorationConfig")) if case.explores else None,
        removes=case.removes, needs_user="userId" in case.inputs, needs_item="itemId" in case.inputs,
        promotes=case.promotions, metadata=bool(config.get("enableMetadataWithRecommendations")),
    )  # fmt: skip


def any_target(
    account: Account, campaign_arn: str | None, recommender_arn: str | None, solution_version_arn: str | None
) -> ServingTarget:
    """The target that exactly one of the ARNs names.

    Raises:
        InvalidInputException: none or several are given.
    """
    given = [arn for arn in (campaign_arn, recommender_arn, solution_version_arn) if arn]
    if len(given) != 1:
        raise InvalidInputException(
            "Give exactly one of campaignArn, recommenderArn and solutionVersionArn.", field="campaignArn"
        )
    if campaign_arn:
        return campaign_target(account, campaign_arn)[0]
    return recommender_target(account, given[0]) if recommender_arn else version_target(account, given[0])[0]


def target_of(arn: str, recipe: type[Recipe], artefact: str, group_id: int, config: dict[str, Any]) -> ServingTarget:
    """A target of a custom recipe under a campaign's configuration."""
    related = recipe.type is RecipeType.RELATED_ITEMS
    return ServingTarget(
        arn, recipe.name, artefact, group_id,
        exploration=Exploration.of(config.get("itemExplorationConfig")) if recipe.explores else None,
        has_scores=recipe.has_scores,
        needs_user=not related and recipe.name not in NO_USER,
        needs_item=related,
        metadata=bool(config.get("enableMetadataWithRecommendations")) or recipe.name in METADATA_ALWAYS,
        influence={name.lower(): float(weight) for name, weight in (config.get("rankingInfluence") or {}).items()},
    )  # fmt: skip


def bound_filter(
    account: Account, arn: str | None, values: dict[str, str] | None, group_id: int, *, field: str = "filterArn"
) -> filters.Bound | None:
    """The filter that a request names, with its values.

    Raises:
        ResourceNotFoundException: no such filter.
        InvalidInputException: of another dataset group, not ACTIVE, or a value that is missing or wrong.
    """
    if arn is None:
        if values:
            raise InvalidInputException(
                "filterValues is given without filterArn: nothing would be filtered.", field=field
            )
        return None
    name = _name(account, arn, "filter", field)
    row = REQUEST_CACHE.get(("filter", account.pk, name), partial(_filter, account.pk, name))
    if row is None:
        raise _missing(arn, field)
    if row.group_id != group_id:
        raise InvalidInputException(f"The filter {name} is of another dataset group.", field=field)
    if row.status != Status.ACTIVE:
        raise InvalidInputException(f"The filter {name} is {row.status}; it can be used once it is ACTIVE.")
    return bind(row.expression, values, field=field)


def bind(expression: str, values: dict[str, str] | None, *, field: str = "filterValues") -> filters.Bound:
    """Parse an expression and fill in the values; the same ones are kept from request to request."""
    try:
        return _bound(expression, *(values or {}).items())
    except filters.FilterError as error:
        raise InvalidInputException(str(error), field=field) from None


@lru_cache(maxsize=1024)
def _bound(expression: str, *values: tuple[str, str]) -> filters.Bound:
    return filters.bind(_parsed(expression), dict(values))


@lru_cache(maxsize=1024)
def _parsed(expression: str) -> filters.Filter:
    return filters.parse(expression)


def _name(account: Account, arn: str, kind: str, field: str) -> str:
    parsed = arns.parse(arn, wanted=kind, field=field)
    if parsed.account != account.number or parsed.type != kind:
        raise _missing(arn, field, arns.account_hint(parsed, account.number) or arns.kind_hint(parsed, kind))
    return parsed.name


def _missing(arn: str, field: str, hint: str = "") -> ResourceNotFoundException:
    return ResourceNotFoundException(f"Resource Arn {arn} does not exist.{hint}", field=field)


def _campaign(account_id: int, name: str) -> CampaignRow | None:
    """The campaign of that name."""
    row = _first(CAMPAIGN, account_id, name)
    if row is None:
        return None
    status, config, *rest = row
    return CampaignRow(status, json.loads(config) if isinstance(config, str) else config, *rest)


def _experiment(pk: int) -> ExperimentRow | None:
    """The experiment of that number, while it runs; asked for only where a campaign has one."""
    row = _first(EXPERIMENT, pk)
    return ExperimentRow(*row) if row else None


def _filter(account_id: int, name: str) -> FilterRow | None:
    """The filter of that name."""
    row = _first(FILTER, account_id, name)
    return FilterRow(*row) if row else None


def _first(sql: str, *params: Any) -> tuple[Any, ...] | None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        row: tuple[Any, ...] | None = cursor.fetchone()
        return row
