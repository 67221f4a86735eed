"""What one account brought to the server, no other account can name."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from console.models import DatasetExportJob
from console.storage import parse_location
from console.tenancy import hold
from tests.operations.worlds import dataset


@pytest.mark.parametrize("spelling", ["uploads", "Uploads"])
def test_another_accounts_uploads_are_refused(alice, caller, account, other_account, spelling):
    sent = alice.post("/api/v1/uploads/", {"file": SimpleUploadedFile("users.csv", b"USER_ID,AGE\nu1,3\n")}).json()
    location = sent["location"].replace("uploads", spelling)
    table = dataset(other_account, "USERS")
    charlie = caller(other_account)
    imported = {"jobName": "j", "datasetArn": table.arn, "dataSource": {"dataLocation": location}}
    for path, body in (
        ("dataset-import-jobs/", imported),
        ("operations/PreviewData/", {"dataLocation": location}),
        ("operations/CreateDatasetFromFile/", {"dataLocation": location, "datasetGroupArn": table.dataset_group.arn}),
    ):
        answer = charlie.post(f"/api/v1/{path}", body, format="json")
        assert answer.status_code == 400, path
        assert "Access denied" in answer.json()["message"], path


def test_the_servers_own_store_is_refused(alice, account):
    table = dataset(account, "USERS")
    for location in (
        "s3://store/parts/",
        "s3://work/../../store/x",
        "file:///etc/passwd",
        "http://127.0.0.1/x",
        "s3://[",
    ):
        body = {"jobName": "j", "datasetArn": table.arn, "dataSource": {"dataLocation": location}}
        answer = alice.post("/api/v1/dataset-import-jobs/", body, format="json")
        assert answer.status_code == 400, location


def test_what_anothers_jobs_write_is_refused(alice, caller, account, other_account):
    table, theirs = dataset(account, "ITEMS"), dataset(other_account, "USERS")
    hold(parse_location("s3://shared/"), None)
    hold(parse_location("s3://shared/of-alice/"), account)
    export = {"jobName": "j", "datasetArn": table.arn, "roleArn": "arn:aws:iam::000000000001:role/r"}
    written = {"jobOutput": {"s3DataDestination": {"path": "s3://shared/of-alice/"}}}
    assert alice.post("/api/v1/dataset-export-jobs/", export | written, format="json").status_code == 201
    charlie = caller(other_account)
    for location, is_refused in {
        "s3://shared/of-alice/": True,
        "s3://shared/of-alice": True,
        "s3://shared/Of-Alice/items.csv": True,
        "s3://shared/of-alice/deep/items.csv": True,
        "s3://shared/of-alice-and-others/": False,
        "s3://shared/": True,
    }.items():
        body = {"jobName": "j", "datasetArn": theirs.arn, "dataSource": {"dataLocation": location}}
        for path in ("dataset-import-jobs/", "operations/PreviewData/"):
            answer = charlie.post(
                f"/api/v1/{path}", body if "import" in path else {"dataLocation": location}, format="json"
            )
            assert ("Access denied" in answer.text) is is_refused, (path, location)
        answer = charlie.post(
            "/api/v1/dataset-export-jobs/",
            export | {"jobName": "e", "datasetArn": theirs.arn, "jobOutput": {"s3DataDestination": {"path": location}}},
            format="json",
        )
        assert ("Access denied" in answer.text) is is_refused, location
        DatasetExportJob.objects.filter(account=other_account).delete()
    again = alice.post("/api/v1/dataset-export-jobs/", export | written | {"jobName": "k"}, format="json")
    assert again.status_code == 201
