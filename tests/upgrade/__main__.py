"""`python -m tests.upgrade COMMIT NAME`: keep a data folder as the server of a commit leaves it, for the test of upgrades.

Run it once for each release, on its tag. It checks the commit out beside, runs its server with the environment of this
one, does the main job by boto3, stops the server, and writes `releases/NAME.tar.xz` (about 50 KB) and `releases/NAME.json`,
which says what later servers must find in it. The test needs no change; where a release no longer reads the format of a
model, set `is_read` in the JSON files of those before to false: the test then wants to be told to train anew.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import boto3

ROOT = Path(__file__).resolve().parents[2]
RELEASES = Path(__file__).with_name("releases")
ROLE = "arn:aws:iam::000000000000:role/any"
LEFT_OUT = {"run", "static", "scratch", "valkey", "cache"}  # made anew by every start
START = 1_700_000_000
FIELDS = [("USER_ID", "string"), ("ITEM_ID", "string"), ("TIMESTAMP", "long"), ("EVENT_TYPE", "string")]
PATIENCE_S = 600


def main() -> None:
    """Make one release's files."""
    parser = argparse.ArgumentParser(prog="python -m tests.upgrade", description=__doc__)
    parser.add_argument("commit")
    parser.add_argument("name")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="openpersonalize-release-") as scratch:
        code, data = Path(scratch) / "code", Path(scratch) / "data"
        subprocess.run(["git", "-C", str(ROOT), "worktree", "add", "--detach", str(code), options.commit], check=True)
        try:
            made = _made_by(code, data)
            _pack(data, RELEASES / f"{options.name}.tar.xz")
            (RELEASES / f"{options.name}.json").write_text(json.dumps(made | {"is_read": True}, indent=1) + "\n")
        finally:
            subprocess.run(["git", "-C", str(ROOT), "worktree", "remove", "--force", str(code)], check=True)


def _made_by(code: Path, data: Path) -> dict[str, Any]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    variables = {
        "DATA_DIR": str(data),
        "PORT": str(port),
        "DJANGO_SETTINGS_MODULE": "console.settings",
        "QUOTA_MIN_INTERACTIONS": "0",
    }
    environment = os.environ | variables
    data.mkdir()
    server = subprocess.Popen([sys.executable, "manage.py", "serve"], cwd=code, env=environment)
    try:
        _wait(lambda: _is_healthy(port))
        keys = _manage(code, environment, "create_access_key", "--account", "default")
        viewer = _manage(code, environment, "create_user", "vera", "--role", "viewer")
        admin = _manage(code, environment, "create_user", "otto")
        return {"keys": keys, "users": {"vera": viewer["password"], "otto": admin["password"]}} | _job(port, data, keys)
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(timeout=120)


def _job(port: int, data: Path, keys: dict[str, str]) -> dict[str, Any]:
    """Import, train, deploy, stream, recommend."""

    def client(service: str) -> Any:
        credentials = {name: keys[name] for name in ("aws_access_key_id", "aws_secret_access_key")}
        return boto3.client(
            service, endpoint_url=f"http://127.0.0.1:{port}/aws", region_name="us-east-1", **credentials
        )

    aws = client("personalize")
    group = aws.create_dataset_group(name="shop")["datasetGroupArn"]
    fields = [{"name": name, "type": kind} for name, kind in FIELDS]
    text = {"type": "record", "name": "Interactions", "namespace": "com.amazonaws.personalize.schema", "version": "1.0"}
    schema = aws.create_schema(name="shop", schema=json.dumps(text | {"fields": fields}))["schemaArn"]
    dataset = aws.create_dataset(name="shop", datasetType="Interactions", datasetGroupArn=group, schemaArn=schema)
    bucket = data / "buckets" / "shop"
    bucket.mkdir(parents=True)
    rows = [f"u{n % 40},i{(n * 7) % 60 % (1 + n % 60)},{START + 60 * n},buy" for n in range(1200)]
    (bucket / "events.csv").write_text("\n".join([",".join(name for name, _ in FIELDS), *rows]))
    job = aws.create_dataset_import_job(
        jobName="shop",
        datasetArn=dataset["datasetArn"],
        dataSource={"dataLocation": "s3://shop/events.csv"},
        roleArn=ROLE,
    )["datasetImportJobArn"]
    _until(lambda: aws.describe_dataset_import_job(datasetImportJobArn=job)["datasetImportJob"])
    recipe = "arn:aws:personalize:::recipe/aws-popularity-count"
    solution = aws.create_solution(name="shop", datasetGroupArn=group, recipeArn=recipe, performAutoTraining=False)[
        "solutionArn"
    ]
    version = aws.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    _until(lambda: aws.describe_solution_version(solutionVersionArn=version)["solutionVersion"])
    campaign = aws.create_campaign(name="shop", solutionVersionArn=version, minProvisionedTPS=1)["campaignArn"]
    _until(lambda: aws.describe_campaign(campaignArn=campaign)["campaign"])
    tracking_id = aws.create_event_tracker(name="shop", datasetGroupArn=group)["trackingId"]
    events = [
        {"eventId": f"e{n}", "eventType": "buy", "itemId": f"i{n}", "sentAt": START + 10**6 + n} for n in range(10)
    ]
    client("personalize-events").put_events(trackingId=tracking_id, sessionId="s", userId="u1", eventList=events)
    answer = client("personalize-runtime").get_recommendations(campaignArn=campaign, userId="u1", numResults=10)
    items = [item["itemId"] for item in answer["itemList"]]
    return {
        "solution": solution,
        "version": version,
        "campaign": campaign,
        "tracking_id": tracking_id,
        "items": items,
        "events": 10,
    }


def _pack(data: Path, path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    with tarfile.open(path, "w:xz") as tar:
        for entry in sorted(data.iterdir()):
            if entry.name not in LEFT_OUT:
                tar.add(entry, entry.name)


def _manage(code: Path, environment: dict[str, str], *arguments: str) -> dict[str, str]:
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=code, env=environment, check=True, capture_output=True, text=True
    )
    found: dict[str, str] = json.loads(done.stdout)
    return found


def _is_healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _until(describe: Any) -> None:
    def is_there() -> bool:
        found = describe()
        if found["status"].endswith("FAILED"):
            raise RuntimeError(found.get("failureReason"))
        return bool(found["status"] == "ACTIVE")

    _wait(is_there)


def _wait(condition: Any) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(1)


if __name__ == "__main__":
    main()
