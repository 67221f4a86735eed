"""Locations belong to accounts: every operation that takes one refuses what is another account's, however it is written."""

from __future__ import annotations

import io

import pytest
from botocore.model import Shape
from django.core.management import CommandError, call_command

from console import operations, storage  # noqa: F401
from console.errors import InvalidInputException
from console.models import DatasetExportJob, Holding
from console.operations.base import OPERATIONS, call_by_wire_names
from console.shapes import OPERATION_MODELS
from console.tenancy import location_for
from tests.factories import trained
from tests.worlds import films

METRICS = [{"eventType": "watch", "metricName": "watched", "expression": "SAMPLECOUNT()"}]
ROLE = "arn:aws:iam::000000000001:role/any"


def put(url: str, text: str = "USER_ID\nu1\n") -> None:
    with storage.open_write(storage.parse_location(url)) as file:
        file.write(text.encode())


def location_members(shape: Shape | None, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if shape is None:
        return []
    if shape.type_name == "structure" and len(path) < 6:
        return [found for name, member in shape.members.items() for found in location_members(member, (*path, name))]
    is_location = shape.type_name == "string" and (shape.name.endswith("Location") or path[-1].endswith("ocation"))
    return [path] if is_location else []


@pytest.fixture
def requests(other_account, run_jobs):
    """A request of charlie's for each operation that takes a location, with the place of the location in it."""
    group = films(other_account)
    version = trained(other_account, run_jobs, group, "aws-sims")
    segments = trained(other_account, run_jobs, group, "aws-item-affinity")
    dataset = group.datasets.get(type="INTERACTIONS").arn
    made = call_by_wire_names(
        "CreateMetricAttribution", other_account,
        {"name": "m", "datasetGroupArn": group.arn, "metrics": METRICS, "metricsOutputConfig": {"roleArn": ROLE}},
    )["metricAttributionArn"]  # fmt: skip
    OPERATIONS["CreateDatasetGroup"](other_account, name="empty")
    put("s3://own-of-charlie/in/a.json", '{"itemId": "i1"}\n')

    def batch(arn: str, read: str, written: str) -> dict:
        return {
            "jobName": "b", "solutionVersionArn": arn, "roleArn": ROLE, "jobInput": {"s3DataSource": {"path": read}},
            "jobOutput": {"s3DataDestination": {"path": written}},
        }  # fmt: skip

    own, out = "s3://own-of-charlie/in/", "s3://own-of-charlie/out/"
    output = {"s3DataDestination": {"path": None}}
    return {
        ("CreateBatchInferenceJob", "jobInput"): lambda url: batch(version, url, out),
        ("CreateBatchInferenceJob", "jobOutput"): lambda url: batch(version, own, url),
        ("CreateBatchSegmentJob", "jobInput"): lambda url: batch(segments, url, out),
        ("CreateBatchSegmentJob", "jobOutput"): lambda url: batch(segments, own, url),
        ("CreateDataDeletionJob", "dataSource"): lambda url: {
            "jobName": "d", "datasetGroupArn": group.arn, "roleArn": ROLE, "dataSource": {"dataLocation": url}},
        ("CreateDatasetExportJob", "jobOutput"): lambda url: {
            "jobName": "e", "datasetArn": dataset, "roleArn": ROLE, "jobOutput": {"s3DataDestination": {"path": url}}},
        ("CreateDatasetFromFile", "dataLocation"): lambda url: {"datasetGroupArn": group.arn, "dataLocation": url},
        ("CreateDatasetImportJob", "dataSource"): lambda url: {
            "jobName": "i", "datasetArn": dataset, "roleArn": ROLE, "dataSource": {"dataLocation": url}},
        ("CreateMetricAttribution", "metricsOutputConfig"): lambda url: {
            "name": "m2", "datasetGroupArn": group.arn.replace("films", "empty"), "metrics": METRICS,
            "metricsOutputConfig": {"roleArn": ROLE, "s3DataDestination": output["s3DataDestination"] | {"path": url}}},
        ("UpdateMetricAttribution", "metricsOutputConfig"): lambda url: {
            "metricAttributionArn": made, "metricsOutputConfig": {"roleArn": ROLE, "s3DataDestination": {"path": url}}},
        ("PreviewData", "dataLocation"): lambda url: {"dataLocation": url},
    }  # fmt: skip


def test_no_operation_takes_another_accounts_location(account, other_account, requests):
    known = {
        (name, path[0]) for name, model in OPERATION_MODELS.items() for path in location_members(model.input_shape)
    }
    assert known == requests.keys()
    put("s3://victim/exports/x.csv")
    location_for(account, "s3://victim/exports/")
    told = {}
    for (name, member), request in requests.items():
        for url in ("s3://victim/exports/x.csv", "s3://victim/exports/", "s3://VICTIM/exports/x.csv", "s3://victim/"):
            with pytest.raises(InvalidInputException) as caught:
                call_by_wire_names(name, other_account, request(url))
            told[name, member, url] = str(caught.value)
    assert {key: text for key, text in told.items() if "Access denied" not in text} == {}


@pytest.mark.parametrize(
    "url",
    ["s3://victim/./exports/x.csv", "s3://victim/exports/../exports/x.csv", "s3://victim/exports//x.csv",
     "s3://victim//exports/x.csv", "s3://./victim/exports/x.csv", "s3://a@victim/exports/x.csv", "s3://victim/exports/.",
     "s3://victim/exports/x.csv\x00", "s3://victim/exports\\x.csv", "s3://vic tim/x"],
)  # fmt: skip
def test_a_key_has_one_spelling(url):
    with pytest.raises(InvalidInputException, match="Invalid Data location"):
        storage.parse_location(url)


@pytest.mark.parametrize(
    "url",
    ["https://victim.s3.amazonaws.com/exp%6Frts/x.csv", "s3://Victim/EXPORTS/x.csv", "s3://victim/\uff45xports/x.csv"],
)
def test_other_spellings_of_a_place_are_the_same_place(account, other_account, url):
    location_for(account, "s3://victim/exports/")
    with pytest.raises(InvalidInputException, match="Access denied"):
        location_for(other_account, url)


@pytest.mark.parametrize(
    "url",
    [
        "s3://company",
        "s3://company/",
        "s3://company/OP",
        "s3://company/op/",
        "s3://company/op/in/x",
        "s3://company/op/in/store/a",
    ],
)
def test_the_servers_own_is_nobodys_and_neither_is_a_folder_around_it(account, settings, url):
    settings.STORAGE_URL = "s3://company/op/in"
    with pytest.raises(InvalidInputException, match="is the server's own"):
        location_for(account, url)
    assert not Holding.objects.exists()
    location_for(account, "s3://company/op/out/"), location_for(account, "s3://company/o/x.csv")


def test_a_bucket_belongs_to_who_used_it_first_and_folders_to_whom_they_are_given(account, other_account, settings):
    location_for(account, "s3://first/a.csv")
    with pytest.raises(InvalidInputException, match="belongs to another account"):
        location_for(other_account, "s3://first/b/c.csv")
    call_command("hold_location", "s3://first/b/", "--account", "charlie", stdout=io.StringIO())
    location_for(other_account, "s3://first/b/c.csv")
    for whole in ("s3://first/", "s3://first/b/"):
        with pytest.raises(InvalidInputException, match="belongs to another account"):
            location_for(account, whole)
    call_command("hold_location", "s3://both/", "--shared", stdout=io.StringIO())
    location_for(account, "s3://both/x"), location_for(other_account, "s3://both/x")
    settings.CLAIM_BUCKETS = False
    with pytest.raises(InvalidInputException, match="belongs to another account"):
        location_for(account, "s3://nobodys/x")
    assert not Holding.objects.filter(bucket="nobodys").exists()


def test_the_command_refuses_what_is_no_folder_or_account(account):
    for location, name in (("s3://first/file", "alice"), ("s3://first/", "nobody"), ("file:///x", "alice")):
        with pytest.raises(CommandError):
            call_command("hold_location", location, "--account", name)
    call_command("hold_location", "s3://first/", "--account", "alice", stdout=io.StringIO())
    call_command("hold_location", "s3://first/", "--free", stdout=io.StringIO())
    assert not Holding.objects.exists()


def test_an_export_page_lists_what_the_job_wrote_and_nothing_else(other_account, run_jobs, charlie):
    dataset = films(other_account).datasets.get(type="USERS").arn
    put("s3://mine/out/private.csv", "not of the job")
    OPERATIONS["CreateDatasetExportJob"](
        other_account, job_name="e", dataset_arn=dataset, role_arn=ROLE,
        job_output={"s3DataDestination": {"path": "s3://mine/out/"}},
    )  # fmt: skip
    run_jobs()
    assert DatasetExportJob.objects.get().status == "ACTIVE"
    page = charlie.get("/dataset-export-jobs/e/").text
    assert "e-00000.csv" in page
    assert "private.csv" not in page
    assert charlie.get("/dataset-export-jobs/e/results/private.csv").status_code == 404
