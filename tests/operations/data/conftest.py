"""A file of interactions under any names, brought in as it is guessed."""

from __future__ import annotations

import pyarrow.parquet as pq
import pytest

from console.ingest import parts
from console.models import Dataset, DatasetImportJob
from console.operations.data.dataset_groups import create_dataset_group
from console.operations.data.files import create_dataset_from_file
from tests.factories import put_object

TIMES = {
    "s": str,
    "ms": lambda t: str(t * 1000),
    "iso": lambda t: f"2023-11-{14 + t % 10:02}T{t % 24:02}:13:20Z",
    "%d/%m/%Y %H:%M": lambda t: f"{14 + t % 10:02}/11/2023 {t % 24:02}:13",
}


def text(header, delimiter=",", number=60, unit="s"):
    """Interactions under any names, delimiter and way to write times."""
    write = TIMES[unit]
    rows = [[f"u{n % 7}", f"i{n % 11}", write(1_700_000_000 + n), str(n % 5 + 1), '"a, b"'] for n in range(number)]
    return "\n".join(delimiter.join(row) for row in [header, *rows]) + "\n"


@pytest.fixture
def group(account):
    return create_dataset_group(account, name="films")["datasetGroupArn"]


@pytest.fixture
def bring(account, group, run_jobs):
    """Import a file as it is guessed; returns the job's row and the dataset's rows."""

    def bring(content, **members):
        url = content if str(content).startswith("s3://") else put_object("file.csv", content)
        made = create_dataset_from_file(account, dataset_group_arn=group, data_location=url, **members)
        run_jobs()
        dataset = Dataset.objects.by_arn(account, made["datasetArn"])
        rows = [row for key in dataset.parts for row in pq.read_table(parts.local_path(key)).to_pylist()]
        return DatasetImportJob.objects.by_arn(account, made["datasetImportJobArn"]), rows

    return bring


def names(preview):
    return {column["source"]: column["name"] for column in preview["columns"] if column["include"]}
