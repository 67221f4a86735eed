"""After a deletion job nothing that the server keeps names the person: every file of DATA_DIR, the database and the broker are searched."""

from __future__ import annotations

import json
import time

import pytest
from django.db import connection
from django.utils import timezone

from console import alerts, storage, tasks
from console.models import (
    JOBS,
    Alert,
    BatchInferenceJob,
    DataDeletionJob,
    DatasetGroup,
    DatasetImportJob,
    Event,
    Experiment,
    ExperimentUser,
    Record,
    SampleLoad,
    SolutionVersion,
)
from console.operations.base import OPERATIONS
from console.runners import scratch_files
from console.scratch import scratch_folder, sweep
from console.serving import traffic
from tests.factories import trained
from tests.worlds import dataset, films

ROLE = "arn:aws:iam::000000000001:role/any"
PERSON = "person-to-be-forgotten"


@pytest.fixture(autouse=True)
def _own_places(settings, tmp_path, broker, monkeypatch):
    settings.DATA_DIR = tmp_path
    settings.REDIS_URL = f"unix://{broker.connection_pool.connection_kwargs['path']}"
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": settings.REDIS_URL}}
    traffic._client.cache_clear()
    monkeypatch.setattr(traffic, "METER", traffic.Meter())
    yield
    traffic._client.cache_clear()
    broker.flushall()


@pytest.fixture
def places(tmp_path, broker):
    """Where the person is named: files but those that people keep in buckets of their own, tables, keys of the broker."""

    def search() -> list[str]:
        wanted = PERSON.encode()
        files = [path for path in tmp_path.rglob("*") if path.is_file() and "buckets/data" not in str(path)]
        found = [str(path.relative_to(tmp_path)) for path in files if wanted in path.read_bytes()]
        with connection.cursor() as cursor:
            for table in connection.introspection.table_names(cursor):
                cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608  a table's name
                found += [table for row in cursor.fetchall() if PERSON in repr(row)][:1]
        for key in broker.scan_iter():
            read = broker.lrange(key, 0, -1) if broker.type(key) == b"list" else [broker.dump(key)]
            found += [key.decode() for value in read if wanted in value][:1]
        return found

    return search


@pytest.fixture
def group(account):
    """A group in which the person watches films of one genre."""
    found = films(account)
    table = found.datasets.get(type="INTERACTIONS")
    rows = {
        "USER_ID": [PERSON] * 30, "ITEM_ID": [f"i{4 * n}" for n in range(15)] * 2,
        "TIMESTAMP": [1_700_000_000 + n for n in range(30)], "EVENT_TYPE": ["watch"] * 30, "EVENT_VALUE": [1.0] * 30,
    }  # fmt: skip
    more = DatasetGroup.objects.create(account=account, name="more")
    part = dataset(more, "INTERACTIONS", rows)
    table.parts = [*table.parts, *part.parts]
    table.save()
    part.delete()
    return found


def put(url: str, text: str) -> str:
    with storage.open_write(storage.parse_location(url)) as file:
        file.write(text.encode())
    return url


def send(account, tmp_path, text: str) -> str:
    (tmp_path / "sent").write_text(text)
    return str(storage.keep_upload(account, tmp_path / "sent", "sent.csv"))


