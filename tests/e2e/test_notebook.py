"""A sample notebook from its first cell to its last: boto3 finds everything by environment variables, data lie in a real S3."""

from __future__ import annotations

import csv
import io
import json
import time

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests.e2e import server as servers
from tests.e2e import world
from tests.e2e.notebook import ROLE, Notebook, error_of
from tests.e2e.server import wait_for_status, wait_until

BUCKET = "notebook-bucket"
CATEGORICAL = {"categorical": True}
USERS = [("USER_ID", "string"), ("AGE", "int"), ("TIER", "string", CATEGORICAL)]
ITEMS = [(name, type_, CATEGORICAL if name == "GENRE" else {}) for name, type_ in world.ITEMS]
HPO = {
    "hpoResourceConfig": {"maxNumberOfTrainingJobs": "3", "maxParallelTrainingJobs": "1"},
    "algorithmHyperParameterRanges": {
        "integerHyperParameterRanges": [{"name": "min_cointeraction_count", "minValue": 1, "maxValue": 4}],
        "continuousHyperParameterRanges": [{"name": "popularity_discount_factor", "minValue": 0.2, "maxValue": 0.6}],
    },
}


@pytest.fixture(scope="module")
def server_on_s3(tmp_path_factory):
    """A server that is told of an S3 by AWS's own variable and nothing else, and that S3's address."""
    s3 = ThreadedMotoServer(port=0)
    s3.start()
    host, port = s3.get_host_and_port()
    url = f"http://{host}:{port}"
    keys = {"AWS_ACCESS_KEY_ID": "server", "AWS_SECRET_ACCESS_KEY": "server", "AWS_DEFAULT_REGION": "us-east-1"}
    running = servers.start(tmp_path_factory.mktemp("s3-server"), AWS_ENDPOINT_URL_S3=url, **keys)
    yield running, url
    servers.stop(running)
    s3.stop()


@pytest.fixture
def session(server_on_s3, monkeypatch):
    """What a notebook has: a session that knows no more than the environment."""
    server, s3_url = server_on_s3
    for service in ("PERSONALIZE", "PERSONALIZE_RUNTIME", "PERSONALIZE_EVENTS"):
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", f"{server.url}/aws")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3_url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    for name, value in server.keys.items():
        monkeypatch.setenv(name.upper(), value)
    return boto3.Session()


@pytest.fixture
def s3(session):
    client = session.client("s3")
    client.create_bucket(Bucket=BUCKET)
    return client


@pytest.fixture
def notebook(session):
    clients = (session.client(name) for name in ("personalize", "personalize-runtime", "personalize-events"))
    return Notebook(*clients, name="notebook")


def _csv(fields, rows) -> str:
    return world.to_csv([name for name, *_ in fields], rows)


def _read(s3, key: str) -> str:
    text: str = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode()
    return text


def _keys(s3, prefix: str) -> list[str]:
    return [entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])]


def _fill(notebook: Notebook, s3) -> None:
    """Three datasets; the interactions come from a folder of two files, with another file below that is none of them."""
    rows = world.interactions()
    users = [(f"user-{n}", 20 + n % 50, ("free", "gold")[n % 2]) for n in range(80)]
    uploads = {
        "interactions/part-1.csv": _csv(world.INTERACTIONS, rows[:900]),
        "interactions/part-2.csv": _csv(world.INTERACTIONS, rows[900:]),
        "interactions/older/part-0.csv": _csv(world.INTERACTIONS, [("nobody", "action-1", world.START, "click")]),
        "items.csv": _csv(world.ITEMS, world.items()),
        "users.csv": _csv(USERS, users),
    }
    for key, text in uploads.items():
        s3.put_object(Bucket=BUCKET, Key=key, Body=text.encode())
    notebook.make_group(tags=[{"tagKey": "project", "tagValue": "films"}])
    notebook.make_dataset("Interactions", world.INTERACTIONS)
    notebook.make_dataset("Items", ITEMS)
    notebook.make_dataset("Users", USERS)
    notebook.load("Interactions", f"s3://{BUCKET}/interactions/")
    notebook.load("Items", f"s3://{BUCKET}/items.csv")
    notebook.load("Users", f"https://{BUCKET}.s3.amazonaws.com/users.csv")


