"""Whatever is sent in place of what a form offers, a page answers, and says what is wrong where it is refused; none ends in an error of the server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit

import pytest
from django.db import transaction
from django.test import Client
from django.urls import Resolver404, resolve

from tests.web import showcase

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
ODD: tuple[Any, ...] = ("-1", "²", "nan", "9" * 400, "[1, null]", "\ufffd|'\"<b>", None, ["a", "b"], "a\x00b")
PAGES_OF_A_VIEW = 2
LEAVES = {"logout"}
REFUSALS = ("is-invalid", "invalid-feedback", 'role="alert"', "note error")


@dataclass
class Form:
    """A form of a page: where it is sent, and what would be sent if nothing were touched."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    choices: dict[str, set[str]] = field(default_factory=dict)
    ticks: set[str] = field(default_factory=set)

    def filled(self) -> dict[str, str]:
        """What would be sent if everything were ticked and filled in, so that what is asked behind it is reached, too."""
        return {
            name: value or ("on" if name in self.ticks else next(iter(sorted(self.choices.get(name, {"1"}))), ""))
            for name, value in self.fields.items()
        }


class Forms(HTMLParser):
    """The forms of a page that change something, and the page's links."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[str] = []
        self._address, self._form, self._select, self._area = address, None, "", ""

    def handle_starttag(self, tag, attrs):
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and given.get("href", "").startswith(("/", "?")):
            self.links.append(urldefrag(urljoin(self._address, given["href"]))[0])
        if tag == "form":
            is_post = given.get("method", "").lower() == "post"
            self._form = Form(urljoin(self._address, given.get("action", ""))) if is_post else None
            self.forms += [self._form] if self._form else []
        if self._form is not None and tag == "option" and self._select:
            self._choice(self._form, self._select, given.get("value", ""), "selected" in given)
        elif self._form is not None and given.get("name"):
            self._control(self._form, tag, given["name"], given)

    def _control(self, form: Form, tag: str, name: str, given: dict[str, str]) -> None:
        match tag, given.get("type"):
            case "select", _:
                self._select = name
            case "textarea", _:
                self._area, form.fields[name] = name, ""
            case "input", "checkbox":
                form.ticks.add(name)
                form.fields[name] = given.get("value", "on") if "checked" in given else form.fields.get(name, "")
            case "input", "radio":
                self._choice(form, name, given.get("value", ""), "checked" in given)
            case (("input" | "button"), _):
                form.fields.setdefault(name, given.get("value", ""))

    def _choice(self, form: Form, name: str, value: str, is_chosen: bool) -> None:
        form.choices.setdefault(name, set()).add(value)
        if is_chosen or name not in form.fields:
            form.fields[name] = value

    def handle_endtag(self, tag):
        if tag == "form":
            self._form = None
        if tag == "select":
            self._select = ""
        if tag == "textarea":
            self._area = ""

    def handle_data(self, data):
        if self._area and self._form:
            self._form.fields[self._area] += data


def view_of(address: str) -> str:
    try:
        return str(resolve(urlsplit(address).path).view_name)
    except Resolver404:
        return ""


def forms_of(client: Client, addresses: list[str]) -> Iterator[Form]:
    """The forms of pages and of what they link to, one of each kind."""
    seen: dict[str, int] = {}
    known: set[tuple[str, frozenset[str]]] = set()
    waiting = list(addresses)
    while waiting:
        address = waiting.pop(0)
        view = view_of(address)
        seen[view] = seen.get(view, 0) + 1
        if not view or (seen[view] > PAGES_OF_A_VIEW and address not in addresses):
            continue
        answer = client.get(address)
        if answer.status_code != 200 or "html" not in answer.get("Content-Type", ""):
            continue
        found = Forms(address)
        found.feed(answer.text)
        waiting += [
            link
            for link in dict.fromkeys(found.links)
            if seen.get(view_of(link), 0) < PAGES_OF_A_VIEW and link not in waiting
        ]
        for form in found.forms:
            kind = view_of(form.action), frozenset(form.fields)
            if kind not in known and kind[0] not in LEAVES:
                known.add(kind)
                yield form


def says_so(answer: Any) -> bool:
    """Whether an answer refuses in words."""
    return answer.status_code in {400, 403, 404, 405} or any(mark in answer.text for mark in REFUSALS)


def posted(client: Client, action: str, data: dict[str, Any]) -> Any:
    """What the page answers; the database is as it was afterwards, and the visitor signed in."""
    kept = {name: morsel.value for name, morsel in client.cookies.items()}
    with transaction.atomic():
        answer = client.post(action, {name: value for name, value in data.items() if value is not None}, follow=True)
        transaction.set_rollback(True)
    client.cookies.clear()
    client.cookies.load(kept)
    return answer


def complaint(client: Client, form: Form, name: str, value: Any, base: dict[str, str]) -> str:
    """What is wrong with the answer to a form of which one value is odd; "" if nothing is."""
    answer = posted(client, form.action, base | {name: value})
    is_odd_choice = name in form.choices and isinstance(value, str) and value not in form.choices[name]
    if answer.status_code >= 500 or (is_odd_choice and not says_so(answer)):
        return f"{form.action}: {answer.status_code} with {str(value)[:20]!r} for {name}"
    return ""


def complaints(client: Client, forms: list[Form]) -> list[str]:
    """What is wrong with the answers to all odd values of all fields, each on a form as it came or on one that is filled in."""
    client.raise_request_exception = False
    found = [
        complaint(client, form, name, value, form.filled() if (number + turn) % 2 else form.fields)
        for form in forms
        for number, name in enumerate(form.fields)
        for turn, value in enumerate(ODD)
        if name != "csrfmiddlewaretoken"
    ]
    return sorted(filter(None, found))


def test_no_form_ends_in_an_error_or_takes_what_it_does_not_offer(alice, vera, account, counted, run_jobs):
    forms = list(forms_of(alice, [*showcase.build(account, run_jobs).values(), "/"]))
    assert len(forms) > 30
    failed = complaints(alice, forms)
    assert not failed, "\n".join(failed[:50])


def test_no_form_of_strangers_ends_in_an_error(alice, account, counted, settings):
    settings.EMAIL_HOST = "mail.example.org"
    shown = alice.post("/settings/people/", {"role": "viewer", "email": ""}, follow=True).text
    invitation = re.search(r"http://[^/\s]+(/accounts/invitation/[^\s<\"]+)", shown)[1]
    forms = list(forms_of(Client(), ["/accounts/login/", "/accounts/forgotten/", invitation]))
    assert {view_of(form.action) for form in forms} >= {"login", view_of(invitation), view_of("/accounts/forgotten/")}
    failed = complaints(Client(), forms)
    assert not failed, "\n".join(failed[:50])