def use(account, group, run_jobs, tmp_path) -> None:
    """Leave the person's name wherever using the server leaves it."""
    version = trained(account, run_jobs, group, "aws-user-personalization")
    trained(account, run_jobs, group, "aws-item-affinity")
    campaign = OPERATIONS["CreateCampaign"](account, name="c", solution_version_arn=version)["campaignArn"]
    tracking = OPERATIONS["CreateEventTracker"](account, name="t", dataset_group_arn=group.arn)["trackingId"]
    event = {"eventType": "watch", "itemId": "i1", "sentAt": time.time()}
    OPERATIONS["PutEvents"](account, tracking_id=tracking, session_id="s", user_id=PERSON, event_list=[event])
    Record.objects.create(dataset=group.datasets.get(type="USERS"), entity_id=PERSON, values={"AGE": 1})
    OPERATIONS["GetRecommendations"](account, campaign_arn=campaign, user_id=PERSON)
    traffic.METER.flush()
    row = SolutionVersion.objects.get(solution__recipe="aws-user-personalization")
    experiment = Experiment.objects.create(
        account=account,
        name="e",
        campaign=row.campaigns.get(),
        treatment=row,
        traffic_share=50,
        salt="x",
        minimum_effect=0.05,
    )
    ExperimentUser.objects.create(experiment=experiment, user_id=PERSON, is_treatment=True, time=1)
    OPERATIONS["CreateDataInsightsJob"](account, job_name="look", dataset_group_arn=group.arn)
    sent = send(account, tmp_path, f"USER_ID,ITEM_ID,TIMESTAMP\n{PERSON},i1,yesterday\n" * 3)
    OPERATIONS["CreateDatasetImportJob"](
        account, job_name="bad", dataset_arn=group.datasets.get(type="INTERACTIONS").arn, role_arn=ROLE,
        data_source={"dataLocation": sent}, import_mode="INCREMENTAL",
    )  # fmt: skip
    send(account, tmp_path, f"USER_ID\n{PERSON}\n")  # and nothing was begun with it
    OPERATIONS["CreateBatchInferenceJob"](
        account, job_name="batch", solution_version_arn=version, role_arn=ROLE,
        job_input={"s3DataSource": {"path": send(account, tmp_path, json.dumps({"userId": PERSON}) + "\nno json")}},
        job_output={"s3DataDestination": {"path": "s3://data/out/"}},
    )  # fmt: skip
    run_jobs()
    told = {"failure_reason": f"Line 2 of the user {PERSON}: no time.", "traceback": f"KeyError: '{PERSON}'"}
    DatasetImportJob.objects.update(**told, status="CREATE FAILED", finished=timezone.now())
    list_of_users = f"USER_ID,MAIL\n,{PERSON}\n"
    OPERATIONS["CreateDataDeletionJob"](
        account, job_name="failed", dataset_group_arn=group.arn, role_arn=ROLE,
        data_source={"dataLocation": put("s3://data/list.csv", list_of_users)},
    )  # fmt: skip
    run_jobs()
    assert PERSON in DataDeletionJob.objects.get().failure_reason
    alerts.notice()
    alerts.compose(["webhook"])
    killed = tmp_path / "scratch" / "of-a-killed-process"
    killed.mkdir()
    (killed / "rows.csv").write_text(PERSON)


def test_nothing_names_who_was_forgotten(account, group, run_jobs, places, tmp_path):
    use(account, group, run_jobs, tmp_path)
    before = places()
    for expected in (
        "console_alert",
        "console_alertmessage",
        "console_datadeletionjob",
        "console_event",
        "console_record",
        "console_experimentuser",
        "scratch",
        "uploads",
        "artefacts",
        "traffic",
    ):
        assert any(expected in place for place in before), (expected, before)
    OPERATIONS["CreateDataDeletionJob"](
        account, job_name="forget", dataset_group_arn=group.arn, role_arn=ROLE,
        data_source={"dataLocation": send(account, tmp_path, f"USER_ID\n{PERSON}\n")},
    )  # fmt: skip
    run_jobs()
    job = DataDeletionJob.objects.get(name="forget")
    assert (job.status, job.failure_reason) == ("COMPLETED", None)
    assert places() == []
    assert Event.objects.count() == 0
    assert BatchInferenceJob.objects.count() == 1


def test_every_kind_of_job_that_may_quote_a_user_is_known():
    assert {kind for kind, _ in scratch_files.QUOTING} == set(JOBS.values()) - {SampleLoad}, "samples are public"


def test_alerts_about_jobs_of_other_groups_are_left(account, group, run_jobs, tmp_path):
    other = dataset(DatasetGroup.objects.create(account=account, name="other"), "USERS", {"USER_ID": ["u"]})
    for table in (group.datasets.get(type="USERS"), other):
        DatasetImportJob.objects.create(
            account=account, name=f"of-{table.dataset_group.name}", dataset=table, status="CREATE FAILED",
            finished=timezone.now(), failure_reason=f"Line 2 of {PERSON}.", data_location="s3://data/x.csv",
        )  # fmt: skip
    alerts.notice()
    scratch_files.remove(group, {PERSON})
    assert {"of-other" in alert.text: PERSON in alert.text for alert in Alert.objects.all()} == {
        True: True,
        False: False,
    }


def test_scratch_folders_in_use_are_left_alone(tmp_path, db):
    with scratch_folder() as used:
        (tmp_path / "scratch" / "killed").mkdir()
        tasks.empty_trash()
        assert [path.name for path in (tmp_path / "scratch").iterdir()] == [used.rpartition("/")[2]]
    assert sweep() == 0
