"""The same import, export and deletion when buckets and the store are a real S3."""

from __future__ import annotations

import boto3
import pytest
from moto.server import ThreadedMotoServer

from console.models import Dataset, DatasetExportJob
from console.operations.data.export_jobs import create_dataset_export_job
from console.storage.s3 import client as s3_client
from tests.factories import ROLE, events_csv, make_dataset, put_object, rows_of


@pytest.fixture(autouse=True)
def s3(settings, monkeypatch):
    server = ThreadedMotoServer(port=0)
    server.start()
    host, port = server.get_host_and_port()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    settings.AWS_ENDPOINT_URL_S3 = f"http://{host}:{port}"
    settings.STORAGE_URL = "s3://own/store"
    s3_client.cache_clear()
    client = boto3.client("s3", endpoint_url=settings.AWS_ENDPOINT_URL_S3)
    for bucket in ("own", "data"):
        client.create_bucket(Bucket=bucket)
    yield client
    server.stop()
    s3_client.cache_clear()


def keys(s3, bucket):
    return [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]


def test_it_works(account, s3, load, run_jobs, forget, settings):
    arn = make_dataset(account)

    job = load(arn, events_csv(50) + "u1,i1,click,never\n")
    assert (job.status, job.failure_reason) == ("ACTIVE", None)
    assert keys(s3, "own") == [
        f"store/datasets/{job.dataset_id}/{job.pk}-1/part-00000.parquet",
        f"store/imports/{job.pk}/rejects.csv",
    ]
    assert len(rows_of(arn, account)) == 50

    output = {"s3DataDestination": {"path": "s3://data/out"}}
    create_dataset_export_job(
        account, job_name="out", dataset_arn=arn, role_arn=ROLE, job_output=output, ingestion_mode="BULK"
    )
    run_jobs()
    assert DatasetExportJob.objects.get().status == "ACTIVE"
    assert "out/out-00000.csv" in keys(s3, "data")

    assert forget(put_object("gone.csv", "USER_ID\nu1\n")).num_deleted == 1
    [part] = Dataset.objects.get().parts
    assert [key for key in keys(s3, "own") if "datasets" in key] == [f"store/{part}"]
    assert "u1" not in {row["USER_ID"] for row in rows_of(arn, account)}
    cached = list((settings.DATA_DIR / "cache").rglob("*.parquet"))
    assert [path.relative_to(settings.DATA_DIR / "cache").as_posix() for path in cached] == [part]
