"""Inputs of batch jobs that are written for people, and their answers read again with titles."""

from __future__ import annotations

import json

import pytest

from console import storage
from console.errors import InvalidInputException, ResourceInUseException, ResourceNotFoundException
from console.models import BatchInferenceJob, BatchSegmentJob
from console.serving.batch_results import rows_of
from tests.factories import call, make_version, trained
from tests.worlds import films


def written(path):
    with storage.open_read(storage.parse_location(path)) as file:
        return [json.loads(line) for line in file]


def started(account, version, made, name="all", operation="CreateBatchInferenceJob", **more):
    return call(
        operation, account, job_name=name, solution_version_arn=version, role_arn="arn:aws:iam::000000000000:role/r",
        job_input={"s3DataSource": {"path": made["path"]}},
        job_output={"s3DataDestination": {"path": f"s3://results/{name}/"}}, **more,
    )  # fmt: skip


@pytest.fixture
def version(account, run_jobs):
    return trained(account, run_jobs, films(account, users=45), "aws-user-personalization")


def test_everybody_gets_a_list_with_titles(account, run_jobs, version):
    made = call("CreateBatchInput", account, solution_version_arn=version)
    assert made["lines"] == 45
    assert written(made["path"])[0] == {"userId": "u0"}
    arn = started(account, version, made, num_results=5)["batchInferenceJobArn"]
    with pytest.raises(ResourceInUseException, match="CREATE PENDING"):
        call("GetBatchResults", account, batch_inference_job_arn=arn)
    run_jobs()
    first = call("GetBatchResults", account, batch_inference_job_arn=arn, max_results=20)
    assert (first["lines"], first["errors"], len(first["results"])) == (45, 0, 20)
    assert first["results"][0]["askedFor"] == "u0"
    assert len(first["results"][0]["items"]) == 5
    assert first["results"][0]["items"][0]["title"].startswith("Film number")
    rest = call("GetBatchResults", account, batch_inference_job_arn=arn, max_results=30, next_token=first["nextToken"])
    assert [one["askedFor"] for one in (*first["results"], *rest["results"])] == [f"u{n}" for n in range(45)]
    assert "nextToken" not in rest
    rows = list(rows_of(BatchInferenceJob.objects.get()))
    assert len(rows) == 225
    name, rank, item, title, score, error = rows[0]
    assert (name, rank, title, error) == ("u0", 1, f"Film number {item[1:]}", None)
    assert score > 0


def test_some_users_and_unknown_tokens(account, run_jobs, version):
    made = call("CreateBatchInput", account, solution_version_arn=version, entries=["u3", "u7", "u3"])
    assert written(made["path"]) == [{"userId": "u3"}, {"userId": "u7"}]
    arn = started(account, version, made)["batchInferenceJobArn"]
    run_jobs()
    for token in ("x", "1", "0-", "0-1-2", "0-7"):
        with pytest.raises(InvalidInputException, match="nextToken"):
            call("GetBatchResults", account, batch_inference_job_arn=arn, next_token=token)
    assert call("GetBatchResults", account, batch_inference_job_arn=arn, next_token="7-0")["results"] == []


def test_lines_that_cannot_be_answered_say_why(account, run_jobs, version):
    call(
        "CreateFilter",
        account,
        name="by",
        dataset_group_arn=_group(version, account),
        filter_expression="INCLUDE ItemID WHERE Items.GENRES IN ($GENRE)",
    )
    [row] = call("ListFilters", account)["Filters"]
    made = call(
        "CreateBatchInput", account, solution_version_arn=version, entries=["u1"], filter_values={"GENRE": '"Drama"'}
    )
    assert written(made["path"]) == [{"userId": "u1", "filterValues": {"GENRE": '"Drama"'}}]
    arn = started(account, version, made, name="drama", filter_arn=row["filterArn"])["batchInferenceJobArn"]
    run_jobs()
    [one] = call("GetBatchResults", account, batch_inference_job_arn=arn)["results"]
    assert all("Drama" in item["subtitle"] for item in one["items"])
    assert all("error" not in each for each in call("GetBatchResults", account, batch_inference_job_arn=arn)["results"])


def _group(version, account):
    solution = call("DescribeSolutionVersion", account, solution_version_arn=version)["solutionVersion"]["solutionArn"]
    return call("DescribeSolution", account, solution_arn=solution)["solution"]["datasetGroupArn"]


def test_related_items_are_for_every_item(account, run_jobs):
    version = trained(account, run_jobs, films(account), "aws-similar-items")
    made = call("CreateBatchInput", account, solution_version_arn=version)
    assert made["lines"] == 80
    assert sorted(line["itemId"] for line in written(made["path"])) == sorted(f"i{n}" for n in range(80))
    with pytest.raises(InvalidInputException, match=r"relates items to an item, and none of the ids is an item .* u3"):
        call("CreateBatchInput", account, solution_version_arn=version, entries=["u3", "u4"])
    made = call("CreateBatchInput", account, solution_version_arn=version, entries=["i3", "nothing"])
    arn = started(account, version, made)["batchInferenceJobArn"]
    run_jobs()
    known, unknown = call("GetBatchResults", account, batch_inference_job_arn=arn)["results"]
    assert known["warnings"] == []
    assert unknown["warnings"] == [
        'The model knows nothing that goes with the item "nothing"; popular items are listed.'
    ]


def test_rankings_need_the_items_to_rank(account):
    version = make_version(films(account), "aws-personalized-ranking")
    with pytest.raises(InvalidInputException, match="puts items in order"):
        call("CreateBatchInput", account, solution_version_arn=version)
    made = call("CreateBatchInput", account, solution_version_arn=version, entries=["u0"], item_list=["i1", "i2"])
    assert written(made["path"])[0] == {"userId": "u0", "itemList": ["i1", "i2"]}


def test_segments_need_items_and_list_users(account, run_jobs):
    version = trained(account, run_jobs, films(account), "aws-item-affinity")
    with pytest.raises(InvalidInputException, match="Name the items"):
        call("CreateBatchInput", account, solution_version_arn=version)
    made = call("CreateBatchInput", account, solution_version_arn=version, entries=["i1", "nothing"])
    arn = started(account, version, made, operation="CreateBatchSegmentJob", num_results=12)["batchSegmentJobArn"]
    run_jobs()
    told = call("GetBatchResults", account, batch_segment_job_arn=arn)
    good, bad = told["results"]
    assert (good["count"], len(good["users"]), good["item"]["title"]) == (12, 10, "Film number 1")
    assert "was not in the training data" in bad["error"]
    rows = list(rows_of(BatchSegmentJob.objects.get()))
    assert [row[1] for row in rows] == [*range(1, 13), None]
    assert rows[-1][5] == bad["error"]


def test_nothing_of_another_account_is_read_or_written(account, other_account, run_jobs, version):
    with pytest.raises(ResourceNotFoundException):
        call("CreateBatchInput", other_account, solution_version_arn=version)
    arn = started(account, version, call("CreateBatchInput", account, solution_version_arn=version))[
        "batchInferenceJobArn"
    ]
    run_jobs()
    with pytest.raises(ResourceNotFoundException):
        call("GetBatchResults", other_account, batch_inference_job_arn=arn)
