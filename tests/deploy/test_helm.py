"""The Helm chart, read without Helm: its documents are YAML, its values exist, and it runs what the image runs."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import indent

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "deploy" / "helm"
VALUES = yaml.safe_load((CHART / "values.yaml").read_text())
DEFINED = dict(
    re.findall(
        r'\{\{- define "([^"]+)" -\}\}\n(.*?)\n\{\{- end \}\}\n(?=\{\{- define|\Z)',
        (CHART / "templates" / "_helpers.tpl").read_text(),
        re.DOTALL,
    )
)
TEMPLATES = sorted((CHART / "templates").glob("*.yaml"))


def rendered(text: str) -> str:
    """A template with every branch taken and x for every value."""
    included = re.sub(
        r' ?\{\{- include "([^"]+)" \. \| nindent (\d+) \}\}',
        lambda found: "\n" + indent(rendered(DEFINED[found[1]]), " " * int(found[2])),
        text,
    )
    plain = re.sub(r"(?m)^\s*\{\{-? ?(?:if|with|range|end)\b[^\n]*\}\}\n?", "", included + "\n")
    objects = re.sub(r"\{\{- toYaml [^}]*\}\}", "{}", plain)
    return re.sub(r"\{\{[^}]*\}\}", "x", re.sub(r"\{\{[^}]*\| quote \}\}", '"x"', objects)).rstrip("\n")


def documents() -> list[dict]:
    return [found for path in TEMPLATES for found in yaml.safe_load_all(rendered(path.read_text()))]


def test_every_document_is_an_object_of_kubernetes():
    kinds = [found["kind"] for found in documents()]
    assert all({"apiVersion", "kind", "metadata", "spec"} <= found.keys() for found in documents())
    assert sorted(kinds) == [
        "Deployment",
        "Deployment",
        "Ingress",
        "PersistentVolumeClaim",
        "Service",
        "ServiceMonitor",
    ]


@pytest.mark.parametrize("path", [*TEMPLATES, CHART / "templates" / "_helpers.tpl"], ids=lambda path: path.name)
def test_every_value_that_a_template_reads_exists(path):
    for name in re.findall(r"\.Values\.([\w.]+)", path.read_text()):
        found = VALUES
        for part in name.split("."):
            assert part in found, name
            found = found[part]


def test_selectors_find_the_pods():
    for found in documents():
        if found["kind"] == "Deployment":
            labels = found["spec"]["template"]["metadata"]["labels"]
            assert found["spec"]["selector"]["matchLabels"].items() <= labels.items()


def test_containers_run_as_the_image_and_the_compose_file_have_it():
    containers = {
        found["metadata"]["name"]: found["spec"]["template"]["spec"]["containers"][0]
        for found in documents()
        if found["kind"] == "Deployment"
    }
    compose = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())["services"]["worker"]
    assert containers["x-worker"]["command"] == compose["entrypoint"]
    assert containers["x-worker"]["args"] == compose["command"]
    port = re.search(r"^EXPOSE (\d+)$", (ROOT / "deploy" / "Containerfile").read_text(), re.MULTILINE)
    assert str(containers["x"]["ports"][0]["containerPort"]) == port[1]
    for container in containers.values():
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        mounted = {mount["mountPath"] for mount in container["volumeMounts"]}
        assert mounted == {"/data", "/tmp"}  # noqa: S108


def test_every_variable_is_documented():
    told = (ROOT / "README.md").read_text() + (ROOT / "docs" / "hosting.md").read_text()
    text = (CHART / "values.yaml").read_text() + (CHART / "templates" / "_helpers.tpl").read_text()
    names = set(re.findall(r"\b[A-Z]{3,}_[A-Z_]+\b", text))
    assert names >= {"SECRET_KEY", "ENCRYPTION_KEY", "DATABASE_URL", "REDIS_URL", "ALLOWED_HOSTS"}
    assert [name for name in sorted(names) if f"`{name}`" not in told] == []