def _tune(notebook: Notebook) -> None:
    """HPO, and what it found."""
    solution = notebook.solution("tuned", "aws-sims", performHPO=True, solutionConfig={"hpoConfig": HPO})
    version = notebook.version(solution)
    told = notebook.personalize.describe_solution_version(solutionVersionArn=version)["solutionVersion"]
    found = told["tunedHPOParams"]["algorithmHyperParameters"]
    assert 1 <= int(found["min_cointeraction_count"]) <= 4
    assert 0.2 <= float(found["popularity_discount_factor"]) <= 0.6


def _ask(notebook: Notebook, campaign: str) -> None:
    """The cells that look at recommendations, with filters and after events."""
    genre = notebook.filter("genre", "INCLUDE ItemID WHERE Items.GENRE IN ($GENRE)")
    watched = notebook.filter("watched", 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch")')
    found = notebook.items(campaign, "user-1", numResults=10, filterArn=genre, filterValues={"GENRE": '"horror"'})
    assert len(found) == 10
    assert all(world.genre_of(item) == "horror" for item in found)
    tracker = notebook.personalize.create_event_tracker(name="notebook", datasetGroupArn=notebook.group)
    told = notebook.personalize.describe_event_tracker(eventTrackerArn=tracker["eventTrackerArn"])["eventTracker"]
    assert told["trackingId"] == tracker["trackingId"]
    first = notebook.items(campaign, "user-1", filterArn=watched)[0]
    event = {"eventType": "watch", "sentAt": int(time.time()), "properties": json.dumps({"itemId": first})}
    notebook.events.put_events(
        trackingId=tracker["trackingId"], userId="user-1", sessionId="session", eventList=[event]
    )
    wait_until(lambda: first not in notebook.items(campaign, "user-1", filterArn=watched), 5)


def _batch(notebook: Notebook, s3, version: str) -> None:
    """Recommendations for a file of users, into the bucket's root as the workshop has it."""
    lines = [{"userId": f"user-{n}"} for n in range(5)]
    s3.put_object(Bucket=BUCKET, Key="users.json", Body="\n".join(map(json.dumps, lines)).encode())
    arn = notebook.personalize.create_batch_inference_job(
        jobName="notebook-batch",
        solutionVersionArn=version,
        roleArn=ROLE,
        numResults=7,
        jobInput={"s3DataSource": {"path": f"s3://{BUCKET}/users.json"}},
        jobOutput={"s3DataDestination": {"path": f"s3://{BUCKET}/"}},
    )["batchInferenceJobArn"]
    wait_for_status(notebook.personalize.describe_batch_inference_job, "batchInferenceJob", batchInferenceJobArn=arn)
    answers = [json.loads(line) for line in _read(s3, "users.json.out").splitlines()]
    assert [answer["input"] for answer in answers] == lines
    assert all(len(answer["output"]["recommendedItems"]) == 7 and answer["error"] is None for answer in answers)
    assert _keys(s3, "_CHECK") == ["_CHECK"]


def _segments(notebook: Notebook, s3, version: str) -> None:
    s3.put_object(Bucket=BUCKET, Key="segments/in.json", Body=b'{"itemId": "drama-0"}\n{"itemId": "action-1"}')
    arn = notebook.personalize.create_batch_segment_job(
        jobName="notebook-segments",
        solutionVersionArn=version,
        roleArn=ROLE,
        numResults=10,
        jobInput={"s3DataSource": {"path": f"s3://{BUCKET}/segments/"}},
        jobOutput={"s3DataDestination": {"path": f"s3://{BUCKET}/segments-out"}},
    )["batchSegmentJobArn"]
    wait_for_status(notebook.personalize.describe_batch_segment_job, "batchSegmentJob", batchSegmentJobArn=arn)
    answers = [json.loads(line) for line in _read(s3, "segments-out/in.json.out").splitlines()]
    assert [len(answer["output"]["usersList"]) for answer in answers] == [10, 10]
    likes = [world.taste_of(int(user.partition("-")[2])) for user in answers[0]["output"]["usersList"]]
    assert likes.count("drama") > 5


def _export(notebook: Notebook, s3) -> None:
    arn = notebook.personalize.create_dataset_export_job(
        jobName="notebook-export",
        datasetArn=notebook.datasets["Users"],
        roleArn=ROLE,
        ingestionMode="ALL",
        jobOutput={"s3DataDestination": {"path": f"s3://{BUCKET}/export/"}},
    )["datasetExportJobArn"]
    wait_for_status(notebook.personalize.describe_dataset_export_job, "datasetExportJob", datasetExportJobArn=arn)
    [key] = [key for key in _keys(s3, "export/") if key.endswith(".csv")]
    rows = list(csv.DictReader(io.StringIO(_read(s3, key))))
    assert len(rows) == 80
    assert rows[0].keys() == {"USER_ID", "AGE", "TIER"}


def _pages(notebook: Notebook) -> None:
    """Everything is listed, however small the pages are."""
    for operation in ("list_dataset_import_jobs", "list_solutions", "list_campaigns", "list_filters", "list_recipes"):
        paginator = notebook.personalize.get_paginator(operation)
        key = paginator.result_keys[0].expression
        whole = getattr(notebook.personalize, operation)(maxResults=100)[key]
        small = [row for page in paginator.paginate(PaginationConfig={"PageSize": 1}) for row in page[key]]
        assert small == whole
    tags = notebook.personalize.list_tags_for_resource(resourceArn=notebook.group)["tags"]
    assert tags == [{"tagKey": "project", "tagValue": "films"}]


def _left(notebook: Notebook) -> dict[str, int]:
    lists = {"dataset_groups": "datasetGroups", "schemas": "schemas", "solutions": "solutions", "filters": "Filters"}
    return {name: len(getattr(notebook.personalize, f"list_{name}")()[key]) for name, key in lists.items()}


def test_a_notebook_runs_with_environment_variables_alone(server_on_s3, notebook, s3):
    _fill(notebook, s3)
    solution = notebook.solution("personal", "aws-user-personalization")
    version = notebook.version(solution)
    metrics = notebook.personalize.get_solution_metrics(solutionVersionArn=version)["metrics"]
    assert 0 < metrics["normalized_discounted_cumulative_gain_at_10"] <= 1
    campaign = notebook.campaign("personal", version, enableMetadataWithRecommendations=True)
    answer = notebook.runtime.get_recommendations(
        campaignArn=campaign, userId="user-1", numResults=5, metadataColumns={"ITEMS": ["TITLE", "GENRE"]}
    )
    assert all(item["metadata"].keys() == {"title", "genre"} for item in answer["itemList"])
    _ask(notebook, campaign)

    _tune(notebook)
    ranking = notebook.campaign("ranked", notebook.version(notebook.solution("rank", "aws-personalized-ranking")))
    listed = ["comedy-1", "drama-1", "horror-1", "unheard-of"]
    ranked = notebook.runtime.get_personalized_ranking(campaignArn=ranking, userId="user-1", inputList=listed)
    assert sorted(item["itemId"] for item in ranked["personalizedRanking"]) == sorted(listed)
    assert ranked["personalizedRanking"][-1].keys() == {"itemId"}

    _batch(notebook, s3, version)
    _segments(notebook, s3, notebook.version(notebook.solution("segments", "aws-item-affinity")))
    _export(notebook, s3)
    _pages(notebook)
    assert error_of(notebook.personalize.delete_solution, solutionArn=solution) == "ResourceInUseException"
    notebook.clean_up()
    assert set(_left(notebook).values()) == {0}
    assert not list((server_on_s3[0].data_dir / "store" / "artefacts").glob("*"))


def test_a_bucket_that_is_not_there_is_said_at_once(notebook, session):
    notebook.name = "nowhere"
    notebook.make_group()
    notebook.make_dataset("Interactions", world.INTERACTIONS)
    members = {"jobName": "nowhere", "datasetArn": notebook.datasets["Interactions"], "roleArn": ROLE}
    source = {"dataLocation": "s3://no-such-bucket/interactions.csv"}
    code = error_of(notebook.personalize.create_dataset_import_job, dataSource=source, **members)
    assert code == "InvalidInputException"
    notebook.clean_up()
