"""What programs rely on over the life of a group: context, stopping, changes without a gap, actions, and users who are forgotten."""

from __future__ import annotations

import json
import random
import threading
import time
from pathlib import Path

import psycopg
import pyarrow.parquet as pq
import pytest
from psycopg import sql

from tests.e2e import server as servers
from tests.e2e import world
from tests.e2e.notebook import ROLE, Notebook, error_of
from tests.e2e.server import Server, wait_for_status, wait_until

SECRET = "zz-forget-me-77"
FIELDS = [*world.INTERACTIONS, ("DEVICE_TYPE", "string", {"categorical": True})]
USERS = [("USER_ID", "string"), ("AGE", "int")]
ACTIONS = [("ACTION_ID", "string"), ("TYPE", ["null", "string"], {"categorical": True}), ("VALUE", ["null", "long"])]
ACTION_EVENTS = [("USER_ID", "string"), ("ACTION_ID", "string"), ("EVENT_TYPE", "string"), ("TIMESTAMP", "long")]
NOW = int(time.time())


@pytest.fixture(scope="module")
def notebook(server) -> Notebook:
    """A group whose users watch comedies on the phone, whatever they like elsewhere; one of them has a name to look for."""
    clients = (server.client(name) for name in ("personalize", "personalize-runtime", "personalize-events"))
    made = Notebook(*clients, name="lifecycle")
    rng = random.Random(3)
    rows = []
    for user, item, moment, kind in world.interactions():
        on_phone = rng.random() < 0.4
        watched = f"comedy-{rng.randrange(30)}" if on_phone else item
        rows.append((user, watched, moment, kind, "phone" if on_phone else "tv"))
    rows += [(SECRET, f"horror-{n % 30}", world.START + n, "watch", "tv") for n in range(40)]
    users = [(f"user-{n}", 20 + n) for n in range(80)] + [(SECRET, 99)]
    made.make_group()
    made.make_dataset("Interactions", FIELDS)
    made.make_dataset("Users", USERS)
    made.load("Interactions", server.put_object("life/interactions.csv", _csv(FIELDS, rows)))
    made.load("Users", server.put_object("life/users.csv", _csv(USERS, users)))
    return made


@pytest.fixture(scope="module")
def personal(notebook) -> tuple[str, str]:
    """A solution and a campaign without exploration; closed forms are enough for what is looked at here."""
    config = {"algorithmHyperParameters": {"mode": "fast"}}
    solution = notebook.solution("up", "aws-user-personalization", solutionConfig=config)
    campaign = notebook.campaign("up", notebook.version(solution), itemExplorationConfig={"explorationWeight": "0"})
    return solution, campaign


@pytest.fixture(scope="module")
def tracker(notebook) -> str:
    made = notebook.personalize.create_event_tracker(name="lifecycle", datasetGroupArn=notebook.group)
    return str(made["trackingId"])


def _csv(fields, rows) -> str:
    return world.to_csv([name for name, *_ in fields], rows)


def test_the_context_of_a_request_counts(notebook, personal):
    _, campaign = personal

    def comedies(**context: str) -> int:
        found = [notebook.items(campaign, f"user-{n}", numResults=10, context=context) for n in range(10)]
        return sum(world.genre_of(item) == "comedy" for items in found for item in items)

    assert comedies(DEVICE_TYPE="phone") > comedies(DEVICE_TYPE="tv")
    assert comedies(deviceType="phone") == comedies(DEVICE_TYPE="phone")


def test_a_training_is_stopped(notebook):
    aws = notebook.personalize
    solution = notebook.solution("stopped", "aws-user-personalization-v2")
    arn = aws.create_solution_version(solutionArn=solution)["solutionVersionArn"]

    def status() -> str:
        return aws.describe_solution_version(solutionVersionArn=arn)["solutionVersion"]["status"]

    wait_until(lambda: status() == "CREATE IN_PROGRESS", 120)
    assert error_of(aws.get_solution_metrics, solutionVersionArn=arn) == "ResourceInUseException"
    assert error_of(aws.delete_solution, solutionArn=solution) == "ResourceInUseException"
    aws.stop_solution_version_creation(solutionVersionArn=arn)
    wait_until(lambda: status() == "CREATE STOPPED", 120)
    assert error_of(aws.stop_solution_version_creation, solutionVersionArn=arn) == "ResourceInUseException"
    assert error_of(aws.get_solution_metrics, solutionVersionArn=arn) == "ResourceInUseException"
    assert [
        row["solutionVersionArn"] for row in aws.list_solution_versions(solutionArn=solution)["solutionVersions"]
    ] == [arn]
    notebook.delete("solution", solution)


def test_a_campaign_changes_without_a_gap(server, notebook):
    solution = notebook.solution("popular", "aws-popularity-count")
    versions = [notebook.version(solution) for _ in range(2)]
    campaign = notebook.campaign("popular", versions[0])
    runtime = server.client("personalize-runtime")
    sizes: list[int] = []
    ended = threading.Event()

    def ask() -> None:
        while not ended.is_set():
            sizes.append(len(runtime.get_recommendations(campaignArn=campaign, numResults=10)["itemList"]))

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        for turn in range(6):
            wanted = versions[(turn + 1) % 2]
            notebook.personalize.update_campaign(campaignArn=campaign, solutionVersionArn=wanted)
            told = wait_for_status(notebook.personalize.describe_campaign, "campaign", campaignArn=campaign)
            assert told["latestCampaignUpdate"]["status"] == "ACTIVE"
            assert told["solutionVersionArn"] == wanted
            before = len(sizes)
            wait_until(lambda before=before: len(sizes) > before or not thread.is_alive(), 30)
            assert thread.is_alive()
    finally:
        ended.set()
        thread.join(timeout=60)
    assert set(sizes) == {10}


