"""Batch jobs: recommendations or user segments for a whole file of requests."""

from __future__ import annotations

from django.db import models

from console.errors import InvalidInputException
from console.ingest import schema as schemas
from console.models import Account, BatchInferenceJob, BatchSegmentJob, Filter, SolutionVersion
from console.models.serving import BatchJob
from console.operations.account.tags import tag_map
from console.operations.base import operation, page
from console.operations.queueing import must_be_active, queue
from console.operations.training.solution_versions import version_named
from console.serving.exploration_config import check_exploration, check_influence
from console.shapes import JSONDict
from console.tenancy import location_for, output_for
from recipes import catalogue
from recipes import filters as language
from recipes.base import Recipe, RecipeType
from recipes.filters import Target

NOT_BY_BATCH = {RecipeType.POPULAR_ITEMS, RecipeType.PERSONALIZED_ACTIONS, RecipeType.USER_SEGMENTATION}
MOST_ITEMS, MOST_USERS = 500, 5_000_000
THEMES = "THEME_GENERATION"


@operation
def create_batch_inference_job(
    account: Account,
    *,
    job_name: str,
    solution_version_arn: str,
    job_input: JSONDict,
    job_output: JSONDict,
    role_arn: str,
    filter_arn: str | None = None,
    num_results: int = 25,
    batch_inference_job_config: JSONDict | None = None,
    tags: list[JSONDict] | None = None,
    batch_inference_job_mode: str = "BATCH_INFERENCE",
    theme_generation_config: JSONDict | None = None,
) -> JSONDict:
    """Queue recommendations for every line of the input."""
    version = _active(account, solution_version_arn)
    recipe = catalogue.get(version.recipe or "")
    if recipe.type in NOT_BY_BATCH:
        raise InvalidInputException(
            f"{recipe.name} is {recipe.type}, which has no batch inference jobs.", field="solutionVersionArn"
        )
    _check_themes(version, recipe, batch_inference_job_mode, theme_generation_config)
    config = batch_inference_job_config or {}
    check_exploration(recipe, config.get("itemExplorationConfig"))
    check_influence(recipe, config.get("rankingInfluence"))
    row = BatchInferenceJob(
        name=job_name, num_results=num_results, config=batch_inference_job_config, mode=batch_inference_job_mode,
        theme_generation_config=theme_generation_config,
        **_common(account, version, job_input, job_output, role_arn, filter_arn, tags, Target.ITEM),
    )  # fmt: skip
    _queue(row, num_results, MOST_ITEMS)
    return {"batchInferenceJobArn": row.arn}


@operation
def describe_batch_inference_job(account: Account, *, batch_inference_job_arn: str) -> JSONDict:
    """A batch inference job."""
    row = BatchInferenceJob.objects.by_arn(account, batch_inference_job_arn, field="batchInferenceJobArn")
    return {"batchInferenceJob": row.wire()}


@operation
def list_batch_inference_jobs(
    account: Account, *, solution_version_arn: str | None = None, next_token: str | None = None, max_results: int = 100
) -> JSONDict:
    """Newest first; of one version where it is given."""
    rows = _of_version(account, BatchInferenceJob, solution_version_arn)
    return page("ListBatchInferenceJobs", rows, "batchInferenceJobs", next_token, max_results)


@operation
def create_batch_segment_job(
    account: Account,
    *,
    job_name: str,
    solution_version_arn: str,
    job_input: JSONDict,
    job_output: JSONDict,
    role_arn: str,
    filter_arn: str | None = None,
    num_results: int = 25,
    tags: list[JSONDict] | None = None,
) -> JSONDict:
    """Queue user segments for every line of the input."""
    version = _active(account, solution_version_arn)
    recipe = catalogue.get(version.recipe or "")
    if recipe.type is not RecipeType.USER_SEGMENTATION:
        raise InvalidInputException(
            f"{recipe.name} is {recipe.type}; batch segment jobs need a recipe of type USER_SEGMENTATION.",
            field="solutionVersionArn",
        )
    common = _common(account, version, job_input, job_output, role_arn, filter_arn, tags, Target.USER)
    row = BatchSegmentJob(name=job_name, num_results=num_results, **common)
    _queue(row, num_results, MOST_USERS)
    return {"batchSegmentJobArn": row.arn}


