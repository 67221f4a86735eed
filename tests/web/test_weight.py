"""What a page weighs on a first visit, and that nothing may stand inline in it."""

from __future__ import annotations

import re

import pytest
from django.contrib.staticfiles import storage
from django.core.files.storage import storages
from django.templatetags.static import static
from django.test import Client, override_settings
from django.utils.functional import empty

from console.web import static_storage

LINKED = re.compile(r'(?:src|href)="(/static/[^"]+)"')
MOST_BYTES = 300_000  # the goal is 1.5 MB
A_YEAR = 365 * 86_400


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """Static files as `serve` prepares them."""
    root = tmp_path_factory.mktemp("static")
    with override_settings(STATIC_ROOT=root):
        assert static_storage.collect()
    return root


@pytest.fixture
def collected(settings, prepared):
    """A server over them."""
    settings.STATIC_ROOT = prepared
    _forget()
    yield prepared
    _forget()


def _forget() -> None:
    storages._storages.pop("staticfiles", None)
    storage.staticfiles_storage._wrapped = empty


def sent(client: Client, address: str):
    answer = client.get(address, headers={"Accept-Encoding": "gzip, br"})
    return answer, b"".join(answer.streaming_content) if answer.streaming else answer.content


@pytest.mark.usefixtures("films")
def test_a_first_visit_is_light_and_what_it_loads_is_kept(alice, collected):
    page, body = sent(alice, "/compare/?group=films")
    assert page["Content-Encoding"] == "gzip"
    total, addresses = len(body), LINKED.findall(alice.get("/compare/?group=films").text)
    assert len(addresses) >= 5
    for address in dict.fromkeys(addresses):
        answer, body = sent(alice, address)
        assert answer.status_code == 200, address
        assert answer["Content-Encoding"] == "br", address
        assert int(re.search(r"max-age=(\d+)", answer["Cache-Control"])[1]) >= A_YEAR, address
        total += len(body)
    assert total < MOST_BYTES


def test_nothing_is_collected_twice_until_a_file_changes(collected, settings, tmp_path):
    assert not static_storage.collect()
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / "more.css").write_text("p { color: inherit; }")
    settings.STATICFILES_DIRS = [*settings.STATICFILES_DIRS, tmp_path / "ours"]
    static_storage.finders.get_finder.cache_clear()
    try:
        assert static_storage.collect()
    finally:
        static_storage.finders.get_finder.cache_clear()
    assert list(collected.glob("more.*.css"))


def test_the_style_sheet_is_collected_as_one_file_with_all_of_ours(collected, settings):
    [sheet] = collected.glob("console.*.css")
    text, ours = sheet.read_text(), settings.STATICFILES_DIRS[0] / "styles"
    assert "@import" not in text
    for part in ours.glob("*.css"):
        assert part.read_text() in text, f"{part.name} is not imported by console.css"
        assert "url(" not in part.read_text(), f"an address in {part.name} would mean another file from console.css"
    assert not list(collected.glob("styles/*"))


def test_a_change_of_an_imported_style_sheet_is_collected(settings, monkeypatch, tmp_path):
    ours = tmp_path / "ours" / "styles"
    ours.mkdir(parents=True)
    (ours.parent / "page.css").write_text('@import url("styles/colour.css");\np { margin: 0; }\n')
    monkeypatch.setattr(static_storage, "LOADED", ("page.css",))
    settings.STATIC_ROOT, settings.STATICFILES_DIRS = tmp_path / "root", [ours.parent]
    static_storage.finders.get_finder.cache_clear()
    try:
        for colour in ("red", "blue"):
            (ours / "colour.css").write_text(f"p {{ color: {colour}; }}\n")
            assert static_storage.collect()
            [sheet] = settings.STATIC_ROOT.glob("page.*.css")
            assert sheet.read_text() == f"p {{ color: {colour}; }}\np {{ margin: 0; }}\n"
    finally:
        static_storage.finders.get_finder.cache_clear()


def test_a_file_that_was_not_collected_keeps_its_name(collected):
    assert static("console.css") != "/static/console.css"
    assert static("bootstrap-icons/robot.svg") == "/static/bootstrap-icons/robot.svg"


@pytest.mark.parametrize("address", ["/", "/accounts/login/", "/nothing-here/", "/api/v1/docs/"])
def test_every_page_has_a_policy_without_exceptions(client, address, db):
    answer = client.get(address, follow=True)
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<style|<script(?![^>]*src=)| style=| on\w+=", answer.text)


def test_answers_to_programs_have_none(client, db):
    assert "Content-Security-Policy" not in client.get("/healthz")


def test_the_document_of_the_api_is_made_once_and_kept_for_an_hour(client, db):
    first = client.get("/api/v1/schema/?format=json")
    assert first["Cache-Control"] == "max-age=3600"
    assert first.json()["openapi"].startswith("3.1")
    assert client.get("/api/v1/schema/", headers={"Accept": "*/*"}).text.startswith("openapi:")
