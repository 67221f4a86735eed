"""A broker or a store that accepts connections and never says anything: reads go on, writes are accepted or refused soon."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
import redis
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests import backends
from tests.e2e import server as servers
from tests.e2e.notebook import ROLE
from tests.e2e.server import wait_until

INTERACTIONS = {
    "type": "record", "name": "Interactions", "namespace": "com.amazonaws.personalize.schema", "version": "1.0",
    "fields": [{"name": "USER_ID", "type": "string"}, {"name": "ITEM_ID", "type": "string"}, {"name": "TIMESTAMP", "type": "long"}],
}  # fmt: skip
SOON_S = 30  # a busy machine; without deadlines it is for ever


@pytest.fixture(scope="module")
def hung_store():
    """Where an S3 would be: its kernel accepts, nobody answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture(scope="module")
def server(tmp_path_factory, hung_store):
    """A server whose people's buckets are in a store that hangs, with a dataset; its broker can be stopped."""
    keys = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1"}
    with ExitStack() as own:
        if "REDIS_URL" in os.environ:  # this broker is stopped, the others' goes on
            keys |= own.enter_context(backends.broker(tmp_path_factory.mktemp("broker") / "redis"))
        running = servers.start(tmp_path_factory.mktemp("hung"), AWS_ENDPOINT_URL_S3=hung_store, **keys)
        yield running
        servers.stop(running)


@pytest.fixture(scope="module")
def dataset(server):
    aws = server.client("personalize")
    group = aws.create_dataset_group(name="films")["datasetGroupArn"]
    schema = aws.create_schema(name="films", schema=json.dumps(INTERACTIONS))["schemaArn"]
    made = aws.create_dataset(name="films", datasetType="Interactions", datasetGroupArn=group, schemaArn=schema)
    return made["datasetArn"]


@pytest.fixture
def broker(server):
    """The broker's process; it goes on after the test."""
    if url := servers.BACKENDS[server.data_dir].get("REDIS_URL"):
        with redis.Redis.from_url(url) as client:
            pid = int(client.info("server")["process_id"])
    else:
        (pid,) = server.pids("valkey")
    yield pid
    os.kill(pid, signal.SIGCONT)


def health(server) -> tuple[int, dict[str, str]]:
    try:
        with urllib.request.urlopen(f"{server.url}/healthz", timeout=SOON_S) as answer:
            return answer.status, json.load(answer)["checks"]
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)["checks"]


def test_a_broker_that_hangs_holds_nobody_up_and_the_job_is_sent_later(server, dataset, broker):
    os.kill(broker, signal.SIGSTOP)  # it accepts connections, and answers nothing
    aws = server.client("personalize")
    output = {"s3DataDestination": {"path": "s3://bucket/out/"}}
    arn = aws.create_dataset_export_job(jobName="films", datasetArn=dataset, jobOutput=output, roleArn=ROLE)
    assert aws.list_recipes()["recipes"]
    wait_until(lambda: health(server)[1]["broker"] != "ok", 60)

    os.kill(broker, signal.SIGCONT)
    wait_until(lambda: health(server)[0] == 200, 120)
    job = {"datasetExportJobArn": arn["datasetExportJobArn"]}
    wait_until(lambda: aws.describe_dataset_export_job(**job)["datasetExportJob"]["status"] != "CREATE PENDING", 180)


def test_a_store_that_hangs_holds_nobody_up(server):
    with ThreadPoolExecutor(12) as pool:
        started = time.monotonic()
        looks = [pool.submit(previewed, server) for _ in range(12)]
        assert server.client("personalize").list_recipes()["recipes"]
        meanwhile = time.monotonic() - started
        assert all(look.result() >= 400 for look in looks)
    assert meanwhile < SOON_S


def previewed(server) -> int:
    """Look into a file of the store; the status of the answer."""
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "OpenPersonalize.PreviewData"}
    request = AWSRequest("POST", f"{server.url}/aws/", headers, b'{"dataLocation": "s3://bucket/films.csv"}')
    keys = Credentials(server.keys["aws_access_key_id"], server.keys["aws_secret_access_key"])
    SigV4Auth(keys, "personalize", "us-east-1").add_auth(request)
    sent = urllib.request.Request(request.url, request.data, dict(request.headers.items()))
    try:
        with urllib.request.urlopen(sent, timeout=SOON_S) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
