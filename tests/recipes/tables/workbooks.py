"""Workbooks as spreadsheets write them, made part by part."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from xml.sax.saxutils import escape

MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
STYLES = {"": 0, "date": 1, "zip": 2}


def workbook(rows: Sequence[Sequence[object]], *, shared: bool = True, document_type: bool = False) -> bytes:
    """A workbook with an empty first sheet and these rows in the second; a cell may be (style, number), None is a gap."""
    strings: list[str] = []
    sheet = "".join(
        f'<row r="{n}">{"".join(_cell(cell, f"{chr(65 + place)}{n}", strings, shared) for place, cell in enumerate(row))}</row>'
        for n, row in enumerate(rows, 1)
    )
    head = "<!DOCTYPE x>" if document_type else ""
    parts = {
        "[Content_Types].xml": "<Types/>",
        "xl/workbook.xml": f'<workbook {MAIN} xmlns:r="{RELATIONS}"><workbookPr/><sheets>'
        '<sheet name="Empty" sheetId="1" r:id="rId1"/><sheet name="Data" sheetId="2" r:id="rId2"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": "<Relationships>"
        '<Relationship Id="rId1" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Target="/xl/worksheets/sheet2.xml"/>'
        "</Relationships>",
        "xl/worksheets/sheet1.xml": f"<worksheet {MAIN}><sheetData/></worksheet>",
        "xl/worksheets/sheet2.xml": f"{head}<worksheet {MAIN}><sheetData>{sheet}</sheetData></worksheet>",
        "xl/styles.xml": f'<styleSheet {MAIN}><numFmts><numFmt numFmtId="164" formatCode="00000"/></numFmts>'
        '<cellXfs><xf numFmtId="0"/><xf numFmtId="22"/><xf numFmtId="164"/></cellXfs></styleSheet>',
    }
    if shared:
        entries = "".join(f"<si><r><t>{escape(text)}</t></r><rPh><t>ignored</t></rPh></si>" for text in strings)
        parts["xl/sharedStrings.xml"] = f"<sst {MAIN}>{entries}</sst>"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return out.getvalue()


def _cell(cell: object, place: str, strings: list[str], shared: bool) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return f'<c r="{place}" t="b"><v>{int(cell)}</v></c>'
        case str() if shared:
            strings.append(cell)
            return f'<c r="{place}" t="s"><v>{len(strings) - 1}</v></c>'
        case str():
            return f'<c r="{place}" t="inlineStr"><is><t>{escape(cell)}</t></is></c>'
        case (style, number):
            return f'<c r="{place}" s="{STYLES[style]}"><v>{number!r}</v></c>'
        case _:
            return f'<c r="{place}"><v>{cell!r}</v></c>'
