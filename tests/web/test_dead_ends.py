"""Forms that cannot succeed yet: they say what to do first, lead there, and do not offer to be sent."""

from __future__ import annotations

import re

import pytest
from django.urls import get_resolver
from django.urls.resolvers import URLPattern

from console.operations.base import call_by_wire_names
from tests.factories import text_of
from tests.web.conftest import ITEMS, bring, filled_in

SELECT = re.compile(r"<select (?P<attributes>[^>]*)>(?P<options>.*?)</select>", re.DOTALL)
BUTTON = re.compile(r'<button class="btn btn-primary[^"]*"(?P<more>[^>]*)>')


def _patterns(patterns) -> list[URLPattern]:
    return [
        one
        for pattern in patterns
        for one in (_patterns(pattern.url_patterns) if hasattr(pattern, "url_patterns") else [pattern])
    ]


CREATING = sorted(
    f"/{pattern.pattern}"
    for pattern in _patterns(get_resolver().url_patterns)
    if str(pattern.pattern).startswith("create/") and str(pattern.name).endswith(("-create", "-upload"))
)


def dead_ends(answer) -> list[str]:
    """Choices of a page that have nothing to offer, although the form can be sent or nothing says what to do first."""
    page = answer.text
    empty = [found["attributes"] for found in SELECT.finditer(page) if "<option" not in found["options"]]
    said = re.search(r'role="alert">.*?<a href="[^"]+">', page, re.DOTALL)
    can_be_sent = any("disabled" not in button["more"] for button in BUTTON.finditer(page))
    return empty if empty and (can_be_sent or not said) else []


def test_there_are_forms_to_look_at():
    assert len(CREATING) > 12


@pytest.mark.parametrize("address", CREATING)
def test_an_empty_account_meets_no_dead_end(alice, account, address):
    assert dead_ends(alice.get(address, follow=True)) == []


@pytest.mark.parametrize("address", CREATING)
def test_an_empty_group_meets_no_dead_end(alice, films, address):
    assert dead_ends(alice.get(f"{address}?group=films", follow=True)) == []


def test_what_is_missing_is_said_with_the_way_there(alice, films):
    for kind, sentence, link in (
        ("campaigns", "No version that answers requests is active yet", "/recipes/?group=films"),
        ("batch-inference-jobs", "No version that recommends or ranks is active yet", "/recipes/?group=films"),
        ("batch-segment-jobs", "No version of item-affinity", "/recipes/?group=films"),
        ("dataset-export-jobs", "There is no dataset yet.", "/create/datasets/?group=films"),
    ):
        page = text_of(alice.get(f"/create/{kind}/?group=films"))
        assert sentence in page, kind
        assert f'href="{link}"' in page, kind
        assert "disabled" in BUTTON.search(page)["more"], kind


def test_only_schemas_that_fit_are_offered_to_replace_one(alice, account, films, run_jobs):
    preview = bring(alice, ITEMS, "Items")
    alice.post(preview, filled_in(alice, preview))
    run_jobs()
    address = "/datasets/films/ITEMS/schema/"
    alone = text_of(alice.get(address))
    assert "No other schema fits." in alone
    assert "disabled" in BUTTON.search(alone)["more"]
    dataset = films.datasets.get()
    text = dataset.schema.text
    wider = text.replace('"fields": [', '"fields": [{"name": "MOOD", "type": ["null", "string"]}, ')
    assert wider != text
    for name, schema, domain in (
        ("same", text, None),
        ("wider", wider, None),
        ("strict", wider.replace('["null", "string"]', '"string"'), None),
        ("users", text.replace("ITEM_ID", "USER_ID").replace('"Items"', '"Users"'), None),
    ):
        call_by_wire_names("CreateSchema", account, {"name": name, "schema": schema, "domain": domain})
    form = alice.get(address).context["form"]
    assert {label for _, label in form.fields["schema_arn"].choices} == {"same", "wider"}
    assert form.first_step is None
