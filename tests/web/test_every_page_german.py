"""Every page with something on it answers in German, and nothing that it says is English."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from console.models import SolutionVersion
from tests.web import showcase
from tests.web.wording import ENGLISH, NAMES

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
GERMAN = {"Accept-Language": "de"}
QUOTED = {"pre", "code", "textarea", "script", "style", "datalist"}
VOID = {"input", "br", "img", "meta", "link", "hr", "source", "wbr", "col"}
SAID = ("aria-label", "title", "placeholder", "data-tip", "alt")
GIVEN = re.compile(r"The [A-Z]\w+ [A-Z]\w+|Import(?=[ ,.])")  # titles of films, and a word of both languages


class Said(HTMLParser):
    """The texts of a page that are its own and no quotation."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._open: list[bool] = [False]

    def handle_starttag(self, tag, attrs):
        given = {name: value or "" for name, value in attrs}
        is_quoted = (
            self._open[-1]
            or tag in QUOTED
            or "kept" in given.get("class", "").split()
            or given.get("translate") == "no"
        )
        if not is_quoted:
            self.texts += [given[name] for name in SAID if name in given]
        if tag not in VOID:
            self._open.append(is_quoted)

    def handle_endtag(self, tag):
        if tag not in VOID and len(self._open) > 1:
            self._open.pop()

    def handle_data(self, data):
        if not self._open[-1] and data.strip():
            self.texts.append(" ".join(data.split()))

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)


def english(page: str) -> list[str]:
    """What a page says in English."""
    said = Said()
    said.feed(page)
    return [text[:120] for text in said.texts if ENGLISH.search(NAMES.sub("", GIVEN.sub("", text)))]


def test_what_is_english_is_found():
    assert english('<p title="Show the list">Alle <code>the rows</code> <b>Zeilen</b></p><input placeholder="an item">') == [
        "Show the list", "an item"
    ]  # fmt: skip


def test_every_page_answers_in_german(alice, account, counted, run_jobs):
    addresses = [
        *showcase.build(account, run_jobs).values(),
        *(f"/campaigns/front-page/{more}" for more in showcase.PANEL),
    ]
    version = SolutionVersion.objects.latest("created").arn_name
    addresses += [
        f"/compare/anyone/why/?version={version}&user=u1&of=i2",
        f"/compare/anyone/users/?version={version}&user=u",
    ]
    german = {address: alice.get(address, headers=GERMAN) for address in addresses}
    assert {address: answer.status_code for address, answer in german.items() if answer.status_code != 200} == {}
    identifier = german["/campaigns/front-page/traffic/"].context["requests"][0]["recommendationId"]
    trace = f"/campaigns/front-page/requests/{identifier}/"
    german[trace] = alice.get(trace, headers=GERMAN)
    found = [f"{address}: {text}" for address, answer in german.items() for text in english(answer.text)]
    assert not found, "\n".join(found)
