"""Files that people open in a spreadsheet run nothing there."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

from console import storage
from console.models import DatasetImportJob
from console.sheets import SheetWriter
from tests.factories import events_csv, make_dataset

CONSOLE = Path(__file__).resolve().parents[1] / "console"
FORMULAS = ["=HYPERLINK(1)", "+1+1", "-1+1", "@SUM(1)", "\t=1", "\r=1"]


def test_formulas_are_text_and_numbers_stay():
    text = io.StringIO()
    SheetWriter(text).writerows([FORMULAS, ["-1.5", "+3", "1e5", -2, None, "a=b"]])
    first, second = csv.reader(io.StringIO(text.getvalue(), newline=""))
    assert first == [f"'{formula}" for formula in FORMULAS]
    assert second == ["-1.5", "+3", "1e5", "-2", "", "a=b"]


def test_rows_that_an_import_left_out_run_nothing(account, load):
    load(make_dataset(account), events_csv(200) + "=cmd|' /C calc'!A0,i1,click,=1+1\n")
    job = DatasetImportJob.objects.get()
    with storage.open_read(storage.store(job.report["rejects"])) as file:
        cells = [cell for row in csv.reader(io.StringIO(file.read().decode())) for cell in row]
    assert "'=1+1" in cells
    assert [cell for cell in cells if cell.startswith(("=", "+", "@"))] == []


def test_no_page_writes_cells_another_way():
    writers = re.compile(r"csv\.writer\(|csv\.DictWriter\(")
    found = [
        str(path) for path in CONSOLE.rglob("*.py") if writers.search(path.read_text()) and path.name != "sheets.py"
    ]
    assert found == []
