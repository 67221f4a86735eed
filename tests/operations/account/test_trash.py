"""What is deleted into the trash comes back whole, unless it cannot; what is given up is gone with its files."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from console import storage, tasks
from console.errors import (
    InvalidInputException,
    ResourceAlreadyExistsException,
    ResourceInUseException,
    ResourceNotFoundException,
)
from console.models import Campaign, Dataset, Event, Solution, SolutionVersion, Trash
from tests.factories import call, trained
from tests.worlds import films


@pytest.fixture
def group(account):
    return films(account)


def moved(account, arn) -> str:
    return call("MoveToTrash", account, resource_arn=arn)["trashId"]


def test_it_works(account, run_jobs, group, django_capture_on_commit_callbacks):
    version = trained(account, run_jobs, group, "aws-popularity-count")
    campaign = call("CreateCampaign", account, name="c", solution_version_arn=version)["campaignArn"]
    solution = version.rpartition("/")[0]
    with pytest.raises(ResourceInUseException):
        moved(account, solution)
    with django_capture_on_commit_callbacks(execute=True):
        first, second = moved(account, campaign), moved(account, solution)
    assert not Campaign.objects.exists()
    assert not SolutionVersion.objects.exists()
    assert [entry["name"] for entry in call("ListTrash", account)["trash"]] == [solution.rpartition("/")[2], "c"]
    with pytest.raises(ResourceInUseException, match="what it belongs to is gone"):
        call("RestoreFromTrash", account, trash_id=first)
    call("RestoreFromTrash", account, trash_id=second)
    call("RestoreFromTrash", account, trash_id=first)
    answer = call("GetRecommendations", account, campaign_arn=campaign, user_id="u1", num_results=5)
    assert len(answer["itemList"]) == 5
    assert call("ListTrash", account)["trash"] == []


def test_a_name_that_is_taken_is_said_so(account, group):
    made = call("CreateDatasetGroup", account, name="empty")["datasetGroupArn"]
    entry = moved(account, made)
    call("CreateDatasetGroup", account, name="empty")
    with pytest.raises(ResourceAlreadyExistsException, match="its name is taken"):
        call("RestoreFromTrash", account, trash_id=entry)
    assert Trash.objects.count() == 1


def test_a_dataset_comes_back_with_its_rows(account, group):
    dataset = group.datasets.get(type="INTERACTIONS")
    Event.objects.create(
        dataset_group=group,
        user_id="u1",
        item_id="i1",
        event_type="click",
        timestamp=1,
        session_id="s",
        is_action=False,
    )
    parts = list(dataset.parts)
    entry = moved(account, dataset.arn)
    assert not Event.objects.exists()
    call("RestoreFromTrash", account, trash_id=entry)
    assert Dataset.objects.get(type="INTERACTIONS").parts == parts
    assert Event.objects.count() == 1


def test_what_is_given_up_is_gone(account, run_jobs, group, django_capture_on_commit_callbacks):
    version = trained(account, run_jobs, group, "aws-popularity-count")
    key = SolutionVersion.objects.get().artefact
    entry = moved(account, version.rpartition("/")[0])
    assert (storage.local_folder(key) / "manifest.json").exists()
    with django_capture_on_commit_callbacks(execute=True):
        call("DeleteFromTrash", account, trash_id=entry)
    assert storage.list_objects(storage.store(f"{key}/"), "", recursive=True) == []
    with pytest.raises(ResourceNotFoundException):
        call("RestoreFromTrash", account, trash_id=entry)
    assert not Solution.objects.exists()


def test_the_trash_is_emptied_after_a_week(account, group):
    for name in ("old", "fresh"):
        moved(account, call("CreateDatasetGroup", account, name=name)["datasetGroupArn"])
    Trash.objects.filter(name="old").update(time=timezone.now() - timedelta(days=8))
    tasks.empty_trash()
    assert [row.name for row in Trash.objects.all()] == ["fresh"]


def test_jobs_do_not_go_there(account, run_jobs, group):
    with pytest.raises(InvalidInputException, match="allowed are campaign, dataset"):
        moved(account, f"arn:aws:personalize:us-east-1:{account.number}:batch-inference-job/x")


def test_nobody_elses_trash(account, other_account, group):
    entry = moved(account, call("CreateDatasetGroup", account, name="mine")["datasetGroupArn"])
    assert call("ListTrash", other_account)["trash"] == []
    with pytest.raises(ResourceNotFoundException):
        call("RestoreFromTrash", other_account, trash_id=entry)
