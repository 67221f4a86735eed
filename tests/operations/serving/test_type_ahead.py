"""Looking for items while one types stays below 200 ms at 100,000 of them; measured in CPU time, as machines are busy."""

from __future__ import annotations

from time import process_time

import pytest

from tests.factories import call, trained
from tests.worlds import films

NUM_ITEMS, MOST_S = 100_000, 0.2


@pytest.mark.slow
def test_a_hundred_thousand_items_are_searched_in_time(account, run_jobs):
    version = trained(account, run_jobs, films(account, items=NUM_ITEMS), "aws-popularity-count")
    asked = [
        {"query": "Film number 9"},
        {"query": "i777"},
        {"query": "nothing like it"},
        {"kind": "heavy"},
        {"kind": "new"},
    ]
    call("SearchItems", account, solution_version_arn=version, **asked[0])  # loads the model
    for members in asked:
        took = []
        for _ in range(3):
            began = process_time()
            found = call("SearchItems", account, solution_version_arn=version, max_results=12, **members)
            took.append(process_time() - began)
        assert min(took) < MOST_S, members
        assert len(found["items"]) == (0 if "nothing" in members.get("query", "") else 12)
