"""The job that loads a sample: each step is an operation, and each step that is there already is passed over.

The worker runs the jobs of the steps itself, one after the other, so that one worker process is enough and a worker that
dies half-way is followed by one that goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from typing import Any

import pyarrow.csv as pacsv
from django.conf import settings

from console import jobs, storage
from console.errors import JobError
from console.jobs import Claim
from console.models import (
    Account,
    Campaign,
    Dataset,
    DatasetGroup,
    DatasetImportJob,
    Job,
    SampleLoad,
    Schema,
    Solution,
    SolutionVersion,
    Status,
)
from console.operations.base import call_by_wire_names
from console.runners import RUNNERS
from console.samples.movielens import MOVIELENS_100K
from console.samples.plan import Sample, SampleCampaign, SampleDataset
from console.samples.streaming import STREAMING_DEMO

SAMPLES = {sample.name: sample for sample in (MOVIELENS_100K, STREAMING_DEMO)}
ROLE = "arn:aws:iam::000000000000:role/sample"
RECIPE_ARN = "arn:aws:personalize:::recipe/"
QUICK = {"algorithmHyperParameters": {"mode": "quick"}}  # seconds instead of minutes
NETWORK = "aws-user-personalization"
SHORT, LONG = 1, 15  # how long steps take beside each other: an import or closed forms, a network


def run(held: Claim) -> None:
    """Load the sample that the claimed row names."""
    row = SampleLoad.objects.select_related("account").get(pk=held.row.pk)
    sample = SAMPLES[row.name]
    group = _group(row.account, sample)
    SampleLoad.objects.filter(pk=row.pk).update(dataset_group=group)
    tables = sample.datasets(settings.DATA_DIR / "cache", lambda message: held.report("preparing", message=message))
    shares = _shares(sample, len(tables))
    for table in tables:
        held.report("importing", next(shares), message=f"importing {table.type}: {table.rows.num_rows} rows")
        _import(held, group, table)
    for name, recipe in sample.solutions.items():
        share = next(shares)
        held.report("training", share, message=f"training {name} with {recipe}")
        _train(held, group, name, recipe, is_fast=name in sample.fast)
        for campaign in sample.campaigns:
            if made := _deploy(group, campaign):
                held.report("training", share, message=made)
    if missing := [
        campaign.solution for campaign in sample.campaigns if _newest(group.account, campaign.solution) is None
    ]:
        raise JobError(f"These solutions have no active version to put up: {', '.join(missing)}.")
    held.finish()


def _shares(sample: Sample, tables: int) -> Iterator[float]:
    """How much of all is done when each step begins, imports first."""
    trained = (
        LONG if recipe == NETWORK and name not in sample.fast else SHORT for name, recipe in sample.solutions.items()
    )
    took = [SHORT] * tables + list(trained)
    return (done / sum(took) for done in accumulate(took, initial=0))


def _call(account: Account, operation: str, **members: Any) -> dict[str, Any]:
    return call_by_wire_names(operation, account, members)


def _group(account: Account, sample: Sample) -> DatasetGroup:
    found: DatasetGroup | None = DatasetGroup.objects.for_account(account).filter(name=sample.name).first()
    if found is None:
        _call(account, "CreateDatasetGroup", name=sample.name)
        found = DatasetGroup.objects.for_account(account).get(name=sample.name)
    return found


def _import(held: Claim, group: DatasetGroup, table: SampleDataset) -> None:
    account, name = group.account, f"{group.name}-{table.type.lower()}"
    dataset = _dataset(group, name, table)
    job = DatasetImportJob.objects.for_account(account).filter(name=name).first()
    if job is None:
        location = storage.Location("uploads", f"{account.number}/samples/{group.name}/{table.type.lower()}.csv")
        with storage.open_write(location) as file:
            pacsv.write_csv(table.rows, file)
        source = {"dataLocation": str(location)}
        _call(account, "CreateDatasetImportJob", jobName=name, datasetArn=dataset.arn, dataSource=source, roleArn=ROLE)
        job = DatasetImportJob.objects.for_account(account).get(name=name)
    _run_to_end(held, job)


def _dataset(group: DatasetGroup, name: str, table: SampleDataset) -> Dataset:
    found = group.datasets.filter(type=table.type.upper()).first()
    if found is None:
        schema = Schema.objects.for_account(group.account).filter(name=name).first()
        if schema is None:
            _call(group.account, "CreateSchema", name=name, schema=table.schema_text())
            schema = Schema.objects.for_account(group.account).get(name=name)
        members = {"name": name, "datasetType": table.type, "datasetGroupArn": group.arn, "schemaArn": schema.arn}
        _call(group.account, "CreateDataset", **members)
        found = group.datasets.get(type=table.type.upper())
    return found


def _train(held: Claim, group: DatasetGroup, name: str, recipe: str, *, is_fast: bool) -> None:
    account = group.account
    solution = Solution.objects.for_account(account).filter(name=name).first()
    if solution is None:
        members: dict[str, Any] = {"name": name, "datasetGroupArn": group.arn, "recipeArn": RECIPE_ARN + recipe}
        members |= {"solutionConfig": QUICK} if is_fast else {}
        _call(account, "CreateSolution", performAutoTraining=False, **members)
        solution = Solution.objects.for_account(account).get(name=name)
    version = solution.versions.exclude(status__in=SolutionVersion.RETRIABLE).first()
    if version is None:
        _call(account, "CreateSolutionVersion", solutionArn=solution.arn)
        version = solution.versions.get(status=SolutionVersion.waiting)
    _run_to_end(held, version)


def _deploy(group: DatasetGroup, planned: SampleCampaign) -> str:
    """Put up the best that is trained so far; what was done in words, nothing where all stands already."""
    account = group.account
    version = _newest(account, planned.solution) or _newest(account, planned.until)
    if version is None:
        return ""
    campaign = Campaign.objects.for_account(account).filter(name=planned.name).first()
    if campaign is None:
        members = {"campaignConfig": planned.config} if planned.config else {}
        _call(
            account, "CreateCampaign", name=planned.name, solutionVersionArn=version.arn, minProvisionedTPS=1, **members
        )
        return f"{planned.name} answers requests with {version.arn_name}"
    serves = campaign.solution_version.solution.name
    if serves == version.solution.name or serves != planned.until:  # a person may have chosen another since
        return ""
    _call(account, "UpdateCampaign", campaignArn=campaign.arn, solutionVersionArn=version.arn)
    return f"{planned.name} answers with {version.arn_name} from now on"


def _newest(account: Account, solution: str) -> SolutionVersion | None:
    rows = SolutionVersion.objects.filter(solution__account=account, solution__name=solution, status=Status.ACTIVE)
    found: SolutionVersion | None = rows.select_related("solution", "account").order_by("-created").first()
    return found


def _run_to_end(held: Claim, row: Job) -> None:
    """Run a step's job here, or wait for the worker that has it."""
    label = type(row).__name__
    while True:
        claim = jobs.claim(label, row.pk)
        if claim is not None:
            with jobs.running(claim):
                RUNNERS[label](claim)
        row.refresh_from_db()
        if not row.is_unfinished:
            break
        held.check()
        jobs.wait_a_moment()
    if row.status != row.done:
        raise JobError(f"{row.name} ended {row.status}: {row.failure_reason}")
