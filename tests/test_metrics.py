"""What Prometheus reads: figures of requests and of the state behind them, for administrators and holders of the token alone."""

from __future__ import annotations

import json
import re
import threading
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from console import metrics, telemetry
from console.front import replies
from console.health import HEALTH, Health
from console.models import SampleLoad, SolutionVersion, Token
from console.operations.base import OPERATIONS, call_by_wire_names
from tests.e2e.server import wait_until
from tests.factories import call, trained
from tests.fronting import Protocol, send
from tests.worlds import films

ROOT = Path(__file__).resolve().parents[1]


def figures() -> dict[tuple[str, ...], float]:
    """Every sample by its name and its labels' values."""
    families = text_string_to_metric_families(metrics.exposition().decode())
    return {(s.name, *s.labels.values()): s.value for family in families for s in family.samples}


@pytest.fixture
def people(vera, charlie):
    """A viewer, and an owner of another account."""
    return vera, charlie


def test_who_does_not_run_the_server_is_refused_and_a_token_opens(client, settings, alice, people, account):
    viewer, neighbour = people
    assert client.get("/metrics").status_code == 403
    assert viewer.get("/metrics").status_code == 403
    assert alice.get("/metrics").status_code == 403  # of an account that does not run the server
    assert neighbour.get("/metrics").status_code == 403
    type(account).objects.filter(pk=account.pk).update(number="000000000000")
    assert alice.get("/metrics").status_code == 200
    assert viewer.get("/metrics").status_code == 403
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 403
    settings.METRICS_TOKEN = "scrape"
    assert client.get("/metrics", headers={"Authorization": "Bearer scrape"}).status_code == 200
    assert client.get("/metrics", headers={"Authorization": "Bearer scrap"}).status_code == 403
    owner = Client().get("/metrics", headers={"Authorization": f"Bearer {Token.issue(_user(alice))}"})
    assert owner.status_code == 200
    assert owner["Content-Type"].startswith("text/plain")


def _user(client):
    return User.objects.get(pk=client.session["_auth_user_id"])


def test_requests_are_counted_by_interface_operation_and_status_with_their_time(transactional_db, account, alice):
    token = f"Bearer {Token.issue(_user(alice))}"
    before = figures()
    assert send("/api/v1/dataset-groups/", HTTP_AUTHORIZATION=token) == 200
    assert send("/api/v1/dataset-groups/none/", HTTP_AUTHORIZATION=token) == 404
    assert send("/api/v1/dataset-groups/") == 401
    assert send("/aws/", REQUEST_METHOD="POST", HTTP_X_AMZ_TARGET="AmazonPersonalize.ListSolutions") == 403
    assert send("/accounts/login/") == 200
    after = figures()

    def more(*name: str) -> float:
        return after.get(name, 0.0) - before.get(name, 0.0)

    assert more("openpersonalize_requests_total", "api", "ListDatasetGroups", "200") == 1
    assert more("openpersonalize_requests_total", "api", "DescribeDatasetGroup", "404") == 1
    assert more("openpersonalize_requests_total", "api", "", "401") == 1
    assert more("openpersonalize_requests_total", "aws", "", "403") == 1
    assert more("openpersonalize_requests_total", "pages", "", "200") == 1
    assert more("openpersonalize_request_seconds_count", "api", "ListDatasetGroups") == 1
    assert more("openpersonalize_request_seconds_bucket", "api", "+Inf", "ListDatasetGroups") == 1


def test_what_is_refused_before_any_work_is_counted():
    before = telemetry._requests("api", "", 503)._value.get()
    replies.refuse(Protocol(), "/api/v1/recipes/", 503, "ServiceUnavailableException", "busy")
    assert telemetry._requests("api", "", 503)._value.get() == before + 1


def test_events_are_counted_once_they_are_durable(account):
    call_by_wire_names("CreateDatasetGroup", account, {"name": "films"})
    group = OPERATIONS["ListDatasetGroups"](account)["datasetGroups"][0]["datasetGroupArn"]
    tracking_id = call("CreateEventTracker", account, name="t", dataset_group_arn=group)["trackingId"]
    name = ("openpersonalize_events_acknowledged_total", "PutEvents")
    before = figures().get(name, 0.0)
    event = {"eventType": "watch", "itemId": "i", "sentAt": 1_700_000_000}
    call("PutEvents", account, tracking_id=tracking_id, session_id="s", event_list=[event, event])
    assert figures()[name] == before + 2


