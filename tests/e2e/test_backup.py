"""A real server is backed up while it serves, its folder destroyed, and all of it had back from the file."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading

from tests.backends import for_one_server
from tests.e2e import main_job, server, world


def test_everything_is_had_back(tmp_path):
    folder, restored, file = tmp_path / "data", tmp_path / "again", tmp_path / "backup.tar.gz"
    folder.mkdir()
    running = server.start(folder)
    try:
        aws = running.client("personalize")
        group = main_job.films(running, aws)
        solution = main_job.solution(aws, group, "films", "aws-popularity-count")
        campaign = main_job.campaign(aws, main_job.version(aws, solution))
        tracking_id = aws.create_event_tracker(name="films", datasetGroupArn=group)["trackingId"]
        before = _list(running, campaign)
        ended, acknowledged = threading.Event(), []
        program = threading.Thread(target=_stream, args=(running, tracking_id, ended, acknowledged))
        program.start()
        _wait_for(acknowledged, 20)
        certain = list(acknowledged)
        _manage(folder, "backup", str(file))
        during = list(acknowledged)
        ended.set()
        program.join()
    finally:
        server.stop(running)
    assert len(during) > len(certain)  # the server served meanwhile
    shutil.rmtree(folder)

    database = for_one_server(os.environ, f"restored_{running.url.rpartition(':')[2]}")
    server.BACKENDS[restored] = database
    restored.mkdir()
    _manage(restored, "restore", str(file))
    again = server.start(restored, **database)
    try:
        again.keys = running.keys
        assert again.client("personalize").describe_campaign(campaignArn=campaign)["campaign"]["status"] == "ACTIVE"
        assert _list(again, campaign) == before
        assert set(certain) <= _events(restored)
        doctor = json.loads(_manage(restored, "doctor", "--json", port=again.url.rpartition(":")[2]))
        assert [entry for entry in doctor if entry["level"] == "BAD"] == []
        assert main_job.version(again.client("personalize"), solution)
    finally:
        server.stop(again)


def _list(running, campaign) -> list[str]:
    answer = running.client("personalize-runtime").get_recommendations(campaignArn=campaign, userId="user-1")
    return [item["itemId"] for item in answer["itemList"]]


def _stream(running, tracking_id: str, ended: threading.Event, acknowledged: list[str]) -> None:
    events = running.client("personalize-events")
    while not ended.wait(0.02):
        name = f"event-{len(acknowledged)}"
        entry = {"eventId": name, "eventType": "watch", "itemId": "comedy-1", "sentAt": int(world.START)}
        events.put_events(trackingId=tracking_id, sessionId="s", userId="user-9", eventList=[entry])
        acknowledged.append(name)


def _wait_for(acknowledged: list[str], count: int) -> None:
    server.wait_until(lambda: len(acknowledged) >= count, 120)


def _manage(folder, *arguments: str, port: str = "1") -> str:
    variables = server._environment(folder) | {"PORT": port}
    done = subprocess.run(
        [*server.CHECKOUT, *arguments], cwd=server.ROOT, env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _events(folder) -> set[str]:
    code = "from console.models import Event; print(*Event.objects.values_list('event_id', flat=True))"
    return set(_manage(folder, "shell", "--no-imports", "-v", "0", "-c", code).split())
