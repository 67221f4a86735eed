"""The main job as a program does it: the real boto3 client, a real server, broker and worker, all three services."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.e2e import main_job, world
from tests.e2e.server import manage, wait_for_status, wait_until


@pytest.fixture(scope="module")
def personalize(server):
    return server.client("personalize")


@pytest.fixture(scope="module")
def group(server, personalize) -> str:
    """A dataset group with interactions and items imported; its ARN."""
    return main_job.films(server, personalize)


@pytest.fixture(scope="module")
def campaign(personalize, group) -> str:
    solution = main_job.solution(personalize, group, "films-personal", "aws-user-personalization")
    return main_job.campaign(personalize, main_job.version(personalize, solution))


def _items(answer) -> list[str]:
    return [item["itemId"] for item in answer["itemList"]]


def _share(items: list[str], genre: str) -> float:
    return sum(world.genre_of(item) == genre for item in items) / len(items)


def test_it_works(server, campaign):
    answer = server.client("personalize-runtime").get_recommendations(campaignArn=campaign, userId="user-0")
    assert len(answer["itemList"]) == 25
    assert answer["recommendationId"].startswith("RID-")
    assert len(answer["recommendationId"]) == 40
    assert _share(_items(answer), world.taste_of(0)) > 0.5


def test_metrics_have_awss_keys(personalize, campaign):
    version = personalize.describe_campaign(campaignArn=campaign)["campaign"]["solutionVersionArn"]
    metrics = personalize.get_solution_metrics(solutionVersionArn=version)["metrics"]
    wanted = {"coverage", "mean_reciprocal_rank_at_25", "precision_at_5", "normalized_discounted_cumulative_gain_at_10"}
    assert wanted <= metrics.keys()
    assert all(0 <= value <= 1 for key, value in metrics.items() if key in wanted)


def test_events_change_recommendations_within_seconds(server, personalize, group, campaign):
    tracker = personalize.create_event_tracker(name="films", datasetGroupArn=group)
    runtime, events = server.client("personalize-runtime"), server.client("personalize-events")
    before = _share(_items(runtime.get_recommendations(campaignArn=campaign, userId="user-2")), "horror")
    watched = [
        {"eventType": "watch", "itemId": f"horror-{n}", "sentAt": time.time() + n, "eventId": f"e{n}"} for n in range(8)
    ]
    events.put_events(trackingId=tracker["trackingId"], userId="user-2", sessionId="s", eventList=watched)
    wait_until(
        lambda: _share(_items(runtime.get_recommendations(campaignArn=campaign, userId="user-2")), "horror") > before, 5
    )


def test_another_accounts_resources_do_not_exist(server, campaign):
    keys = manage(server.data_dir, "create_access_key", "--account", "charlie")
    with pytest.raises(ClientError) as caught:
        server.client("personalize", **keys).describe_campaign(campaignArn=campaign)
    assert caught.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_a_wrong_secret_is_refused(server):
    stranger = server.client(
        "personalize", aws_access_key_id=server.keys["aws_access_key_id"], aws_secret_access_key="x"
    )
    with pytest.raises(ClientError) as caught:
        stranger.list_campaigns()
    assert caught.value.response["Error"]["Code"] == "InvalidSignatureException"


def test_too_little_data_fails_with_a_sentence(server, personalize):
    group = personalize.create_dataset_group(name="tiny")["datasetGroupArn"]
    schema = personalize.create_schema(name="tiny", schema=world.schema("Interactions", world.INTERACTIONS))[
        "schemaArn"
    ]
    dataset = personalize.create_dataset(
        name="tiny", datasetType="Interactions", datasetGroupArn=group, schemaArn=schema
    )["datasetArn"]
    location = server.put_object(
        "tiny.csv", world.to_csv([n for n, _ in world.INTERACTIONS], world.interactions()[:90])
    )
    job = personalize.create_dataset_import_job(
        jobName="tiny", datasetArn=dataset, dataSource={"dataLocation": location}, roleArn=main_job.ROLE
    )["datasetImportJobArn"]
    wait_until(lambda: _ended(personalize.describe_dataset_import_job(datasetImportJobArn=job)["datasetImportJob"]))
    solution = main_job.solution(personalize, group, "tiny", "aws-popularity-count")
    version = personalize.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    ended = wait_until(
        lambda: _ended(personalize.describe_solution_version(solutionVersionArn=version)["solutionVersion"])
    )
    assert ended["status"] == "CREATE FAILED"
    assert "1000 interactions" in ended["failureReason"]


def _ended(row):
    return row if row["status"] not in {"CREATE PENDING", "CREATE IN_PROGRESS"} else None


def test_a_killed_worker_is_followed_by_another(server, personalize, group):
    solution = main_job.solution(personalize, group, "films-killed", "aws-user-personalization")
    arn = personalize.create_solution_version(solutionArn=solution)["solutionVersionArn"]

    def status() -> str:
        return personalize.describe_solution_version(solutionVersionArn=arn)["solutionVersion"]["status"]

    wait_until(lambda: status() == "CREATE IN_PROGRESS", 60)
    for pid in server.pids("celery", "worker"):
        os.kill(pid, signal.SIGKILL)
    assert status() == "CREATE IN_PROGRESS"
    wait_for_status(personalize.describe_solution_version, "solutionVersion", solutionVersionArn=arn)


def test_a_worker_that_waits_is_ready_for_the_next_training(server, campaign):
    def children() -> list[int]:
        return server.pids("celery", "worker")[1:]

    [before] = wait_until(children, 60)
    os.kill(before, signal.SIGKILL)
    [child] = wait_until(lambda: [pid for pid in children() if pid != before], 60)
    wait_until(lambda: "/numpy/" in Path(f"/proc/{child}/maps").read_text(), 60)
