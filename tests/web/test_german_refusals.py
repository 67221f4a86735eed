"""What people do wrong, on German pages: no refusal, wherever it is built, is in English."""

from __future__ import annotations

import json
import re
from urllib.parse import urlencode

import pytest

from console.models import DatasetGroup
from tests.factories import ROLE, call, make_dataset, put_object, text_of
from tests.web.conftest import csv_file
from tests.web.wording import ENGLISH, NAMES

GERMAN = {"Accept-Language": "de"}
QUOTED = re.compile(r"<(pre|code|textarea|script|style|datalist|option|title)\b.*?</\1>", re.DOTALL)
TAG = re.compile(r"<[^>]+>")
VALUES = re.compile(
    r"\b(Interactions|Items|Users|INCLUDE|EXCLUDE|NOT IN|WHERE|OR|IF|true|false)\b|[$*]\w*|\"[^\"]*\"|'[^']*'|items?\.\w+|FULL|https://\S+"
)
FIELD = {"name": "USER_ID", "type": "string"}
SCHEMAS = {
    "no JSON": "{",
    "no record": '{"type": "array"}',
    "another name": '{"type": "record", "name": "Films"}',
    "no fields": '{"type": "record", "name": "Items", "fields": []}',
    "no name": '{"type": "record", "name": "Items", "fields": [{"type": "string"}]}',
    "a digit first": '{"type": "record", "name": "Items", "fields": [{"name": "1st", "type": "string"}]}',
    "an unknown type": '{"type": "record", "name": "Items", "fields": [{"name": "PRICE", "type": "money"}]}',
    "a flag of a number": '{"type": "record", "name": "Items", "fields": [{"name": "YEAR", "type": "int", "categorical": true}]}',
    "a flag that is a word": '{"type": "record", "name": "Items", "fields": [{"name": "YEAR", "type": "string", "textual": "yes"}]}',
    "a missing column": json.dumps({"type": "record", "name": "Interactions", "fields": [FIELD]}),
    "nothing but ids": json.dumps({"type": "record", "name": "Users", "fields": [FIELD]}),
    "names alike": json.dumps({"type": "record", "name": "Users", "fields": [FIELD, FIELD | {"name": "USERID"}]}),
    "a key that may be null": json.dumps({"type": "record", "name": "Users", "fields": [FIELD | {"type": ["null", "string"]}]}),
}  # fmt: skip
FILTERS = [
    "INCLUDE", "Include ItemID WHERE", "INCLUDE ItemID WHERE Items.GENRE IN (", "INCLUDE ItemID WHERE Items.GENRE IN )",
    'INCLUDE ItemID WHERE Items.NOPE IN ("a")', "INCLUDE ItemID WHERE Items.GENRE > 3", 'EXCLUDE ItemID WHERE Items.GENRE IN ("*")',
    "EXCLUDE ItemID WHERE Interactions.EVENT_TYPE > 3", "EXCLUDE ItemID WHERE Interactions.ITEM_ID = 3", 'INCLUDE ItemID WHERE Users.AGE IN ("a")',
    'INCLUDE ItemID WHERE Items.GENRE NOT IN ($G)', "INCLUDE ItemID WHERE Items.GENRE IN ($A, $B)", 'INCLUDE ItemID WHERE Items.GENRE = "a',
    'INCLUDE ItemID WHERE Items.GENRE IN ("a") IF Items.GENRE = "b"', 'INCLUDE ItemID WHERE Items.GENRE IN ("dramma")', "§",
]  # fmt: skip
FILES = {
    "a picture": ("shop.csv", b"\x89PNG\r\n\x1a\n" + b"\0" * 99),
    "a web page": ("shop.html", b"<!doctype html><p>shop"),
    "an empty file": ("shop.csv", b""),
    "a broken archive": ("shop.csv.gz", b"\x1f\x8b\x08\0" + b"?" * 50),
}
HEADER = "USER_ID,ITEM_ID,EVENT_TYPE,TIMESTAMP\n"
ROWS = HEADER + "".join(f"u1,i{n},watch,1700000000\n" for n in range(3))
BAD = {
    "mostly bad": ROWS + "".join(f"u1,i{n},watch,soon\n" for n in range(20)),
    "an hour ahead of all": ROWS + "".join(f"u2,i{n},watch,9999999999999\n" for n in range(30)),
    "without a column": "USER_ID,ITEM_ID\nu1,i1\n",
    "ragged": ROWS + "".join(f"u2,i{n}\n" for n in range(9)),
}


def english(page: str) -> list[str]:
    """The lines of a page that are English."""
    said = (TAG.sub(" ", line).strip() for line in re.sub(r">\s*<", ">\n<", QUOTED.sub("", page)).split("\n"))
    return [text for text in said if ENGLISH.search(VALUES.sub("", NAMES.sub("", text)))]


@pytest.fixture
def cinema(account) -> DatasetGroup:
    make_dataset(account, "Items", [("ITEM_ID", "string"), ("GENRE", "string", {"categorical": True})], "cinema")
    make_dataset(account, group="cinema")
    return DatasetGroup.objects.get(name="cinema")


@pytest.mark.parametrize("expression", FILTERS)
def test_filters(alice, cinema, expression):
    query = urlencode({"dataset_group_arn": cinema.arn, "filter_expression": expression})
    verdict = alice.get(f"/create/filters/check/?{query}", headers=GERMAN)
    form = alice.post(
        "/create/filters/",
        {"name": "f", "dataset_group_arn": cinema.arn, "filter_expression": expression},
        headers=GERMAN,
    )
    assert english(verdict.text) + english(form.text) == []


@pytest.mark.parametrize("text", SCHEMAS.values(), ids=SCHEMAS)
def test_schemas(alice, text):
    page = alice.post("/create/schemas/", {"name": "s", "schema": text}, headers=GERMAN)
    assert page.status_code == 200
    assert english(page.text) == []


@pytest.mark.parametrize("file", FILES.values(), ids=FILES)
def test_files_that_are_no_tables(alice, films, file):
    name, content = file
    sent = csv_file("", name)
    sent.file.write(content)
    sent.file.seek(0)
    sent.size = len(content)
    page = alice.post("/create/datasets/?group=films", {"group": "films", "file": sent}, headers=GERMAN, follow=True)
    assert 'class="note error' in page.text
    assert english(page.text) == []


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_imports_that_fail(alice, account, run_jobs, text):
    source = {"dataLocation": put_object("bad.csv", text)}
    call(
        "CreateDatasetImportJob",
        account,
        job_name="bad",
        dataset_arn=make_dataset(account),
        data_source=source,
        role_arn=ROLE,
    )
    run_jobs()
    page = text_of(alice.get("/dataset-import-jobs/bad/", headers=GERMAN))
    assert "status failed" in page
    assert english(page) == []


def test_records(alice, account, cinema):
    dataset = cinema.datasets.get(type="ITEMS")
    page = alice.post(f"/datasets/{dataset.arn_name}/records/", {"ITEM_ID": "x" * 300, "GENRE": ""}, headers=GERMAN)
    assert english(page.text) == []
