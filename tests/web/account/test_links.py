"""The lines that people copy lead to this server, whatever a request's Host header says."""

from __future__ import annotations

import pytest

from console.models import EventTracker
from console.operations.base import call_by_wire_names

pytestmark = pytest.mark.django_db
PAGES = ["/settings/access/", "/event-trackers/{tracker}/"]


@pytest.fixture
def tracker(account, films) -> str:
    call_by_wire_names("CreateEventTracker", account, {"name": "live", "datasetGroupArn": films.arn})
    return EventTracker.objects.get().arn_name


@pytest.mark.parametrize("page", PAGES)
def test_a_forged_host_reaches_no_line_to_copy(alice, tracker, page, settings):
    settings.ALLOWED_HOSTS = ["*"]
    text = alice.get(page.format(tracker=tracker), headers={"Host": "evil.example"}).content.decode()
    assert "evil.example" not in text
    assert "http://testserver:80/aws" in text


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1:9000", "[::1]:8000"])
def test_names_of_this_machine_are_shown_as_asked_for(alice, tracker, host, settings):
    settings.ALLOWED_HOSTS = ["*"]
    assert f"http://{host}/aws" in alice.get("/settings/access/", headers={"Host": host}).content.decode()


def test_named_hosts_and_a_public_address_are_shown(alice, settings):
    settings.ALLOWED_HOSTS = ["recommend.example"]
    text = alice.get("/settings/access/", headers={"Host": "recommend.example"}).content.decode()
    assert "http://recommend.example/aws" in text
    settings.PUBLIC_URL = "https://public.example/"
    text = alice.get("/settings/access/", headers={"Host": "recommend.example"}).content.decode()
    assert "https://public.example/aws" in text
