"""Recommenders: a domain's use case, trained when it is made and answering until it is stopped."""

from __future__ import annotations

from console import arns, jobs
from console.errors import InvalidInputException, ResourceInUseException, ResourceNotFoundException
from console.models import Account, DatasetGroup, Recommender, Status
from console.models.base import UNFINISHED, update_summary
from console.operations.account.tags import tag_map
from console.operations.base import create, operation, page, within_quota
from console.operations.training.solution_config import check_columns, group_fields
from console.serving.exploration_config import read_exploration
from console.shapes import JSONDict
from console.trainings import drop_artefacts
from recipes.use_cases import USE_CASES, UseCase


@operation
def create_recommender(
    account: Account,
    *,
    name: str,
    dataset_group_arn: str,
    recipe_arn: str,
    recommender_config: JSONDict | None = None,
    tags: list[JSONDict] | None = None,
) -> JSONDict:
    """Queue the training of a use case; the recommender answers once that is done."""
    group: DatasetGroup = DatasetGroup.objects.by_arn(account, dataset_group_arn, field="datasetGroupArn")
    case = _use_case(recipe_arn, group)
    fields = group_fields(group)
    if missing := [kind for kind in case.datasets if kind not in fields]:
        raise InvalidInputException(
            f"{case.title} needs a dataset of type {missing[0]}, the dataset group has {', '.join(fields) or 'none'}.",
            field="datasetGroupArn",
        )
    config = recommender_config or {}
    _check_config(case, config, group)
    within_quota("RECOMMENDERS_PER_GROUP", group.recommenders.all(), f"a recommender in dataset group {group.name}")
    within_quota("RECOMMENDERS", Recommender.objects.for_account(account), "a recommender")
    row = Recommender(
        account=account, name=name, dataset_group=group, recipe=case.name, config=config, tags=tag_map(tags)
    )
    create(row)
    jobs.enqueue(row)
    return {"recommenderArn": row.arn}


@operation
def describe_recommender(account: Account, *, recommender_arn: str) -> JSONDict:
    """A recommender with its metrics."""
    return {"recommender": _find(account, recommender_arn).wire()}


@operation
def list_recommenders(
    account: Account,
    *,
    dataset_group_arn: str | None = None,
    next_token: str | None = None,
    max_results: int = 100,
) -> JSONDict:
    """Newest first; of one group where it is given."""
    rows = Recommender.objects.for_account(account).select_related("account", "dataset_group__account")
    if dataset_group_arn:
        rows = rows.filter(
            dataset_group=DatasetGroup.objects.by_arn(account, dataset_group_arn, field="datasetGroupArn")
        )
    return page("ListRecommenders", rows, "recommenders", next_token, max_results)


@operation
def update_recommender(account: Account, *, recommender_arn: str, recommender_config: JSONDict) -> JSONDict:
    """Change the configuration; other training columns start a training, and the old model answers meanwhile."""
    row = _find(account, recommender_arn)
    if row.status in UNFINISHED:
        raise ResourceInUseException(f"The recommender {row.name} is in training; update it when that has ended.")
    _check_config(USE_CASES[row.recipe], recommender_config, row.dataset_group)
    retrain = recommender_config.get("trainingDataConfig") != row.config.get("trainingDataConfig")
    row.config = recommender_config
    row.latest_update = update_summary(recommenderConfig=recommender_config)
    if retrain and row.status == Status.ACTIVE:
        row.status, row.attempts = Recommender.waiting, 0
        jobs.enqueue(row)
    row.save()
    return {"recommenderArn": row.arn}


@operation
def start_recommender(account: Account, *, recommender_arn: str) -> JSONDict:
    """Let a stopped recommender answer again, with the model it had."""
    return _switch(_find(account, recommender_arn), Status.INACTIVE, Status.ACTIVE, "started")


@operation
def stop_recommender(account: Account, *, recommender_arn: str) -> JSONDict:
    """Let a recommender rest: it does not answer and is not trained."""
    return _switch(_find(account, recommender_arn), Status.ACTIVE, Status.INACTIVE, "stopped")


@operation
def delete_recommender(account: Account, *, recommender_arn: str) -> None:
    """Remove a recommender and what it learned."""
    row = _find(account, recommender_arn)
    if row.status in UNFINISHED:
        raise ResourceInUseException(
            f"The recommender {row.name} is {row.status}; delete it when its training has ended."
        )
    drop_artefacts([row])
    row.delete()


def _find(account: Account, arn: str) -> Recommender:
    row: Recommender = Recommender.objects.by_arn(account, arn, field="recommenderArn")
    return row


def _switch(row: Recommender, before: Status, after: Status, done: str) -> JSONDict:
    if not Recommender.objects.filter(pk=row.pk, status=before).update(status=after):
        raise ResourceInUseException(f"The recommender {row.name} is {row.status}; only an {before} one can be {done}.")
    return {"recommenderArn": row.arn}


def _use_case(recipe_arn: str, group: DatasetGroup) -> UseCase:
    case = USE_CASES.get(arns.of_aws(recipe_arn, "recipe", field="recipeArn"))
    if case is None:
        raise ResourceNotFoundException(
            f"Resource Arn {recipe_arn} does not exist. Use cases are {', '.join(USE_CASES)}.", field="recipeArn"
        )
    if group.domain != case.domain:
        raise InvalidInputException(
            f"{case.name} is for dataset groups of domain {case.domain}, this one has "
            f"{group.domain or 'no domain; create a solution instead'}.", field="recipeArn"
        )  # fmt: skip
    return case


def _check_config(case: UseCase, config: JSONDict, group: DatasetGroup) -> None:
    exploration = config.get("itemExplorationConfig")
    if exploration and not case.explores:
        raise InvalidInputException(
            f"{case.title} does not explore, so itemExplorationConfig cannot be given.", field="itemExplorationConfig"
        )
    read_exploration(exploration)
    check_columns(config.get("trainingDataConfig", {}), group_fields(group))
