"""Workbooks as spreadsheets write them, made part by part."""

from __future__ import annotations

import base64
import io
import zipfile
import zlib
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


OFFICE, TABLE, TEXT = (f"urn:oasis:names:tc:opendocument:xmlns:{name}:1.0" for name in ("office", "table", "text"))


def opendocument(rows: str, *, mime: str = "application/vnd.oasis.opendocument.spreadsheet", head: str = "") -> bytes:
    """An OpenDocument spreadsheet with an empty first sheet and a second one of these rows, written in its XML."""
    third = f"<t:table><t:table-row>{opendocument_cell('not read')}</t:table-row></t:table>" if rows else ""
    content = (
        f'{head}<o:document-content xmlns:o="{OFFICE}" xmlns:t="{TABLE}" xmlns:x="{TEXT}"><o:body><o:spreadsheet>'
        '<t:table><t:table-row t:number-rows-repeated="1048576"><t:table-cell t:number-columns-repeated="1024"/></t:table-row>'
        f"</t:table><t:table>{rows}</t:table>{third}"
        "</o:spreadsheet></o:body></o:document-content>"
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", mime)
        archive.writestr("content.xml", content)
    return out.getvalue()


def opendocument_cell(value: object, more: str = "") -> str:
    """A cell as LibreOffice writes it; `more` stands for further attributes."""
    match value:
        case None:
            return f"<t:table-cell {more}/>"
        case bool():
            kind = f'o:value-type="boolean" o:boolean-value="{str(value).lower()}"'
        case int() | float():
            kind = f'o:value-type="float" o:value="{value}"'
        case str() if value[4:5] == "-" and value[:4].isdigit():
            kind = f'o:value-type="date" o:date-value="{value}"'
        case _:
            kind = 'o:value-type="string"'
    return f"<t:table-cell {kind} {more}><x:p>{escape(str(value))}</x:p></t:table-cell>"


OLD_WORKBOOK = zlib.decompress(
    base64.b85decode(
        "c-rllU1%It6oAkC?as{p&He?OKv)9C8cXOOB9&&f*cOz=>WfkZ-R`b5#Lb577D->M);x(I_@ww?r50K>wMAQhLEi+0N-GG8km#dN"
        "f`VY1^_(-a*E_kl&|odJ<ScXM-ZS@pcjlgR=H8v}F60-Fof%w$6*2)9EcZM}NHzlxuU`oOulIUX?4MmcdTVl1iRYpt6ApZq`8G*D"
        "B!4e~2_M*Bp$7N`k0)UkCfhU3$_<nqd=E8)?qR!OW9*smCLUQ>$M;oWU1wcneVW^T&iX#Kyux}rwp}##!G-GN*ga7kKW>ijwJd4_"
        "&U2q1*|G`B@HNHp^RF6VTL<p%Ox2#fRW1zMX*dq(>)p+nW{2u!c!#pN(HL*F#^+Ef2M%m&wT5jUPGB$CNU{hejE&>)XRiYANB<@8"
        "Wo6BNW9<f@{jaz^c@?{hj@8*c^y^CdYo-lw1bR;!lo9igfwyeB;=s<<Y<F%R((t`Q1{)rzb!(TQ218g&<B<V)xYKBM4p!RFRQA;7"
        "a2co{I@oQunjH+Y*-pE0sNO|bqt<O&0Eee$9WqbVsW#Jm4%4o_k<=zqn@MdUwbiHfhTl&??ERGCtWBeCK#t3K&fNf?`0~l$FYejD"
        "xB3)Yj_{fk%I)-o(1RDK2X@Y`Sn<ZV$6c&nWa<!?2U(YJCh$DEw;UCA9pyGJ@zqfrXA8@v>K#&fJ(lNxd*tKc`CqGdVtHZr(&5s="
        "57lEZf?jA~fBGGT4aNrJjn_#&srJuC^p5+P^*ZH!H(?gw92M|w_pe;PIWw+0X9Liu-fVN`nnCnzy=Y65gDX5|fb#)S3xl67-ooG("
        "q{CW&{=%AxHA~bitl6SwW6cpY2WyFF98)un$>WgQzJS{zKfRr!_3ojQ1tWY43oMgXE+TJ@X3a5Ov^ac^#I`hSi`j0(wwQf_**~2k"
        "c0#Z%g>6Y}Tf?@Q?L};x*{7I2{T{J>!L}8)EwLR9+hMjJu^nbFF#GTKiJcW}M`1e>JE37Gn4OB)31**V_RFV<T@dVq!cIu+q=uc0"
        "`7+7ubIcw(L+k;;PAcrA#CA1oH|9&1*`G4|-Lu3V6l_;vyAs>eu)UZsJt+q7{gBwhg6%16Ph$HTwjcAQFU8<D9}#;*uziK?OYD?}"
        "or?J~CB@(q=ZQTk*eQjblGtetJ00_7T8hCiFUJHst+3M)JELJ|V!q5sF&O6MxL{`#c1B`nHSBE6msu$W!@S%q*ja_0mDo8AI~Vh1"
        "PKv=WFYgxYoWjmY>_Ec~V!jNd7!31rn_veDJCN9U4Lcw6WnPNGFfS(rJFl?w61$*b7h=9FNHG}Z<qp9vDC~m7E^64tm@kV`42F5R"
        "OR$RyyC|_s8g?n>%aRm>VO~Bc*d>KslGtSpyBzanS&G3hFDC`Ntgy=wn|C{)+wH8$e-YZzgnJ6$HQb4IcFE|w&J{eC*FKZnvhpaj"
        "@z=$FgF9gc&mEXsRs0NqWAs_ZHTLO$FC=*kNAJKi?C1NKUUmH9e&3Lv=bAeP*Dr-uJO1)&?(=^h{~stA!0-"
    )
)
"""An .xls file: an empty sheet, then a title and 20 rows of customer, product, date, zip, price and new."""
