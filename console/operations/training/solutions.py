"""Solutions: a recipe with its configuration on a dataset group."""

from __future__ import annotations

from django.db import models

from console import arns
from console.errors import InvalidInputException, ResourceInUseException
from console.models import (
    Account,
    BatchInferenceJob,
    BatchSegmentJob,
    Campaign,
    DatasetGroup,
    Experiment,
    SharedResult,
    Solution,
    SolutionVersion,
    Status,
)
from console.models.base import UNFINISHED, update_summary
from console.operations.account.tags import tag_map
from console.operations.base import create, operation, page, within_quota
from console.operations.training.solution_config import (
    check_config,
    check_datasets,
    check_schedule,
    group_fields,
    recipe_named,
)
from console.shapes import JSONDict
from console.trainings import drop_artefacts, drop_shared_results


@operation
def create_solution(
    account: Account,
    *,
    name: str,
    dataset_group_arn: str,
    perform_hpo: bool = False,
    perform_auto_ml: bool = False,
    perform_auto_training: bool = True,
    perform_incremental_update: bool = False,
    recipe_arn: str | None = None,
    event_type: str | None = None,
    solution_config: JSONDict | None = None,
    tags: list[JSONDict] | None = None,
) -> JSONDict:
    """Keep a configuration; nothing is trained yet."""
    group: DatasetGroup = DatasetGroup.objects.by_arn(account, dataset_group_arn, field="datasetGroupArn")
    if group.status != Status.ACTIVE:
        raise ResourceInUseException(f"The dataset group is {group.status}; wait until it is ACTIVE.")
    if perform_auto_ml and recipe_arn:
        raise InvalidInputException(
            "With performAutoML the recipe is chosen for you; leave recipeArn out.", field="recipeArn"
        )
    if not perform_auto_ml and not recipe_arn:
        raise InvalidInputException("recipeArn is missing; give one, or set performAutoML.", field="recipeArn")
    recipe = recipe_named(recipe_arn) if recipe_arn else None
    if perform_incremental_update and (recipe is None or recipe.name != "aws-semantic-similarity"):
        raise InvalidInputException(
            "performIncrementalUpdate is for aws-semantic-similarity only.", field="performIncrementalUpdate"
        )
    fields = group_fields(group)
    if recipe:
        check_datasets(recipe, fields)
    check_config(recipe, solution_config or {}, event_type, fields)
    within_quota("SOLUTIONS_PER_GROUP", group.solutions.all(), f"a solution in dataset group {group.name}")
    row = Solution(
        account=account, name=name, dataset_group=group, recipe=recipe.name if recipe else None,
        perform_hpo=perform_hpo or perform_auto_ml, perform_auto_ml=perform_auto_ml,
        perform_auto_training=perform_auto_training, perform_incremental_update=perform_incremental_update,
        event_type=event_type, config=solution_config or {}, tags=tag_map(tags),
    )  # fmt: skip
    create(row)
    return {"solutionArn": row.arn}


@operation
def describe_solution(account: Account, *, solution_arn: str) -> JSONDict:
    """The configuration, and the newest version in short."""
    return {"solution": Solution.objects.by_arn(account, solution_arn, field="solutionArn").wire()}


@operation
def list_solutions(
    account: Account,
    *,
    dataset_group_arn: str | None = None,
    next_token: str | None = None,
    max_results: int = 100,
) -> JSONDict:
    """Newest first; of one group where it is given."""
    rows = Solution.objects.for_account(account).select_related("account", "dataset_group__account")
    rows = rows.prefetch_related(
        models.Prefetch("versions", SolutionVersion.objects.none())
    )  # summaries tell no version
    if dataset_group_arn:
        rows = rows.filter(
            dataset_group=DatasetGroup.objects.by_arn(account, dataset_group_arn, field="datasetGroupArn")
        )
    return page("ListSolutions", rows, "solutions", next_token, max_results)


@operation
def update_solution(
    account: Account,
    *,
    solution_arn: str,
    perform_auto_training: bool | None = None,
    perform_incremental_update: bool | None = None,
    solution_update_config: JSONDict | None = None,
) -> JSONDict:
    """Change automatic training and the events configuration; the next training takes it."""
    row: Solution = Solution.objects.by_arn(account, solution_arn, field="solutionArn")
    changed: JSONDict = {
        "performAutoTraining": perform_auto_training,
        "performIncrementalUpdate": perform_incremental_update,
        "solutionUpdateConfig": solution_update_config,
    }
    changed = {key: value for key, value in changed.items() if value is not None}
    if not changed:
        raise InvalidInputException("Nothing to update: give performAutoTraining or solutionUpdateConfig.")
    config = row.config | (solution_update_config or {})
    check_schedule(config.get("autoTrainingConfig"))
    check_config(recipe_named(arns.recipe_arn(row.recipe)) if row.recipe else None, config, row.event_type,
                 group_fields(row.dataset_group))  # fmt: skip
    row.config, row.latest_update = config, update_summary(**changed)
    row.perform_auto_training = changed.get("performAutoTraining", row.perform_auto_training)
    row.perform_incremental_update = changed.get("performIncrementalUpdate", row.perform_incremental_update)
    row.save()
    return {"solutionArn": row.arn}


@operation
def delete_solution(account: Account, *, solution_arn: str) -> None:
    """Remove a solution with all its versions and what they learned."""
    row: Solution = Solution.objects.by_arn(account, solution_arn, field="solutionArn")
    in_use = [
        ("campaign", Campaign.objects.filter(solution_version__solution=row)),
        ("experiment", Experiment.objects.filter(treatment__solution=row)),
        ("solution version", row.versions.filter(status__in=UNFINISHED)),
        (
            "batch inference job",
            BatchInferenceJob.objects.filter(solution_version__solution=row, status__in=UNFINISHED),
        ),
        ("batch segment job", BatchSegmentJob.objects.filter(solution_version__solution=row, status__in=UNFINISHED)),
    ]
    for what, users in in_use:
        _refuse_if_used(row, what, users)
    drop_artefacts(row.versions.all())
    drop_shared_results(SharedResult.objects.filter(solution_version__solution=row))
    row.delete()


def _refuse_if_used(row: Solution, what: str, users: models.QuerySet) -> None:  # type: ignore[type-arg]
    if user := users.first():
        raise ResourceInUseException(
            f"The solution {row.name} cannot be deleted while the {what} {user.arn} uses it ({user.status})."
        )
