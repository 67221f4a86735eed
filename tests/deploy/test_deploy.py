"""The files for containers and systemd name what exists: variables, folders, commands."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
DOCUMENTED = (ROOT / "README.md").read_text() + (ROOT / "docs" / "hosting.md").read_text()


def test_every_variable_of_the_services_is_documented():
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    for name in ("server", "worker"):
        for variable in compose["services"][name]["environment"]:
            assert f"`{variable}`" in DOCUMENTED, variable


def test_every_volume_and_dependency_of_the_services_is_there():
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    for service in compose["services"].values():
        assert {volume.partition(":")[0] for volume in service["volumes"]} <= compose["volumes"].keys()
        assert set(service.get("depends_on", ())) <= compose["services"].keys()


def test_the_image_copies_what_the_wheel_is_built_from():
    text = (DEPLOY / "Containerfile").read_text()
    copied = {name for line in re.findall(r"^COPY (?!--)(.*)$", text, re.MULTILINE) for name in line.split()[:-1]}
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert {
        "pyproject.toml",
        "README.md",
        "manage.py",
        "deploy/pins",
        *wheel["packages"],
        *wheel["force-include"],
    } == copied
    assert all((ROOT / name).exists() for name in copied)
    assert re.search(r"^USER app$", text, re.MULTILINE)


@pytest.mark.parametrize(("pins", "extras"), [("server", ["otel"]), ("ray", ["otel", "ray"])])
def test_the_image_holds_allowed_versions_whose_files_are_known(pins: str, extras: list[str]) -> None:
    """Each direct dependency is pinned within its bounds, and each package has its files' hashes (torch, whose build one chooses, apart)."""
    text = (DEPLOY / "pins" / f"{pins}.txt").read_text() + (DEPLOY / "pins" / "torch.txt").read_text()
    pinned = dict(re.findall(r"^(\S+)==(\S+)", text, re.MULTILINE))
    hashed = set(re.findall(r"^(\S+)==\S+ \\\n +--hash=sha256:[0-9a-f]{64}\b", text, re.MULTILINE))
    assert pinned.keys() - hashed == {"torch"}
    described = tomllib.loads((ROOT / "pyproject.toml").read_text())
    project = described["project"]
    wanted = [*project["dependencies"], *described["build-system"]["requires"]]
    wanted += [line for extra in extras for line in project["optional-dependencies"][extra]]
    for requirement in map(Requirement, wanted):
        assert pinned[canonicalize_name(requirement.name)] in requirement.specifier, requirement


def test_the_ray_cluster_has_what_its_pieces_need():
    """The fields that the KubeRay operator asks for, an image with Ray in it, and no rights beyond need."""
    cluster = yaml.safe_load((DEPLOY / "ray-cluster.yaml").read_text())
    assert (cluster["apiVersion"], cluster["kind"]) == ("ray.io/v1", "RayCluster")
    spec = cluster["spec"]
    wanted = re.search(r"\nray = \[\"ray>=([\d.]+),<([\d.]+)\"\]", (ROOT / "pyproject.toml").read_text())
    assert wanted is not None
    low, version, high = (tuple(map(int, text.split("."))) for text in (wanted[1], spec["rayVersion"], wanted[2]))
    assert low <= version < high
    assert "ARG PINS" in (DEPLOY / "Containerfile").read_text()
    assert spec["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"
    groups = [spec["headGroupSpec"], *spec["workerGroupSpecs"]]
    assert all(group["minReplicas"] <= group["replicas"] <= group["maxReplicas"] for group in groups[1:])
    for group in groups:
        pod = group["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"]
        assert {mount["name"] for mount in pod["containers"][0]["volumeMounts"]} == {v["name"] for v in pod["volumes"]}
        assert pod["containers"][0]["resources"]["requests"] == pod["containers"][0]["resources"]["limits"]
        assert all(isinstance(value, str) for value in group["rayStartParams"].values())  # the operator refuses others
    assert f"RAY_ADDRESS={cluster['metadata']['name']}-head-svc:6379" in DOCUMENTED


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not on this machine")
def test_the_unit_is_valid():
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(DEPLOY / "systemd" / "openpersonalize.service")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    faults = [
        line for line in done.stderr.splitlines() if "openpersonalize" in line and "is not executable" not in line
    ]
    assert not faults, faults
