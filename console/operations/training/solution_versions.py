"""Solution versions: trainings of a solution, and what came of them."""

from __future__ import annotations

from console.errors import InvalidInputException, ResourceAlreadyExistsException, ResourceInUseException
from console.models import Account, Solution, SolutionVersion, Status
from console.operations.account.tags import tag_map
from console.operations.base import operation, page, within_pending_quota
from console.shapes import JSONDict
from console.trainings import queue_training
from recipes import catalogue

LATEST = "$LATEST"


@operation
def create_solution_version(
    account: Account,
    *,
    solution_arn: str,
    name: str | None = None,
    training_mode: str = "FULL",
    tags: list[JSONDict] | None = None,
) -> JSONDict:
    """Queue a training."""
    solution: Solution = Solution.objects.by_arn(account, solution_arn, field="solutionArn")
    if solution.status != Status.ACTIVE:
        raise ResourceInUseException(f"The solution is {solution.status}; wait until it is ACTIVE.")
    check_mode(solution, training_mode)
    versions = SolutionVersion.objects.for_account(account)
    if name and versions.filter(name=name).exists():
        raise ResourceAlreadyExistsException(
            f"Another solution version has the name {name}; choose another.", field="name"
        )
    within_pending_quota("PENDING_SOLUTION_VERSIONS", versions)
    version = queue_training(solution, name=name or "", training_mode=training_mode, tags=tag_map(tags))
    return {"solutionVersionArn": version.arn}


def check_mode(solution: Solution, training_mode: str) -> None:
    """UPDATE needs a recipe that can and a version to start from.

    Raises:
        InvalidInputException: the mode is not for this recipe, or nothing was trained fully yet.
    """
    if training_mode == "FULL":
        return
    recipe = catalogue.get(solution.recipe) if solution.recipe else None
    if training_mode != "UPDATE" or recipe is None or not recipe.updates:
        raise InvalidInputException(
            f"trainingMode is {training_mode}, allowed for {solution.recipe or 'AutoML'} is FULL"
            f"{' or UPDATE' if recipe and recipe.updates else ''}.", field="trainingMode"
        )  # fmt: skip
    if not solution.versions.filter(status=Status.ACTIVE, training_mode="FULL").exists():
        raise InvalidInputException(
            "trainingMode UPDATE needs an ACTIVE version of this solution that was made with FULL; there is none.",
            field="trainingMode",
        )


@operation
def describe_solution_version(account: Account, *, solution_version_arn: str) -> JSONDict:
    """A version's configuration and status."""
    return {"solutionVersion": version_named(account, solution_version_arn).wire()}


@operation
def list_solution_versions(
    account: Account, *, solution_arn: str | None = None, next_token: str | None = None, max_results: int = 100
) -> JSONDict:
    """Newest first; of one solution where it is given."""
    rows = SolutionVersion.objects.for_account(account).select_related(
        "account", "solution__account", "solution__dataset_group__account"
    )
    if solution_arn:
        rows = rows.filter(solution=Solution.objects.by_arn(account, solution_arn, field="solutionArn"))
    return page("ListSolutionVersions", rows, "solutionVersions", next_token, max_results)


@operation
def get_solution_metrics(account: Account, *, solution_version_arn: str) -> JSONDict:
    """The metrics under AWS's keys; only an ACTIVE version has them."""
    version = version_named(account, solution_version_arn)
    if version.status != Status.ACTIVE:
        raise ResourceInUseException(f"The solution version is {version.status}; metrics are there once it is ACTIVE.")
    return {"solutionVersionArn": version.arn, "metrics": version.metrics}


@operation
def stop_solution_version_creation(account: Account, *, solution_version_arn: str) -> None:
    """End a training: a waiting one at once, a running one as soon as its worker looks up."""
    version = version_named(account, solution_version_arn)
    rows = SolutionVersion.objects.filter(pk=version.pk)
    if rows.filter(status=Status.CREATE_PENDING, claim="").update(status=Status.CREATE_STOPPED):
        return
    if not rows.filter(status=Status.CREATE_IN_PROGRESS).update(status=Status.CREATE_STOPPING):
        raise ResourceInUseException(
            f"The solution version is {version.status}; only a CREATE PENDING or CREATE IN_PROGRESS one can be stopped."
        )


def version_named(account: Account, arn: str, *, field: str = "solutionVersionArn") -> SolutionVersion:
    """The version that an ARN names; `…/$LATEST` is the newest ACTIVE one of its solution.

    Raises:
        ResourceNotFoundException: it names none of this account's.
        ResourceInUseException: the solution has no ACTIVE version yet.
    """
    solution_arn, _, last = arn.rpartition("/")
    if last != LATEST:
        version: SolutionVersion = SolutionVersion.objects.select_related(
            "account", "solution__account", "solution__dataset_group__account"
        ).by_arn(account, arn, field=field)  # fmt: skip
        return version
    solution = Solution.objects.by_arn(account, solution_arn, field=field)
    newest: SolutionVersion | None = solution.versions.filter(status=Status.ACTIVE).first()
    if newest is None:
        raise ResourceInUseException(f"The solution {solution.name} has no ACTIVE version yet.", field=field)
    return newest
