"""Traces: a span for each request and each job, that say whose they are; none unless the standard variables ask for them."""

from __future__ import annotations

import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from celery import current_app
from django.contrib.auth.models import User
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from console import checks, jobs, tasks, tracing
from console.errors import JobError
from console.models import Member, SampleLoad, Token
from console.opentelemetry import OpenTelemetry, configured
from tests.fronting import send

pytestmark = pytest.mark.django_db(transaction=True)

CLIENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def exported():
    """What is exported, in memory, while this process traces."""
    exporter = InMemorySpanExporter()
    tracing.use(OpenTelemetry(SimpleSpanProcessor(exporter)))
    yield exporter
    tracing.use(None)


@pytest.fixture
def token(account):
    user = User.objects.create_user("alice")
    Member.objects.create(user=user, account=account, role=Member.Role.OWNER)
    return f"Bearer {Token.issue(user)}"


@pytest.fixture
def sent(monkeypatch):
    """What the broker is told of jobs."""
    told = []
    monkeypatch.setattr(current_app, "send_task", lambda _name, args, **_options: told.append(args))
    return told


def test_a_request_is_a_span_of_the_clients_trace_that_says_whose_it_is(exported, token, account):
    assert send("/api/v1/dataset-groups/none/", HTTP_AUTHORIZATION=token, HTTP_TRACEPARENT=CLIENT) == 404
    [span] = exported.get_finished_spans()
    assert (span.name, span.kind) == ("api DescribeDatasetGroup", SpanKind.SERVER)
    assert (f"{span.context.trace_id:032x}", f"{span.parent.span_id:016x}") == tuple(CLIENT.split("-")[1:3])
    assert span.attributes["http.response.status_code"] == 404
    assert span.attributes["url.path"] == "/api/v1/dataset-groups/none/"
    assert span.attributes["openpersonalize.account"] == account.number
    assert span.attributes["openpersonalize.request"]
    assert span.resource.attributes["service.name"] == "openpersonalize"


def test_what_a_request_carries_is_in_no_span(exported, token):
    send("/api/v1/dataset-groups/", HTTP_AUTHORIZATION=token, HTTP_COOKIE="sessionid=secret", QUERY_STRING="user=bob")
    send("/ingest/secret-key/events", b"[]", REQUEST_METHOD="POST")
    send("/accounts/password/secret-link/")
    told = str([dict(span.attributes) for span in exported.get_finished_spans()])
    assert not [word for word in ("bob", "secret", token) if word in told]


def test_a_job_is_a_part_of_the_trace_of_the_request_that_began_it(exported, account, sent, monkeypatch):
    def load(held):
        held.report("reading")
        held.report("reading")
        held.report("writing")
        held.finish()

    monkeypatch.setitem(tasks.ALL_RUNNERS, "SampleLoad", load)
    row = SampleLoad.objects.create(account=account, name="movielens-100k")
    with tracing.request({}):
        jobs.enqueue(row)
    tasks.run(*sent[0])
    request, job = exported.get_finished_spans()
    assert job.parent.span_id == request.context.span_id
    assert (job.name, job.kind) == ("job SampleLoad", SpanKind.CONSUMER)
    assert job.attributes["openpersonalize.job"] == f"SampleLoad {row.pk}"
    assert job.attributes["openpersonalize.account"] == account.number
    assert (job.attributes["openpersonalize.status"], job.attributes["openpersonalize.attempt"]) == ("ACTIVE", 1)
    assert [event.name for event in job.events] == ["reading", "writing"]


def test_a_failed_job_is_a_failed_span_with_the_reason(exported, account, monkeypatch):
    def fail(_held):
        raise JobError("The file has no rows.")

    monkeypatch.setitem(tasks.ALL_RUNNERS, "SampleLoad", fail)
    tasks.run("SampleLoad", SampleLoad.objects.create(account=account, name="movielens-100k").pk)
    [span] = exported.get_finished_spans()
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "The file has no rows.")
    assert span.attributes["openpersonalize.status"] == "CREATE FAILED"


def test_without_traces_a_job_is_told_as_ever(account, sent):
    """A worker of an earlier release takes it, too."""
    row = SampleLoad.objects.create(account=account, name="movielens-100k")
    with tracing.request({}):
        jobs.enqueue(row)
    assert sent == [["SampleLoad", row.pk]]


@pytest.mark.parametrize(
    ("variables", "is_wanted"),
    [
        ({"OTEL_SERVICE_NAME": "shop"}, False),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector/v1/traces"}, True),
        ({"OTEL_TRACES_EXPORTER": "console"}, True),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector"}, False),
        ({"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector"}, False),
    ],
)
def test_the_standard_variables_decide(variables, is_wanted):
    assert tracing.is_wanted(variables) is is_wanted


def test_a_server_that_is_to_trace_without_the_extra_does_not_start(monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector")
    assert checks.variables() == []
    monkeypatch.setattr(tracing, "find_spec", lambda _name: None)
    [error] = checks.variables()
    assert "openpersonalize[otel]" in error.hint


class Collector(BaseHTTPRequestHandler):
    """Takes what is sent by OTLP over HTTP."""

    taken: list[tuple[str, bytes]]

    def do_POST(self):
        self.taken.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_args):
        """Write nothing."""


def test_spans_reach_a_collector(monkeypatch, account):
    Collector.taken = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
        monkeypatch.setenv("OTEL_SERVICE_NAME", "shop")
        tracing.use(configured(os.environ))
        send("/api/v1/recipes/")
        tracing.end()
        tracing.use(None)
        server.shutdown()
    [(path, body)] = Collector.taken
    assert path == "/v1/traces"
    assert b"api GET" in body
    assert b"shop" in body
