"""A data folder that an earlier release left is brought up to date and served: nothing is lost, everybody still gets in."""

from __future__ import annotations

import json
import os
import sqlite3
import tarfile

import pytest
from botocore.exceptions import ClientError

from tests.e2e import main_job
from tests.e2e import server as servers
from tests.upgrade import RELEASES

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1200),
    pytest.mark.xdist_group("server"),
    pytest.mark.skipif(bool(os.environ.get("DATABASE_URL")), reason="the folders hold SQLite databases"),
]


def test_there_are_releases_to_upgrade_from():
    assert RELEASES
    assert all(path.with_suffix(".tar.xz").stat().st_size < 200_000 for path in RELEASES)


@pytest.fixture(params=RELEASES, ids=lambda path: path.stem)
def upgraded(request, tmp_path):
    """What was made, and today's server on a copy of the folder."""
    with tarfile.open(request.param.with_suffix(".tar.xz")) as tar:
        tar.extractall(tmp_path, filter="data")
    made = json.loads(request.param.read_text())
    running = servers.start(tmp_path)
    running.keys = {name: made["keys"][name] for name in ("aws_access_key_id", "aws_secret_access_key")}
    yield made, running
    servers.stop(running)


def test_an_earlier_releases_folder_is_served(upgraded):
    made, running = upgraded
    aws, runtime = running.client("personalize"), running.client("personalize-runtime")
    assert aws.describe_campaign(campaignArn=made["campaign"])["campaign"]["status"] == "ACTIVE"
    if made["is_read"]:
        assert _items(runtime, made) == made["items"]
    else:  # a format that is no longer read says what to do, and that helps
        with pytest.raises(ClientError, match="Train a new solution version"):
            _items(runtime, made)
    version = main_job.version(aws, made["solution"])
    aws.update_campaign(campaignArn=made["campaign"], solutionVersionArn=version)
    assert set(_items(runtime, made)[:5]) == set(made["items"][:5])
    event = {"eventType": "buy", "itemId": "i1", "sentAt": 1_700_000_000}
    running.client("personalize-events").put_events(
        trackingId=made["tracking_id"], sessionId="s", userId="u1", eventList=[event]
    )
    with sqlite3.connect(running.data_dir / "console.sqlite3") as rows:
        assert rows.execute("SELECT COUNT(*) FROM console_event").fetchone() == (made["events"] + 1,)
        roles = dict(
            rows.execute(
                "SELECT username, role FROM console_member JOIN auth_user ON auth_user.id = user_id"
            ).fetchall()
        )
    assert (roles["vera"], roles["otto"]) == ("viewer", "owner")


def _items(runtime, made) -> list[str]:
    answer = runtime.get_recommendations(campaignArn=made["campaign"], userId="u1", numResults=10)
    return [item["itemId"] for item in answer["itemList"]]