@operation
def describe_batch_segment_job(account: Account, *, batch_segment_job_arn: str) -> JSONDict:
    """A batch segment job."""
    row = BatchSegmentJob.objects.by_arn(account, batch_segment_job_arn, field="batchSegmentJobArn")
    return {"batchSegmentJob": row.wire()}


@operation
def list_batch_segment_jobs(
    account: Account, *, solution_version_arn: str | None = None, next_token: str | None = None, max_results: int = 100
) -> JSONDict:
    """Newest first; of one version where it is given."""
    rows = _of_version(account, BatchSegmentJob, solution_version_arn)
    return page("ListBatchSegmentJobs", rows, "batchSegmentJobs", next_token, max_results)


def _active(account: Account, arn: str) -> SolutionVersion:
    version = version_named(account, arn)
    must_be_active(version, f"The solution version {arn}", field="solutionVersionArn")
    return version


def _check_themes(version: SolutionVersion, recipe: type[Recipe], mode: str, config: JSONDict | None) -> None:
    """Themes name lists of related items, by a column of the Items dataset."""
    if mode != THEMES:
        if config:
            raise InvalidInputException(
                f"themeGenerationConfig goes with batchInferenceJobMode {THEMES}, which is {mode}.",
                field="themeGenerationConfig",
            )
        return
    if recipe.type is not RecipeType.RELATED_ITEMS:
        raise InvalidInputException(
            f"{recipe.name} is {recipe.type}; themes are for lists of related items, such as those of aws-similar-items.",
            field="batchInferenceJobMode",
        )
    if config is None:
        raise InvalidInputException(
            "themeGenerationConfig is missing; name the column of the items' names in fieldsForThemeGeneration.itemName.",
            field="themeGenerationConfig",
        )
    name = config["fieldsForThemeGeneration"]["itemName"]
    group = version.solution.dataset_group
    items = group.datasets.select_related("schema").filter(type="ITEMS").first()
    schema = schemas.parse(items.schema.text, group.domain) if items else None
    columns = [field for field in schema.names if field != schema.key] if schema else []
    if name.upper() not in {column.upper() for column in columns}:
        raise InvalidInputException(
            f"itemName is {name}, which is no column of the Items dataset; there are: {', '.join(columns) or 'none'}.",
            field="themeGenerationConfig",
        )


def _common(
    account: Account,
    version: SolutionVersion,
    job_input: JSONDict,
    job_output: JSONDict,
    role_arn: str,
    filter_arn: str | None,
    tags: list[JSONDict] | None,
    wanted: Target,
) -> JSONDict:
    read = location_for(account, job_input["s3DataSource"]["path"], field="jobInput")
    written = output_for(account, job_output["s3DataDestination"]["path"], field="jobOutput")
    if (read.bucket, read.key.rstrip("/")) == (written.bucket, written.key.rstrip("/")):
        raise InvalidInputException(
            f"Invalid S3 output path: {written} is where the input is; name another folder.", field="jobOutput"
        )
    chosen = Filter.objects.by_arn(account, filter_arn, field="filterArn") if filter_arn else None
    if chosen and chosen.dataset_group_id != version.solution.dataset_group_id:
        raise InvalidInputException(f"The filter {chosen.name} is of another dataset group.", field="filterArn")
    if chosen and (target := language.parse(chosen.expression).target) is not wanted:
        raise InvalidInputException(
            f"The filter {chosen.name} is for {target}, this job needs one for {wanted}.", field="filterArn"
        )
    return {
        "account": account, "solution_version": version, "job_input": job_input, "job_output": job_output,
        "role_arn": role_arn, "filter": chosen, "tags": tag_map(tags),
    }  # fmt: skip


def _queue(row: BatchJob, num_results: int, most: int) -> None:
    if not 1 <= num_results <= most:
        raise InvalidInputException(f"numResults is {num_results}, allowed is 1 to {most}.", field="numResults")
    queue(row, "PENDING_BATCH_JOBS")


def _of_version(account: Account, model: type[BatchJob], arn: str | None) -> models.QuerySet[BatchJob]:
    rows = model.objects.for_account(account).select_related(
        "account", "solution_version__account", "solution_version__solution", "filter__account"
    )
    return rows.filter(solution_version=version_named(account, arn)) if arn else rows
