"""Damaged rows of a dataset: each job that reads them fails in a sentence, and none copies, counts or learns from them."""

from __future__ import annotations

import pytest

from console import storage
from console.models import JOBS, Dataset
from tests.factories import ROLE, call, events_csv, make_dataset, put_object

OUTPUT = {"s3DataDestination": {"path": "s3://data/out/"}}


def train(account, dataset):
    solution = call(
        "CreateSolution", account, name="s", dataset_group_arn=dataset.dataset_group.arn,
        recipe_arn="arn:aws:personalize:::recipe/aws-popularity-count", perform_auto_training=False,
    )["solutionArn"]  # fmt: skip
    call("CreateSolutionVersion", account, solution_arn=solution)


def export(account, dataset):
    call(
        "CreateDatasetExportJob", account, job_name="x", dataset_arn=dataset.arn, role_arn=ROLE, job_output=OUTPUT,
        ingestion_mode="ALL",
    )  # fmt: skip


def look(account, dataset):
    call("CreateDataInsightsJob", account, dataset_group_arn=dataset.dataset_group.arn, job_name="x")


def delete(account, dataset):
    source = {"dataLocation": put_object("gone.csv", "USER_ID\nu1\n")}
    group = dataset.dataset_group.arn
    call("CreateDataDeletionJob", account, dataset_group_arn=group, job_name="x", data_source=source, role_arn=ROLE)


def append(account, dataset):
    source = {"dataLocation": put_object("more.csv", events_csv(10, first=5000))}
    call(
        "CreateDatasetImportJob", account, dataset_arn=dataset.arn, job_name="x", data_source=source, role_arn=ROLE,
        import_mode="INCREMENTAL",
    )  # fmt: skip


@pytest.mark.parametrize("ask", [train, export, look, delete, append])
def test_a_job_that_meets_them_says_so_and_changes_nothing(account, load, run_jobs, ask):
    arn = make_dataset(account)
    load(arn, events_csv(2000))
    dataset = Dataset.objects.by_arn(account, arn)
    part = storage.local_folder(dataset.parts[0].rpartition("/")[0]) / dataset.parts[0].rpartition("/")[2]
    part.chmod(0o600)
    content = bytearray(part.read_bytes())
    content[len(content) // 3] ^= 1
    part.write_bytes(content)
    ask(account, dataset)
    run_jobs()
    failed = [row for model in JOBS.values() for row in model.objects.all() if row.failure_reason]
    assert len(failed) == 1
    assert "damaged: could not verify page integrity" in failed[0].failure_reason
    assert failed[0].failure_reason.endswith("Import its data again.")
    assert Dataset.objects.by_arn(account, arn).parts == dataset.parts
    assert storage.list_objects(storage.Location("data", "out/")) == []
