"""Every page with something on it answers in German, too: what a table of a module says is no key in another language."""

from __future__ import annotations

import pytest

from console.models import SolutionVersion
from tests.web import showcase

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
PANEL = (
    "users/?user=u1",
    "items/?item=film",
    "why/?user=u1&of=i2",
    "?user=u1&without=i2&other=same",
    "?user=u1&other=newsletter",
)


def test_every_page_answers_in_german(alice, account, counted, run_jobs):
    addresses = [*showcase.build(account, run_jobs).values(), *(f"/campaigns/front-page/{more}" for more in PANEL)]
    version = SolutionVersion.objects.latest("created").arn_name
    addresses += [
        f"/compare/anyone/why/?version={version}&user=u1&of=i2",
        f"/compare/anyone/users/?version={version}&user=u",
    ]
    german = {address: alice.get(address, headers={"Accept-Language": "de"}) for address in addresses}
    assert {address: answer.status_code for address, answer in german.items() if answer.status_code != 200} == {}
    identifier = german["/campaigns/front-page/traffic/"].context["requests"][0]["recommendationId"]
    trace = alice.get(f"/campaigns/front-page/requests/{identifier}/", headers={"Accept-Language": "de"})
    assert trace.status_code == 200
