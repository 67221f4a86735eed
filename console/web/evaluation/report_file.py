"""A comparison to take along: every figure as CSV, or the page as one HTML file that needs nothing else."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.utils.safestring import mark_safe

from console.shapes import JSONDict
from console.sheets import SheetWriter
from console.web.lists import csv_cell
from console.web.plots import interactive
from console.web.static_storage import bundled

HEAD = (
    "metric",
    "version",
    "solution version",
    "value",
    "low",
    "high",
    "difference",
    "difference low",
    "difference high",
    "p",
    "verdict",
)
MEMBERS = ("value", "low", "high", "difference", "differenceLow", "differenceHigh", "p", "verdict")
STYLES = ("js-lib-bootstrap5/css/bootstrap.min.css", "console.css")


def as_csv(answer: JSONDict, labels: dict[str, str]) -> HttpResponse:
    """All metrics of all versions, a row each."""
    text = io.StringIO()
    writer = SheetWriter(text)
    writer.writerow(HEAD)
    for metric in answer["metrics"]:
        for entry in metric["values"]:
            arn = entry["solutionVersionArn"]
            cells = (metric["title"], labels[arn], arn, *(entry.get(member) for member in MEMBERS))
            writer.writerow([csv_cell(cell) for cell in cells])
    return _download(text.getvalue(), "comparison.csv", "text/csv")


def as_html(context: dict[str, Any]) -> HttpResponse:
    """The verdicts, charts and tables with their style and script inside."""
    styles = "\n".join(bundled(Path(str(finders.find(name)))) for name in STYLES)
    context |= {"styles": mark_safe(styles), "script": interactive.script()}  # noqa: S308 - our own files
    return _download(
        render_to_string("evaluation/compare/report.html", context), "comparison.html", "text/html; charset=utf-8"
    )


def _download(text: str, name: str, kind: str) -> HttpResponse:
    return HttpResponse(text, content_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})