def test_jobs_models_disk_and_parts_are_told(account, run_jobs):
    arn = trained(account, run_jobs, films(account), "aws-popularity-count")
    call("CreateCampaign", account, name="c", solution_version_arn=arn)
    SolutionVersion.objects.update(finished=timezone.now() - timedelta(days=3))
    SampleLoad.objects.create(account=account, name="movielens-100k")
    SampleLoad.objects.update(updated=timezone.now() - timedelta(minutes=9))
    found = figures()
    assert found["openpersonalize_jobs", "SolutionVersion", "ACTIVE"] == 1
    assert found["openpersonalize_oldest_job_seconds", "SampleLoad", "waiting"] >= 540
    assert found["openpersonalize_model_age_seconds", account.number, "campaign/c"] >= 3 * 86400
    assert found["openpersonalize_damaged_models",] == 0
    assert 0 < found["openpersonalize_disk_bytes", "free"] <= found["openpersonalize_disk_bytes", "total"]


@pytest.mark.django_db
def test_the_health_of_parts_is_that_of_their_last_checks_however_seldom_it_is_read(checks, monkeypatch):
    wait_until(HEALTH.is_fresh, 30)
    monkeypatch.setattr("console.health.FRESH_S", 0.0)  # as if a while had passed since
    found = figures()
    assert {name[1]: value for name, value in found.items() if name[0] == "openpersonalize_health"} == dict.fromkeys(
        checks, 1.0
    )


@pytest.mark.django_db
def test_the_health_of_parts_that_nobody_has_checked_yet_is_not_told(monkeypatch):
    monkeypatch.setattr("console.metrics.HEALTH", Health({"nothing": threading.Event().wait}))
    assert not [name for name in figures() if name[0] == "openpersonalize_health"]


@pytest.mark.django_db
def test_a_broker_that_is_away_costs_its_own_figures_only(settings, tmp_path):
    settings.REDIS_URL = f"unix://{tmp_path}/nobody.sock"
    found = figures()
    assert ("openpersonalize_queue_length",) not in found
    assert ("openpersonalize_disk_bytes", "free") in found


def _names(text: str) -> set[str]:
    return set(re.findall(r"openpersonalize_\w+", text))


@pytest.mark.parametrize("path", ["grafana/openpersonalize.json", "prometheus/alerts.yaml"])
def test_dashboard_and_rules_name_figures_that_exist(account, broker, settings, path):
    settings.REDIS_URL = f"unix://{broker.connection_pool.connection_kwargs['path']}"
    text = metrics.exposition().decode()
    told = {name for family in text_string_to_metric_families(text) for name in _series(family)}
    assert _names((ROOT / "deploy" / path).read_text()) - told == set()


def _series(family) -> set[str]:
    ends = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}
    return {f"{family.name}{end}" for end in ends.get(family.type, ("",))}


def test_every_figure_is_on_the_dashboard_and_in_the_documents(account, broker, settings):
    settings.REDIS_URL = f"unix://{broker.connection_pool.connection_kwargs['path']}"
    families = list(text_string_to_metric_families(metrics.exposition().decode()))
    board = (ROOT / "deploy" / "grafana" / "openpersonalize.json").read_text()
    hosting = (ROOT / "docs" / "hosting.md").read_text()
    assert [family.name for family in families if family.name not in board] == []
    assert [family.name for family in families if f"`{family.name}" not in hosting] == []


def test_rules_and_dashboard_are_well_formed():
    rules = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yaml").read_text())["groups"][0]["rules"]
    assert all({"alert", "expr", "annotations"} <= rule.keys() for rule in rules)
    board = json.loads((ROOT / "deploy" / "grafana" / "openpersonalize.json").read_text())
    assert all(target["expr"] for panel in board["panels"] for target in panel["targets"])
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


def test_hits_and_misses_of_what_is_kept_in_memory_are_counted(account, run_jobs):
    arn = trained(account, run_jobs, films(account), "aws-popularity-count")
    campaign = call("CreateCampaign", account, name="c", solution_version_arn=arn)["campaignArn"]
    before = figures()
    for _ in range(3):
        call("GetRecommendations", account, campaign_arn=campaign, user_id="u1")
    after = figures()

    def more(name: str, result: str) -> float:
        key = ("openpersonalize_cache_lookups_total", name, result)
        return after.get(key, 0.0) - before.get(key, 0.0)

    assert (more("scores", "miss"), more("scores", "hit")) == (1, 2)
    assert (more("models", "miss"), more("models", "hit")) == (1, 2)
