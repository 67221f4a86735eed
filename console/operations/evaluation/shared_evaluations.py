"""Ours: versions that were trained on different data, evaluated together on one test that none of them has seen."""

from __future__ import annotations

import secrets

from console import jobs
from console.errors import InvalidInputException, ResourceInUseException
from console.models import Account, DatasetGroup, SharedEvaluation, SharedResult, SolutionVersion, Status
from console.models.base import UNFINISHED
from console.operations.base import create, operation, page
from console.operations.training.solution_versions import version_named
from console.shapes import JSONDict
from console.trainings import drop_shared_results
from recipes import catalogue
from recipes.base import RecipeType

NOT_TOGETHER = {RecipeType.USER_SEGMENTATION, RecipeType.PERSONALIZED_ACTIONS}


@operation
def create_shared_evaluation(
    account: Account, *, solution_version_arns: list[str], method: str = SharedEvaluation.Method.AUTO
) -> JSONDict:
    """Queue a test of two to six versions together."""
    versions = [_evaluable(account, arn) for arn in dict.fromkeys(solution_version_arns)]
    if len(versions) < 2:
        raise InvalidInputException("Give two different versions or more.", field="solutionVersionArns")
    groups = {version.solution.dataset_group_id for version in versions}
    if len(groups) > 1:
        raise InvalidInputException(
            "The versions are of different dataset groups, so that there is no data both could be asked about; "
            "choose versions of one group.", field="solutionVersionArns",
        )  # fmt: skip
    row = SharedEvaluation(
        account=account, name=f"shared-{secrets.token_hex(4)}", dataset_group_id=groups.pop(), method=method
    )
    create(row)
    SharedResult.objects.bulk_create(SharedResult(shared_evaluation=row, solution_version=v) for v in versions)
    jobs.enqueue(row)
    return {"sharedEvaluationArn": row.arn}


@operation
def describe_shared_evaluation(account: Account, *, shared_evaluation_arn: str) -> JSONDict:
    """How far it is, and how the test was made."""
    return {"sharedEvaluation": shared_named(account, shared_evaluation_arn).wire()}


@operation
def list_shared_evaluations(
    account: Account, *, dataset_group_arn: str | None = None, next_token: str | None = None, max_results: int = 100
) -> JSONDict:
    """Newest first; of one group where it is given."""
    rows = SharedEvaluation.objects.for_account(account).select_related("account", "dataset_group__account")
    if dataset_group_arn:
        group = DatasetGroup.objects.by_arn(account, dataset_group_arn, field="datasetGroupArn")
        rows = rows.filter(dataset_group=group)
    return page("ListSharedEvaluations", rows, "sharedEvaluations", next_token, max_results)


@operation
def delete_shared_evaluation(account: Account, *, shared_evaluation_arn: str) -> None:
    """Remove a shared evaluation and what it kept; the versions stay."""
    row = shared_named(account, shared_evaluation_arn)
    if row.status in UNFINISHED:
        raise ResourceInUseException(
            f"The shared evaluation is {row.status}; stop it first, or wait until it has ended."
        )
    drop_shared_results(row.results.all())
    row.delete()


def shared_named(account: Account, arn: str) -> SharedEvaluation:
    """The shared evaluation that an ARN names."""
    rows = SharedEvaluation.objects.select_related("account", "dataset_group__account")
    found: SharedEvaluation = rows.by_arn(account, arn, field="sharedEvaluationArn")
    return found


def _evaluable(account: Account, arn: str) -> SolutionVersion:
    version = version_named(account, arn, field="solutionVersionArns")
    if version.status != Status.ACTIVE:
        raise ResourceInUseException(
            f"{version.arn} is {version.status}; only ACTIVE versions can be evaluated.", field="solutionVersionArns"
        )
    recipe = catalogue.get(version.recipe or "")
    if recipe.type in NOT_TOGETHER:
        raise InvalidInputException(
            f"{recipe.name} makes no lists of items, so it cannot be evaluated together with others; train its versions on "
            "the same data to compare them.", field="solutionVersionArns",
        )  # fmt: skip
    return version
