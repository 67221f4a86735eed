"""What only a browser shows: dropping a file, live judgement, themes, phones, accessibility."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

from console.models import Dataset, DatasetImportJob, Schema
from console.operations.base import call_by_wire_names
from tests.factories import ROLE, call, make_dataset, put_object
from tests.web.browsing import PATIENCE_MS, faults_of
from tests.web.conftest import watched

SCHEMA = json.dumps({
    "type": "record", "name": "Interactions", "namespace": "com.amazonaws.personalize.schema", "version": "1.0",
    "fields": [{"name": name, "type": "long" if name == "TIMESTAMP" else "string"}
               for name in ("USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE")],
})  # fmt: skip
pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_a_dropped_file_becomes_a_dataset(page, films, run_jobs):
    page.goto("/dataset-groups/films/")
    page.get_by_role("link", name="Import interactions").first.click()
    page.wait_for_url("**/create/datasets/**")  # the click returns before the next page is there
    page.evaluate(
        """text => {
            const data = new DataTransfer();
            data.items.add(new File([text], "watched.csv", {type: "text/csv"}));
            document.querySelector("[data-drop]").dispatchEvent(new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true}));
        }""",
        watched(),
    )
    page.wait_for_url("**/preview/**")
    expect(page.get_by_label("Name of movie id")).to_have_value("ITEM_ID")
    page.get_by_label("Name of event").fill("CHANNEL")
    page.get_by_role("button", name="Start import").click()
    page.wait_for_url("**/dataset-import-jobs/**")
    expect(page.get_by_text("waiting for a worker")).to_be_visible()
    run_jobs()
    page.get_by_role("heading", name="Report").wait_for(timeout=10_000)  # without a reload by hand
    assert Dataset.objects.get().rows == 1200
    assert "CHANNEL" in Dataset.objects.get().schema.text


def test_a_text_shows_its_beginning_and_a_log_that_grows_its_end(page, films):
    dataset = make_dataset(films.account, group="other")
    page.goto(f"/schemas/{Schema.objects.get().name}/")
    text = page.locator("pre.log")
    assert text.evaluate("part => [part.scrollTop, part.scrollHeight > part.clientHeight]") == [0, True]
    source = {"dataLocation": put_object("events.csv", watched())}
    call(
        "CreateDatasetImportJob", films.account, job_name="long", dataset_arn=dataset, data_source=source, role_arn=ROLE
    )
    lines = "10:00:00 reading" + "\n" * 40 + "end"
    DatasetImportJob.objects.update(status=DatasetImportJob.running, claim="held", progress={"log": [lines]})
    page.goto("/dataset-import-jobs/long/")
    assert page.locator("pre.log").evaluate("part => part.scrollTop + part.clientHeight >= part.scrollHeight - 1")


def test_an_expression_is_judged_while_one_types(page, films):
    page.goto("/create/filters/?group=films")
    page.get_by_label("Expression").fill("INCLUDE ItemID")
    page.get_by_text("Column 15").wait_for()


def test_fields_and_values_are_completed_and_coloured(page, films, run_jobs):
    call_by_wire_names("CreateSchema", films.account, {"name": "s", "schema": SCHEMA})
    schema = Schema.objects.get()
    members = {"name": "i", "schemaArn": schema.arn, "datasetGroupArn": films.arn, "datasetType": "Interactions"}
    call_by_wire_names("CreateDataset", films.account, members)
    Dataset.objects.update(statistics={"event_types": {"watch": 7, "rent": 3}})
    page.goto("/create/filters/?group=films")
    field = page.get_by_label("Expression")
    field.press_sequentially("exc")
    page.get_by_role("option", name="EXCLUDE").wait_for()
    field.press("Enter")
    field.press_sequentially(" ItemID WHERE Interactions.EV")
    page.get_by_role("option", name="Interactions.EVENT_TYPE").wait_for()
    field.press("ArrowDown")
    field.press("ArrowUp")
    field.press("Enter")
    field.press_sequentially(" IN (")
    page.get_by_role("option", name="watch 7").wait_for()
    field.press_sequentially('"re')
    page.get_by_role("option", name="rent 3").click()
    field.press_sequentially(")")
    expect(field).to_have_value('EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("rent")')
    expect(page.locator(".editor .tok-string")).to_have_text('"rent"')
    page.get_by_text("This works").wait_for()
    expect(page.get_by_role("listbox")).to_be_hidden()


def test_the_theme_follows_the_system_until_it_is_chosen(page):
    theme = "document.documentElement.dataset.bsTheme"
    assert page.evaluate(theme) == "light"
    page.get_by_label("Switch between light and dark").click()
    assert page.evaluate(theme) == "dark"
    page.reload()
    assert page.evaluate(theme) == "dark"


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")])
def test_pages_of_an_empty_group_fit_and_have_no_serious_accessibility_fault(browser, page, films, width, scheme):
    """Those with something on them are looked at in all their looks by test_every_page_browser."""
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)
    for address in (
        "/", "/dataset-groups/films/", "/create/dataset-groups/", "/create/datasets/?group=films", "/datasets/?group=films",
        "/create/filters/?group=films", "/create/datasets/schema/?group=films", "/settings/access/", "/settings/health/", "/settings/people/", "/settings/you/", "/settings/you/second-step/",
        "/dataset-groups/films/delete/", "/audit/", "/trash/", "/experiments/", "/shared-evaluations/", "/create/metric-attributions/?group=films", "/create/batch-inference-jobs/?group=films",
    ):  # fmt: skip
        assert faults_of(page, address) == [], address


def test_everything_can_be_reached_with_the_keyboard(page, films):
    page.goto("/dataset-groups/films/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    page.wait_for_url("**#main")


def test_pages_work_without_javascript(browser, live_server, alice, films, tmp_path, run_jobs):
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto("/create/datasets/?group=films")
    page.get_by_label("Username").fill("alice")
    page.get_by_label("Password").fill("right-password")
    page.get_by_role("button", name="Sign in", exact=True).click()
    file = tmp_path / "watched.csv"
    file.write_text(watched())
    page.get_by_label("Files").set_input_files(file)
    page.get_by_role("button", name="Upload").click()
    page.get_by_role("button", name="Start import").click()
    page.wait_for_url("**/dataset-import-jobs/**")
    run_jobs()
    page.reload()
    expect(page.get_by_role("heading", name="Report")).to_be_visible()
    context.close()


def test_times_are_told_in_the_zone_of_the_person(browser, live_server, alice, films):
    context = browser.new_context(base_url=live_server.url, timezone_id="Asia/Tokyo", locale="en-GB")
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto("/dataset-groups/")
    page.get_by_label("Username").fill("alice")
    page.get_by_label("Password").fill("right-password")
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/dataset-groups/")
    assert "GMT+9" in page.locator("time").first.get_attribute("title")
    context.close()


def test_all_rows_of_a_page_are_ticked_at_once_and_columns_are_chosen(page, films):
    page.goto("/dataset-groups/")
    page.get_by_label("Select all on this page").check()
    expect(page.get_by_label("Select films")).to_be_checked()
    page.get_by_role("button", name="Delete selected").click()
    expect(page.get_by_role("heading", name="Delete 1 dataset group?")).to_be_visible()
    page.goto("/dataset-groups/")
    page.get_by_text("Columns", exact=True).click()
    page.get_by_label("Domain").uncheck()
    page.get_by_role("button", name="Show these").click()
    expect(page.get_by_role("columnheader", name="Domain")).to_have_count(0)
    page.reload()
    expect(page.get_by_role("columnheader", name="Domain")).to_have_count(0)


def test_the_schema_follows_the_columns_while_one_edits(page, films, tmp_path):
    file = tmp_path / "watched.csv"
    file.write_text(watched())
    page.goto("/create/datasets/?group=films")
    page.get_by_label("Files").set_input_files(file)
    page.get_by_role("button", name="Upload").click()
    page.wait_for_url("**/preview/**")
    page.get_by_label("Name of event").fill("CHANNEL")
    page.get_by_text("Options and schema").click()
    page.locator("#schema-0", has_text="CHANNEL").wait_for()
