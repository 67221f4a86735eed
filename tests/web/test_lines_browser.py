"""What a person expects of the console, line by line (docs/console.md), in Chromium: those lines that no other browser test holds.

The showcase is built once; each line is a subtest that leaves things as it found them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from console.models import BatchInferenceJob, Experiment, SolutionVersion
from tests.factories import call
from tests.web import showcase

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True), pytest.mark.timeout(1200)]
Line = Callable[[Page, dict[str, str]], None]
LINES: dict[str, Line] = {}


def line(name: str) -> Callable[[Line], Line]:
    """Register what holds a line or a point."""

    def register(function: Line) -> Line:
        LINES[name] = function
        return function

    return register


@line("2 steps lead to what is missing")
def _steps(page, _addresses):
    page.goto("/datasets/?group=shop")
    steps = page.get_by_role("list", name="Steps")
    expect(steps.locator("[data-state=done]").first).to_be_visible()
    expect(steps.locator("[aria-current=step]")).to_have_count(1)
    page.set_viewport_size({"width": 390, "height": 844})
    assert steps.evaluate("list => list.scrollWidth <= list.clientWidth")  # no step is cut on a phone
    page.set_viewport_size({"width": 1280, "height": 800})
    steps.locator("[data-state=blocked] a").first.click()
    assert "group=shop" in page.url or "/shop/" in page.url
    page.goto("/dataset-groups/cinema/")
    expect(page.get_by_role("list", name="Steps")).to_have_count(0)  # something answers there


@line("5 bad rows with line, column, value, rule and file")
def _bad_rows(page, addresses):
    page.goto(addresses["import"])
    row = page.get_by_role("row").filter(has=page.locator("code", has_text="soon"))
    expect(row).to_contain_text("1,202")
    expect(row).to_contain_text("TIMESTAMP")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download rejects").click()
    assert "soon" in download.value.path().read_text()


@line("6 the same file again is noticed")
def _same_file(page, addresses):
    page.goto("/create/datasets/?group=shop")
    page.get_by_label("Files").set_input_files(
        {"name": "again.csv", "mimeType": "text/csv", "buffer": showcase.ORDERS.encode()}
    )
    page.get_by_role("button", name="Upload").click()
    page.wait_for_url("**/preview/**")
    expect(page.get_by_text("This file was already imported")).to_be_visible()
    expect(page.get_by_label("Keep them and add this file's")).to_be_visible()
    page.get_by_role("link", name="Skip this import").click()
    page.wait_for_url("**/datasets/shop/**")


@line("7 a waiting job is stopped and tried again")
def _stop(page, _addresses):
    job = BatchInferenceJob.objects.get()
    BatchInferenceJob.objects.filter(pk=job.pk).update(status=job.waiting)
    page.goto(f"/batch-inference-jobs/{job.name}/")
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("button", name="Retry").click()
    expect(page.get_by_text("waiting for a worker")).to_be_visible()
    expect(page.locator(".progress-panel[hx-get]")).to_be_visible()  # which asks for itself
    BatchInferenceJob.objects.filter(pk=job.pk).update(status=job.done)


@line("8 loss and validation with the best epoch and why it ended")
def _curves(page, addresses):
    version = SolutionVersion.objects.get(solution__name="user-personalization")
    epochs = [
        {"epoch": n, "loss": 3 / n, "validation": 0.1 + 0.01 * min(n, 4) - 0.02 * max(0, n - 4)} for n in range(1, 7)
    ]
    SolutionVersion.objects.filter(pk=version.pk).update(progress=version.progress | {"epochs": epochs})
    page.goto(addresses["version"])
    expect(page.locator("[data-chart=curves] .plot-area")).to_be_visible()
    expect(page.get_by_text("Stopped after epoch 6: nothing got better after epoch 4")).to_be_visible()
    SolutionVersion.objects.filter(pk=version.pk).update(progress=version.progress)


@line("9 a failed job: cause, folded traceback, inputs, retry with changes")
def _failed(page, _addresses):
    job = BatchInferenceJob.objects.get()
    said = {"status": job.failed, "failure_reason": "The input cannot be read.", "traceback": "Traceback: line 1"}
    BatchInferenceJob.objects.filter(pk=job.pk).update(**said)
    page.goto(f"/batch-inference-jobs/{job.name}/")
    expect(page.get_by_role("alert")).to_contain_text("The input cannot be read.")
    expect(page.get_by_text("Traceback: line 1")).to_be_hidden()
    page.get_by_text("Technical details").click()
    expect(page.get_by_text("Traceback: line 1")).to_be_visible()
    expect(page.get_by_text(job.job_input["s3DataSource"]["path"].rpartition("/")[2]).first).to_be_visible()
    page.get_by_role("link", name="Retry with changes").click()
    assert page.get_by_label("Or its location").input_value() == job.job_input["s3DataSource"]["path"]
    assert page.get_by_label("Results for each").input_value() == str(job.num_results)
    BatchInferenceJob.objects.filter(pk=job.pk).update(status=job.done, failure_reason=None, traceback="")


@line("10 recipes are held against the data")
def _recipes(page, addresses):
    page.goto(addresses["recipes"])
    expect(page.get_by_text(re.compile(r"[\d,]+ interactions\.")).filter(visible=True).first).to_be_visible()
    page.get_by_text("All other recipes").click()
    unfit = page.locator(".recipe.unfit").first
    expect(unfit.get_by_role("button", name="Choose")).to_be_disabled()
    expect(unfit.locator(".unmet").first).to_be_visible()


@line("11 changed settings are marked and put back")
def _settings(page, addresses):
    page.goto(addresses["settings"])
    first = page.locator("[data-setting]:has(input[type=number])").first
    before = first.locator("input").input_value()
    first.locator("input").fill(str(float(before) + 1))
    expect(first.locator("[data-changed]")).to_be_visible()
    first.locator("[data-reset]").click()
    assert first.locator("input").input_value() == before
    first.locator("input").fill(str(float(before) + 1))
    page.get_by_role("button", name="Reset all").click()
    assert first.locator("input").input_value() == before
    page.get_by_label("Search for the best values").check()
    expect(page.get_by_role("columnheader", name="From")).to_be_visible()


@line("12 trials, parallel coordinates, importance, a solution of a trial")
def _trials(page, _addresses):
    page.goto(f"/solution-versions/{SolutionVersion.objects.get(solution__name='tuned').arn_name}/")
    expect(page.locator("[data-chart=trials] .plot-area")).to_be_visible()
    expect(page.get_by_role("heading", name="Which settings matter")).to_be_visible()
    page.get_by_role("link", name=re.compile("Create solution of trial")).first.click()
    expect(page.get_by_role("button", name="Train", exact=True)).to_be_visible()
    expect(page.get_by_label("Search for the best values")).not_to_be_checked()


@line("13 metrics with interval, popularity, formula and meaning")
def _metrics(page, addresses):
    page.goto(addresses["version"])
    row = page.get_by_role("row").filter(has_text="NDCG at 10").first
    expect(row).to_contain_text("–")
    expect(page.get_by_role("columnheader", name="Popularity").first).to_be_visible()
    row.locator("summary").click()
    expect(row.locator(".hint-body code")).to_be_visible()


@line("22 users are found while one types, and picked")
def _pickers(page, addresses):
    page.goto(addresses["playground"])
    page.get_by_label("User", exact=True).fill("u5")
    expect(page.locator("#users option").first).to_be_attached()
    page.get_by_role("button", name="Heavy").click()
    page.wait_for_url("**user=u**")
    expect(page.locator(".picks li").first).to_be_visible()


@line("24 what if: the list changes without a reload, and the call can be copied")
def _what_if(page, addresses):
    page.goto(addresses["playground"])
    page.evaluate("window.stays = true")
    page.get_by_label("Results").fill("5")
    page.get_by_label("Results").press("Enter")
    page.wait_for_url("**count=5**")
    lists = page.locator("#lists > .col-lg")
    expect(lists.first.locator("li")).to_have_count(5)
    page.get_by_label("Add an event with the item").fill("i3")
    page.get_by_role("button", name="Show the change").click()
    expect(page.locator(".tag.changed").first).to_be_visible()
    expect(lists.locator("h2")).to_contain_text(["Before", "After", "newsletter"])
    expect(lists.nth(1).locator(".move")).to_have_count(5)
    for language in ("Python", "JavaScript", "curl"):
        expect(page.get_by_text(language, exact=True).first).to_be_attached()
    assert page.evaluate("window.stays")


@line("26 traffic: figures, a user's requests, a trace with scores")
def _traffic(page, addresses):
    page.goto(addresses["traffic"])
    expect(page.locator("[data-chart=traffic] .plot-area")).to_be_visible()
    for figure in ("Requests", "p50", "p95", "p99", "Explored share", "Cache hits"):
        fact = page.locator("dl.facts > div", has=page.get_by_text(figure, exact=True))
        expect(fact.locator("dd")).to_contain_text(re.compile(r"\d"))
    expect(page.locator(".pages").last).to_contain_text("2")
    page.get_by_label("User").fill("u13")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**user=u13**")
    users = page.locator("section", has=page.get_by_role("heading", name="Newest requests")).locator(
        "tbody td:nth-child(2)"
    )
    expect(users.first).to_have_text("u13")
    assert set(users.all_inner_texts()) == {"u13"}
    page.get_by_role("link", name="Trace").first.click()
    expect(page.get_by_role("columnheader", name="Score")).to_be_visible()
    assert re.search(r"\d", page.locator("tbody td:nth-child(4)").first.inner_text())


@line("26 another version is confirmed with what it changes")
def _switch(page, _addresses):
    page.goto("/campaigns/newsletter/")
    call(
        "StopExperiment",
        SolutionVersion.objects.first().account,
        experiment_arn=Experiment.objects.get(name="mixed").arn,
    )
    page.goto("/campaigns/newsletter/update/")
    versions = page.get_by_label("Solution version")
    versions.select_option(versions.locator("option:not(:checked)").first.get_attribute("value"))
    page.get_by_role("button", name="Update campaign").click()
    expect(page.get_by_role("columnheader", name=re.compile("Difference|Change")).first).to_be_visible()


@line("27 a test: split, the version of a user, verdict, harm before gain")
def _experiment_page(page, addresses):
    page.goto(addresses["experiment"])
    expect(page.get_by_role("heading", name="Split")).to_be_visible()
    page.locator("#user").fill("u7")
    page.get_by_role("button", name="Show version").click()
    expect(page.locator("#arm")).to_contain_text(re.compile(r"u7\s+gets the (control|treatment)"))
    expect(page.get_by_text("Too early to tell").first).to_be_visible()
    page.get_by_role("link", name="Promote treatment").click()
    expect(page.get_by_text("an ended experiment cannot go on")).to_be_visible()


@line("28 a deletion says what goes and asks for the name")
def _delete(page, _addresses):
    page.goto("/campaigns/newsletter/delete/")
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_role("alert").first).to_be_visible()
    page.goto("/filters/comedy/delete/")
    page.get_by_role("button", name="Delete", exact=True).click()
    page.goto("/trash/")
    page.get_by_role("button", name="Restore").first.click()
    page.goto("/filters/comedy/")
    expect(page.get_by_role("heading", name="comedy")).to_be_visible()


@line("25 a red error waits until one stops typing")
def _patience(page, addresses):
    apart = page.context.browser.new_context(storage_state=page.context.storage_state())  # whose clock is its own
    other = apart.new_page()
    other.clock.install()
    other.goto(page.evaluate("location.origin") + addresses["filter-form"])
    other.clock.pause_at(datetime.now(UTC) + timedelta(hours=1))
    field, error = other.get_by_label("Expression"), other.locator("#verdict .note.error")
    for word in ("INCLUDE ", "ItemID ", "WHERE ", "Items.NOPE "):
        field.press_sequentially(word)
        other.clock.run_for(700)
        expect(error).to_have_count(0)
    other.clock.run_for(1000)
    expect(error).to_be_visible()
    apart.close()


@line("25 and point 11: a filter's verdict speaks of the chosen user")
def _verdict(page, addresses):
    page.goto(addresses["filter-form"])
    page.get_by_label("Expression").fill('EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch")')
    page.get_by_label("Try it for a user").fill("u1")
    page.get_by_label("Try it for a user").press("Tab")
    expect(page.locator("#verdict")).to_contain_text("items pass for u1 now")
    expect(page.get_by_role("heading", name="Left out")).to_be_visible()


@line("point 2: the cockpit")
def _cockpit(page, addresses):
    page.goto(addresses["overview"])
    figures = {"Quality": r"\d", "Requests in 24 h": r"\d", "Reach": r"\d", "Freshness": r"(\d|just now).* trained"}
    for tile, figure in figures.items():
        expect(page.locator(".tile", has=page.get_by_role("heading", name=tile))).to_contain_text(re.compile(figure))
    expect(page.locator("#strip .shelf li")).to_have_count(10)
    expect(page.locator("#strip img").first).to_be_visible()
    expect(page.locator(".next .btn")).to_have_count(1)


@line("point 3: a decision by goal, the trade-off, segments by versions")
def _decision(page, addresses):
    page.goto(addresses["compare"])
    expect(page.locator(".goals dt")).to_have_count(4)
    expect(page.locator(".goals dd b").first).to_contain_text(re.compile(r"\w"))
    page.get_by_role("navigation", name="Accuracy against").get_by_role("link").nth(1).click()
    page.wait_for_url("**against=**")
    page.goto(addresses["segments"])
    expect(page.locator("#matrix td .delta").first).to_be_visible()


@line("point 5: a click on the shelf sends an event, and what it moved is marked")
def _playground(page, addresses):
    page.goto(addresses["playground"])
    with page.expect_response("**/event/**"):
        page.locator(".shelf button").nth(3).click()
    expect(page.locator(".picks .move").first).to_be_visible()
    expect(page.get_by_text("Arrows show what it moved")).to_be_visible()


@line("point 7: a batch job's answers as a table")
def _answers(page, addresses):
    page.goto(addresses["batch"])
    expect(page.locator(".answers .shelf img").first).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    assert download.value.path().read_text().startswith("ASKED_FOR,RANK,ID,TITLE")


@line("point 4: any user by any versions, without a campaign")
def _anyone(page, addresses):
    page.goto(addresses["anyone"])
    expect(page.locator(".picks").nth(1).locator("li").first).to_be_visible()
    lists = page.locator(".results > .col-lg")
    lists.last.evaluate("part => part.after(part.cloneNode(true))")
    assert len({round(lists.nth(place).bounding_box()["y"]) for place in range(3)}) == 1  # three in one row


@line(
    "point 4: an event is left out and put back; what a related-items version goes with, and why an item is there, is said"
)
def _changed_history(page, addresses):
    tuned = SolutionVersion.objects.get(solution__name="tuned").arn_name
    page.goto(f"{addresses['anyone']}&version={tuned}&baseline={tuned}")
    history, sims, *others = page.locator(".results .panel").all()
    newest = history.locator(".title").first.inner_text().split("\n")[0].strip()
    expect(sims.locator(".goes-with")).to_have_text(f"Goes with {newest}, the newest of u9")
    before = [part.locator(".title").all_inner_texts() for part in (sims, *others)]
    page.get_by_role("link", name=f"Leave out {newest}").first.click()
    expect(page.locator(".left-out").first).to_contain_text(newest)
    expect(page.locator(".changes")).to_contain_text(f"without {newest}")
    expect(sims.locator(".goes-with")).not_to_contain_text(newest)
    expect(page.locator(".since").first).to_be_visible()
    page.get_by_role("link", name="Undo").click()
    expect(page.locator(".changes")).to_have_count(0)
    for part, titles in zip((sims, *others), before, strict=True):
        expect(part.locator(".title")).to_have_text(titles)
    page.get_by_role("link", name="Why?").first.click()
    expect(page.get_by_role("dialog")).to_contain_text("Mostly because of The")


@line("point 10: every version is compared at 390 px")
def _narrow(page, addresses):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(addresses["compare"])
    for name in ("popularity-count", "user-personalization"):
        box = page.get_by_role("table").get_by_text(re.compile(name)).filter(visible=True).first.bounding_box()
        assert box["x"] + box["width"] <= 390, name
    page.goto(addresses["users"])
    expect(page.locator(".tabs [aria-current]")).to_be_in_viewport()
    page.goto(addresses["campaign-form"])
    long = "A version with a name that is longer than a phone is wide"
    chosen = page.get_by_label("Solution version").locator("option:checked")
    chosen.evaluate("(option, text) => { option.textContent = text; dispatchEvent(new Event('resize')); }", long)
    expect(page.locator(".whole").filter(visible=True)).to_have_text([long])
    page.set_viewport_size({"width": 1440, "height": 900})


@line("point 11: a tracker is tried by its button")
def _tracker(page, addresses):
    page.goto(addresses["tracker"])
    page.get_by_role("button", name="Send test event").click()
    expect(page.get_by_role("status")).to_contain_text("The event came in")


@line("point 11: health tells parts, queue, workers, disk and versions")
def _health(page, addresses):
    page.goto(addresses["health"])
    expect(page.locator("#parts")).to_contain_text("celery@one")  # without a reload by hand
    expect(page.locator("#parts")).to_contain_text("Jobs in the queue")
    expect(page.locator("#versions")).to_contain_text("PyTorch")


def test_each_line_holds(page, account, counted, run_jobs, subtests):
    showcase.hang_posters(page.context)
    addresses = showcase.build(account, run_jobs)
    showcase.tune(account, run_jobs)
    page.set_viewport_size({"width": 1440, "height": 900})
    for name, holds in LINES.items():
        with subtests.test(name):
            holds(page, addresses)
