"""What one account brought to the server, no other account can name."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

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
