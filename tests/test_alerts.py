"""Alerts reach a real web server and a real mail server: once, again after a failure, and when it is over."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from django.conf import settings as source
from django.utils import timezone

from console import checks, tasks, telemetry
from console.models import Alert, AlertMessage, SampleLoad, SolutionVersion, Status
from tests.factories import call, trained
from tests.worlds import films


class Hook:
    """A web server that keeps what is posted to it, and refuses while `status` says so."""

    def __init__(self) -> None:
        self.bodies: list[dict] = []
        self.status = 200
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if outer.status == 200:
                    outer.bodies.append(json.loads(body))
                self.send_response(outer.status)
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)

    @property
    def texts(self) -> list[str]:
        return [f"{alert['state']} {alert['text']}" for body in self.bodies for alert in body["alerts"]]


class Mail(socketserver.StreamRequestHandler):
    """As much of SMTP as a client needs to hand over a message."""

    letters: list[str] = []

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline():
            word = line[:4].upper()
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                self.letters.append("".join(iter(lambda: self.rfile.readline().decode(), ".\r\n")))
            self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
            if word == b"QUIT":
                return


@pytest.fixture
def hook(settings, broker, db) -> Iterator[Hook]:
    url = f"unix://{broker.connection_pool.connection_kwargs['path']}"
    settings.CACHES = {"default": {**source.CACHES["default"], "LOCATION": url}}
    found = Hook()
    settings.ALERT_WEBHOOK_URL = f"http://127.0.0.1:{found.server.server_port}/"
    with _serving(found.server):
        yield found


def _serving(server):
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    class Until:
        def __enter__(self):
            return server

        def __exit__(self, *args):
            server.shutdown()
            server.server_close()

    return Until()


def fail(account, name: str) -> None:
    row = SampleLoad.objects.create(account=account, name=name, status=Status.CREATE_FAILED)
    SampleLoad.objects.filter(pk=row.pk).update(finished=timezone.now(), failure_reason="The file is gone.")


def look(broker, minutes: float = 0.0) -> None:
    """The clock comes round, so many minutes later."""
    for model, fields in ((AlertMessage, ("created", "next_try", "sent")), (Alert, ("since", "told", "ended"))):
        for row in model.objects.all():
            moved = {name: getattr(row, name) - timedelta(minutes=minutes) for name in fields if getattr(row, name)}
            model.objects.filter(pk=row.pk).update(**moved)
    for key in broker.keys("*alerts:lock*"):
        broker.delete(key)
    tasks.alert()


def test_a_failed_job_is_told_once_and_when_it_is_no_longer_news(account, hook, broker):
    fail(account, "movielens-100k")
    look(broker)
    look(broker, minutes=10)
    assert hook.texts == ["firing SampleLoad movielens-100k of alice failed: The file is gone."]
    assert "movielens-100k" in hook.bodies[0]["text"]
    SampleLoad.objects.update(finished=timezone.now() - timedelta(days=2))
    look(broker, minutes=10)
    assert hook.texts[1:] == ["ended SampleLoad movielens-100k of alice failed: The file is gone."]


def test_a_message_that_is_not_taken_is_sent_again(account, hook, broker):
    fail(account, "movielens-100k")
    hook.status = 500
    look(broker)
    assert "500" in AlertMessage.objects.get().problem
    hook.status = 200
    look(broker)  # its time has not come
    assert hook.texts == []
    look(broker, minutes=2)
    look(broker, minutes=2)
    assert len(hook.texts) == 1
    assert AlertMessage.objects.get().attempts == 2


def test_many_alerts_are_one_message_and_messages_keep_their_distance(account, hook, broker):
    for number in range(30):
        fail(account, f"sample-{number}")
    look(broker)
    fail(account, "later")
    look(broker, minutes=1)
    assert (len(hook.bodies), len(hook.texts)) == (1, 30)
    look(broker, minutes=10)
    assert (len(hook.bodies), len(hook.texts)) == (2, 31)


def test_a_short_disk_is_told_again_after_a_day_and_when_it_returns(hook, broker, settings):
    settings.DISK_WARNING_PERCENT = 100
    look(broker)
    look(broker, minutes=10)
    assert len(hook.texts) == 1
    look(broker, minutes=60 * 25)
    assert len(hook.texts) == 2
    settings.DISK_WARNING_PERCENT = 0
    look(broker, minutes=10)
    settings.DISK_WARNING_PERCENT = 100
    look(broker, minutes=10)
    assert [text.partition(" ")[0] for text in hook.texts] == ["firing", "firing", "ended", "firing"]


def test_old_and_damaged_models_are_told(account, hook, broker, run_jobs, settings):
    arn = trained(account, run_jobs, films(account), "aws-popularity-count")
    call("CreateCampaign", account, name="c", solution_version_arn=arn)
    SolutionVersion.objects.update(finished=timezone.now() - timedelta(days=8), damage="model.safetensors is missing")
    settings.ALERT_MODEL_DAYS = 7
    look(broker)
    assert any("campaign/c serves a model of" in text for text in hook.texts)
    assert any("model.safetensors is missing" in text for text in hook.texts)


def test_a_share_of_errors_is_told_and_few_requests_are_not(hook, broker):
    look(broker)
    for _ in range(20):
        telemetry.answered("api", "ListRecipes", 500)
    look(broker)
    assert hook.texts == []
    for status in [200] * 80 + [503] * 20:
        telemetry.answered("api", "ListRecipes", status)
    look(broker)
    assert hook.texts == ["firing 20 of the last 100 requests were answered with an error of the server."]


def test_mail_reaches_a_mail_server(account, hook, broker, settings):
    settings.ALERT_WEBHOOK_URL = ""
    Mail.letters.clear()
    with _serving(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mail)) as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.server_address
        settings.ALERT_EMAILS = ["ops@example.org"]
        fail(account, "movielens-100k")
        look(broker)
    (letter,) = Mail.letters
    assert "Subject: OpenPersonalize: SampleLoad movielens-100k of alice failed" in letter
    assert AlertMessage.objects.get().sent


def test_without_a_channel_nothing_is_kept(account, hook, broker, settings):
    settings.ALERT_WEBHOOK_URL = ""
    fail(account, "movielens-100k")
    look(broker)
    assert not Alert.objects.exists()


def test_mistakes_are_found_at_start(settings, monkeypatch):
    settings.ALERT_WEBHOOK_URL, settings.ALERT_EMAILS, settings.EMAIL_HOST = "ftp://x", ["ops@example.org"], ""
    monkeypatch.setenv("EMAIL_URL", "http://x")
    assert {"console.E006", "console.E007", "console.E008"} <= {found.id for found in checks.variables()}
