"""From the empty console to a personal list: by the sample, and by a shop's export as its system writes it; clicks are counted."""

from __future__ import annotations

import pytest

from console.models import Campaign, Dataset
from console.samples import loading
from tests.factories import tiny_sample
from tests.web.walks import SAMPLE_CLICKS, SHOP_CLICKS, sample_walk, shop_export, shop_walk

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def export(tmp_path):
    """Orders and products."""
    return shop_export(tmp_path)


def test_the_empty_console_becomes_a_list_of_the_sample(page, run_jobs, monkeypatch):
    sample = tiny_sample("aws-popularity-count", "aws-user-personalization", fast=("better",))
    monkeypatch.setitem(loading.SAMPLES, sample.name, sample)
    assert sample_walk(page, "Streaming demo", run_jobs) <= SAMPLE_CLICKS
    assert Campaign.objects.get().name in page.url


def test_a_shop_export_becomes_a_personal_list_with_pictures(page, export, run_jobs):
    assert shop_walk(page, export, "100003", run_jobs) <= SHOP_CLICKS
    assert {row.type: row.rows for row in Dataset.objects.all()} == {"INTERACTIONS": 1411, "ITEMS": 90}