def test_actions_are_recommended(server, notebook):
    rng = random.Random(1)
    kinds = {"signup": 0.7, "newsletter": 0.2, "quiet": 0.0}
    actions = [("signup", "join", 5), ("newsletter", "mail", 2), ("quiet", "mail", "")]
    rows = []
    for n in range(1000):
        action = rng.choice(["signup", "newsletter"])
        taken = rng.random() < kinds[action]
        rows.append((f"user-{rng.randrange(80)}", action, "Taken" if taken else "Not Taken", NOW - 90_000 + n * 60))
    notebook.make_dataset("Actions", ACTIONS)
    live = notebook.make_dataset("Action_Interactions", ACTION_EVENTS)
    notebook.load("Actions", server.put_object("life/actions.csv", _csv(ACTIONS, actions)))
    notebook.load("Action_Interactions", server.put_object("life/taken.csv", _csv(ACTION_EVENTS, rows)))
    campaign = notebook.campaign("actions", notebook.version(notebook.solution("nba", "aws-next-best-action")))

    answer = notebook.runtime.get_action_recommendations(campaignArn=campaign, userId="user-1")
    scores = {action["actionId"]: action["score"] for action in answer["actionList"]}
    assert list(scores) == ["signup", "newsletter", "quiet"]
    assert scores["signup"] > scores["newsletter"] > scores["quiet"] == 0
    untaken = notebook.filter("untaken", 'EXCLUDE ActionID WHERE Action_Interactions.EVENT_TYPE IN ("Taken")')
    taken = {"actionId": "signup", "sessionId": "s", "userId": "fresh", "timestamp": time.time(), "eventType": "Taken"}
    tracking_id = notebook.personalize.describe_dataset(datasetArn=live)["dataset"]["trackingId"]
    notebook.events.put_action_interactions(trackingId=tracking_id, actionInteractions=[taken])

    def left() -> set[str]:
        found = notebook.runtime.get_action_recommendations(campaignArn=campaign, userId="fresh", filterArn=untaken)
        return {action["actionId"] for action in found["actionList"]}

    wait_until(lambda: left() == {"newsletter", "quiet"}, 5)


def test_a_user_is_forgotten_everywhere(server, notebook, personal, tracker):
    solution, campaign = personal
    event = {"eventType": "watch", "itemId": "horror-3", "sentAt": time.time()}
    notebook.events.put_events(trackingId=tracker, userId=SECRET, sessionId="secret-session", eventList=[event])
    notebook.events.put_users(
        datasetArn=notebook.datasets["Users"], users=[{"userId": SECRET, "properties": json.dumps({"age": 98})}]
    )
    assert {path.suffix.removesuffix("-wal") for path in _holding(server)} >= {".parquet", ".arrow"}
    assert _is_in_database(server)
    assert notebook.items(campaign, SECRET) != notebook.items(campaign, "a-stranger")

    location = server.put_object("forget/users.csv", f"USER_ID\n{SECRET}\nnobody\n")
    arn = notebook.personalize.create_data_deletion_job(
        jobName="forget", datasetGroupArn=notebook.group, roleArn=ROLE, dataSource={"dataLocation": location}
    )["dataDeletionJobArn"]
    done = wait_for_status(
        notebook.personalize.describe_data_deletion_job, "dataDeletionJob", "COMPLETED", dataDeletionJobArn=arn
    )
    assert done["numDeleted"] == 1
    wait_until(lambda: not _holding(server) and not _is_in_database(server), 30)
    assert notebook.items(campaign, SECRET) == notebook.items(campaign, "a-stranger")

    version = notebook.version(solution, trainingMode="UPDATE")
    notebook.personalize.update_campaign(campaignArn=campaign, solutionVersionArn=version)
    wait_for_status(notebook.personalize.describe_campaign, "campaign", campaignArn=campaign)
    assert notebook.items(campaign, SECRET) == notebook.items(campaign, "a-stranger")
    assert not _holding(server)
    assert not _is_in_database(server)


def _is_in_database(server: Server) -> bool:
    """Whether any row of the server's database holds the user's id, as text or as bytes; SQLite's file is read as it is."""
    url = servers.BACKENDS[server.data_dir].get("DATABASE_URL")
    if not url:
        return any(map(_holds, server.data_dir.glob("console.sqlite3*")))
    with psycopg.connect(url) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        found = "SELECT 1 FROM {} AS found WHERE found::text LIKE %s OR found::text LIKE %s LIMIT 1"
        wanted = [f"%{SECRET}%", f"%{SECRET.encode().hex()}%"]
        return any(
            connection.execute(sql.SQL(found).format(sql.Identifier(name)), wanted).fetchone() for (name,) in tables
        )


def _holding(server: Server) -> list[Path]:
    """The server's own files that hold the user's id; the buckets are people's own."""
    buckets = server.data_dir / "buckets"
    files = [path for path in server.data_dir.rglob("*") if path.is_file() and not path.is_relative_to(buckets)]
    return [path for path in files if _holds(path)]


def _holds(path: Path) -> bool:
    try:
        if path.suffix == ".parquet":
            return SECRET in str(pq.read_table(path).to_pylist())
        return SECRET.encode() in path.read_bytes()
    except FileNotFoundError:  # replaced meanwhile
        return False
