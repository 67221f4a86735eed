"""Who may see which page, and who may change something."""

from __future__ import annotations

from django.contrib.auth.models import User

from console.models import DatasetGroup

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
