"""The built wheel holds everything: installed into an empty environment, away from the checkout, it does the main job."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.request
import venv
from pathlib import Path

import pytest

from tests.e2e import main_job, world
from tests.e2e import server as servers


@pytest.fixture(scope="module")
def away(tmp_path_factory) -> Path:
    """A folder that is not the checkout, with an environment in which only the wheel is installed."""
    folder = tmp_path_factory.mktemp("away")
    venv.create(folder / "venv", with_pip=True)
    pip = [str(folder / "venv" / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--quiet"]
    build = [sys.executable, *pip[1:], "wheel", "--no-deps", "--wheel-dir", str(folder), str(servers.ROOT)]
    subprocess.run(build, check=True, cwd=folder)
    [wheel] = folder.glob("*.whl")
    subprocess.run([*pip, "install", str(wheel)], check=True, cwd=folder)
    return folder


@pytest.fixture(scope="module")
def program(away) -> str:
    """The installed command."""
    return str(away / "venv" / "bin" / "openpersonalize")


def run(away: Path, *command: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "DJANGO"))}
    return subprocess.run(command, cwd=away, env=environment, check=True, capture_output=True, text=True).stdout


def test_it_trains_and_recommends(away, program):
    (away / "interactions.csv").write_text(
        world.to_csv([name for name, _ in world.INTERACTIONS], world.interactions(users=40))
    )
    recipe = ("--recipe", "aws-user-personalization", "--set", "mode=fast")
    trained = json.loads(run(away, program, "train", "interactions.csv", *recipe, "--out", "model"))
    assert trained["num_users"] == 40
    lines = run(away, program, "recommend", "model", "--k", "3").splitlines()
    assert len(lines) == 40
    assert len(json.loads(lines[0])["output"]["recommendedItems"]) == 3


def test_it_is_a_library(away):
    code = "import recipes; print(recipes.__file__, recipes.UserPersonalization(mode='fast'))"
    told = run(away, str(away / "venv" / "bin" / "python"), "-c", code)
    assert str(away) in told
    assert "mode='fast'" in told


def test_it_serves_the_main_job(away, program):
    (away / "data").mkdir()
    server = servers.start(away / "data", program=[program], cwd=away)
    try:
        personalize = server.client("personalize")
        group = main_job.films(server, personalize)
        solution = main_job.solution(personalize, group, "films", "aws-popularity-count")
        campaign = main_job.campaign(personalize, main_job.version(personalize, solution))
        runtime = server.client("personalize-runtime")
        assert len(runtime.get_recommendations(campaignArn=campaign, userId="user-0")["itemList"]) == 25
        asked = urllib.request.Request(f"{server.url}/accounts/login/", headers={"Accept-Language": "de"})
        with urllib.request.urlopen(asked, timeout=60) as page:
            text = page.read().decode()
        assert "Anmelden" in text  # the catalogues came along
        linked = re.search(r"/static/console\.[0-9a-f]+\.css", text)  # and the templates
        assert linked
        with urllib.request.urlopen(f"{server.url}{linked[0]}", timeout=60) as style:
            assert style.status == 200
    finally:
        servers.stop(server)


def test_its_command_explains_itself(away, program):
    told = run(away, program)
    assert "serve" in told
    assert "train" in told
