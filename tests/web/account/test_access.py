"""Who may see which page, and who may change something."""

from __future__ import annotations

from contextlib import ExitStack
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from console.models import AccessKey, DatasetGroup, Token
from console.web.account.sign_in import ATTEMPTS, guess

PAGES = [
    "/", "/dataset-groups/", "/datasets/", "/schemas/", "/filters/", "/event-trackers/", "/dataset-import-jobs/",
    "/dataset-export-jobs/", "/data-deletion-jobs/", "/batch-inference-jobs/", "/batch-segment-jobs/",
    "/metric-attributions/", "/settings/access/", "/settings/health/",
]  # fmt: skip
FORMS = [
    "/create/dataset-groups/", "/create/datasets/", "/create/datasets/schema/", "/create/schemas/", "/create/filters/",
    "/create/event-trackers/", "/create/dataset-export-jobs/", "/create/data-deletion-jobs/",
    "/create/batch-inference-jobs/", "/create/batch-segment-jobs/", "/create/metric-attributions/",
]  # fmt: skip


def test_a_member_sees_each_page(alice, films):
    forms = [f"{address}?group=films" for address in FORMS]
    refused = {address: alice.get(address).status_code for address in (*PAGES, *FORMS, *forms)}
    assert set(refused.values()) == {200}, refused


def test_it_asks_strangers_to_sign_in(client, db):
    for address in (*PAGES, *FORMS, "/dataset-groups/films/"):
        answer = client.get(address)
        assert answer.status_code == 302, address
        assert answer["Location"].startswith("/accounts/login/"), address


def test_signing_in_leads_to_the_console_and_out_again(client, alice):
    answer = client.post("/accounts/login/", {"username": "alice", "password": "right-password"}, follow=True)
    assert "Dataset groups" in answer.text
    assert client.post("/accounts/logout/")["Location"] == "/accounts/login/"
    assert client.get("/").status_code == 302


def test_a_wrong_password_is_an_error_on_the_form(client, alice):
    answer = client.post("/accounts/login/", {"username": "alice", "password": "wrong"})
    assert "enter a correct username and password" in answer.text


def sign_in(client, name: str, password: str, **headers: str) -> str:
    answer = client.post("/accounts/login/", {"username": name, "password": password}, headers=headers)
    return answer.text if answer.status_code == 200 else "signed in"


def test_after_many_wrong_passwords_a_person_waits(client, alice, vera, counting):
    wrong = {sign_in(client, "alice", f"guess-{number}") for number in range(ATTEMPTS)}
    assert all("enter a correct username and password" in text for text in wrong)
    assert "Wait 15 minutes" in sign_in(client, "alice", "right-password")
    assert sign_in(client, "vera", "right-password") == "signed in", "another name is not held up"


def test_guesses_side_by_side_count_before_they_are_made(alice, counting):
    with ExitStack() as stack:
        for _ in range(ATTEMPTS):
            stack.enter_context(guess(None, "alice"))
        with pytest.raises(ValidationError), guess(None, "alice"):
            pass


def test_behind_a_proxy_addresses_are_told_apart(client, alice, counting, settings):
    settings.BEHIND_HTTPS = True
    for number in range(ATTEMPTS):
        sign_in(client, "alice", f"guess-{number}", x_forwarded_for="spoofed, 192.0.2.1")
    assert "Wait" in sign_in(client, "alice", "right-password", x_forwarded_for="192.0.2.1")
    assert sign_in(client, "alice", "right-password", x_forwarded_for="192.0.2.1, 192.0.2.2") == "signed in"


@pytest.mark.parametrize("address", ["2001:db8:1:2::{}", "203.0.113.5:{}", "[2001:db8:1:2::{}]:{}"])
def test_addresses_of_one_network_and_ports_of_one_address_count_together(client, alice, counting, settings, address):
    settings.BEHIND_HTTPS = True
    for number in range(1, ATTEMPTS + 1):
        sign_in(client, "alice", f"guess-{number}", x_forwarded_for=address.format(number, number))
    assert "Wait" in sign_in(client, "alice", "right-password", x_forwarded_for=address.format(99, 99))


def test_without_a_broker_people_can_sign_in(client, alice, caplog, settings, tmp_path):
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": f"unix://{tmp_path}/nobody.sock"}}
    assert "enter a correct username" in sign_in(client, "alice", "wrong")
    assert sign_in(client, "alice", "right-password") == "signed in"
    assert "not counted" in caplog.text


def test_a_user_without_an_account_is_told_so(client, db):
    client.force_login(User.objects.create_user("dora"))
    answer = client.get("/")
    assert answer.status_code == 403
    assert "belongs to no account" in answer.text


def test_a_viewer_sees_no_write_controls(vera, films):
    page = vera.get("/dataset-groups/films/").text
    assert "films" in page
    assert "/delete/" not in page
    assert "Import interactions" not in page.replace('title="Import interactions"', "").replace(
        ": Import interactions", ""
    )
    assert "Create dataset group" not in vera.get("/").text


def test_a_viewer_may_not_write(vera, films):
    for address in (*FORMS, "/dataset-groups/films/delete/"):
        assert vera.get(address).status_code == 403, address
        assert vera.post(address, {"name": "stolen"}).status_code == 403, address
    assert DatasetGroup.objects.count() == 1


def test_a_viewer_makes_no_keys(vera):
    assert vera.post("/settings/access/make/", {"what": "key"}).status_code == 403


def test_another_account_finds_nothing(charlie, films):
    for address in ("/dataset-groups/films/", "/dataset-groups/films/delete/", "/datasets/?group=films"):
        answer = charlie.get(address)
        assert answer.status_code == 404, address
        assert "There is no dataset group films in this account" in answer.text


def test_posts_need_the_csrf_token(account, alice):
    alice.handler.enforce_csrf_checks = True
    assert alice.post("/create/dataset-groups/", {"name": "films"}).status_code == 403


@pytest.mark.parametrize("days", ["-1", "9" * 400, "31", "soon", "nan", "30 ", "²", [], ["30", ""]], ids=repr)
@pytest.mark.parametrize("what", ["key", "token"])
def test_a_lifetime_that_is_not_offered_is_refused_and_nothing_is_made(alice, what, days):
    answer = alice.post("/settings/access/make/", {"what": what, "days": days})
    assert answer.status_code == 400
    assert "days is " in unescape(answer.text)
    assert "allowed is one of '', '30', '90', '365'." in unescape(answer.text)
    assert not AccessKey.objects.exists()
    assert not Token.objects.exists()


def test_what_is_to_be_made_is_one_of_two(alice):
    for what in ("", "king", [], ["token", "key"]):
        answer = alice.post("/settings/access/make/", {"what": what, "days": "30"})
        assert answer.status_code == 400
        assert "allowed is one of 'key', 'token'." in unescape(answer.text)
    german = alice.post("/settings/access/make/", {"what": "x", "days": "30"}, headers={"Accept-Language": "de"})
    assert "what ist 'x', erlaubt ist eines von 'key', 'token'." in unescape(german.text)
