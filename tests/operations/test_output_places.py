"""Where operations may have something written: into folders, never below an object."""

from __future__ import annotations

import pytest

from console.errors import InvalidInputException
from console.models import Dataset
from tests.factories import ROLE, call, events_csv, make_dataset, make_version, put_object

READ = {"s3DataSource": {"path": "s3://data/in.json"}}


@pytest.fixture
def world(account):
    dataset = make_dataset(account)
    group = Dataset.objects.by_arn(account, dataset).dataset_group
    versions = [make_version(group, recipe) for recipe in ("aws-user-personalization", "aws-item-affinity")]
    return dataset, group.arn, *versions


def members(world, path):
    """What each operation that names an output is called with."""
    dataset, group, version, segments = world
    output = {"s3DataDestination": {"path": path}}
    metrics = [{"eventType": "click", "metricName": "views", "expression": "SAMPLECOUNT()"}]
    batch = {"job_name": "out", "job_input": READ, "job_output": output, "role_arn": ROLE}
    return {
        "CreateDatasetExportJob": {"job_name": "out", "dataset_arn": dataset, "role_arn": ROLE, "job_output": output},
        "CreateBatchInferenceJob": batch | {"solution_version_arn": version},
        "CreateBatchSegmentJob": batch | {"solution_version_arn": segments},
        "CreateMetricAttribution": {
            "name": "out",
            "dataset_group_arn": group,
            "metrics": metrics,
            "metrics_output_config": {"roleArn": ROLE} | output,
        },
    }


@pytest.mark.parametrize("path", ["s3://data/my file.csv", "s3://data/my file.csv/", "s3://data/my file.csv/deep/er/"])
def test_nothing_is_written_below_an_object(account, world, path):
    put_object("my file.csv", events_csv(3))

    for operation, given in members(world, path).items():
        with pytest.raises(InvalidInputException, match=r"s3://data/my file\.csv is an object") as caught:
            call(operation, account, **given)
        assert caught.value.field in {"jobOutput", "metricsOutputConfig"}, operation


def test_a_folder_that_is_there_or_not_is_written_to(account, world):
    put_object("there/file.csv", events_csv(3))

    for path in ("s3://data/there", "s3://data/there/", "s3://data/new/deep", "s3://fresh"):
        call(
            "CreateDatasetExportJob",
            account,
            **members(world, path)["CreateDatasetExportJob"] | {"job_name": f"o{len(path)}"},
        )
