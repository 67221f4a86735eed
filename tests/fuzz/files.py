"""Files of a grammar of dialects (separator, quotes, encoding, times, numbers, damage) through preview and import.

Whatever a file is like, nothing crashes, each of its rows is imported or listed, and rows that no damage was done to come out as
they went in.
"""

# ruff: noqa: RUF001  letters of other scripts are what is tested
from __future__ import annotations

import csv
import gzip
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pyarrow.parquet as pq

from console import storage
from console.errors import JobError
from console.ingest import sniff
from console.ingest.loading import Importer
from console.ingest.mapping import Reading
from console.operations.data import files as operations
from console.scratch import scratch_folder
from recipes.tables import moments
from recipes.tables.roles import Question
from tests.fuzz.judging import Report

SLOW_S = 5.0  # of the processor, for a file of at most some hundred rows
START = 1_650_000_000
EARLY = 1_649_116_800  # the fifth of a month: of a few days which is the day and which the month only their maker knows
DELIMITERS = [",", ",", ";", "\t", "|", "::", "\x01"]
ENCODINGS = ["utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252", "cp1252"]
LETTERS = {  # words by which each encoding is told from the others
    "utf-8": ["Café", "Größe", "l'eau", "映画", "Кино"],
    "cp1252": ["Café", "Größe", "Möbel", "Küche", "à l’été"],
    "cp850": ["Größe", "Möbel", "Küche", "Weiß", "schön"],
    "mac-roman": ["Größe", "Möbel", "Küche", "Weiß", "schön"],
    "cp1250": ["Książka", "miłość", "żółta łódź", "Święta", "część"],
    "iso8859-2": ["kniha dětí", "Příliš", "žluťoučký kůň", "Česká", "král"],
    "cp852": ["Książka", "miłość", "żółta łódź", "Święta", "część"],
    "cp1254": ["kırmızı", "çiçeğin", "İstanbul", "şehir ışıkları", "güzelliği"],
    "cp1251": ["Война", "и мир", "Преступление", "наказание", "Чайка"],
    "koi8-r": ["Война", "и мир", "Преступление", "наказание", "Чайка"],
    "cp866": ["Война", "и мир", "Преступление", "наказание", "Чайка"],
    "cp1253": ["μεγάλος", "περίπατος", "Ζορμπάς", "Έλληνας", "ζωή"],
    "cp932": ["千と千尋の神隠し", "となりのトトロ", "火垂るの墓", "東京物語", "能力の表示"],
    "euc_jp": ["千と千尋の神隠し", "となりのトトロ", "火垂るの墓", "東京物語", "能力の表示"],
    "euc_kr": ["기생충", "올드보이", "살인의 추억", "봄 여름", "가을 겨울"],
    "gb18030": ["红楼梦", "卧虎藏龙与英雄", "活着的人们", "北京的秋天", "手机壳 透明"],
    "big5": ["紅樓夢", "臥虎藏龍與英雄", "活著的人們", "悲情城市", "手機殼 透明"],
}
TELLING = 5  # titles with such words, and four words, by which an encoding can be told
HEADERS = [
    ["USER_ID", "ITEM_ID", "TIMESTAMP", "TITLE", "EVENT_VALUE"],
    ["user_id", "item_id", "timestamp", "title", "event_value"],
    ["userId", "itemId", "timestamp", "Title", "rating"],
    ["user_id:token", "item_id:token", "timestamp:float", "title:token", "rating:float"],
]
UNITS: dict[str, Callable[[int], str]] = {
    "s": str,
    "s as float": lambda moment: f"{moment}.0",
    "ms": lambda moment: f"{moment}123",
    "us": lambda moment: f"{moment}123456",
    "iso": lambda moment: _moment(moment).isoformat(),
    "iso z": lambda moment: f"{_moment(moment):%Y-%m-%dT%H:%M:%SZ}",
    "iso blank": lambda moment: f"{_moment(moment):%Y-%m-%d %H:%M:%S}",
    "german": lambda moment: f"{_moment(moment):%d.%m.%Y %H:%M:%S}",
    "american": lambda moment: f"{_moment(moment):%m/%d/%Y %H:%M:%S}",
    "in words": lambda moment: f"{_moment(moment):%d %b %Y %H:%M:%S}",
    "apart": lambda moment: f"{_moment(moment):%Y-%m-%d %H:%M:%S}",  # the time of day in a column of its own
}
EXTRAS: dict[str, tuple[Callable[[Random], str], str]] = {  # how a cell is drawn, and its column's type
    "in_stock": (lambda dice: dice.choice(["true", "false"]), "boolean"),
    "price": (lambda dice: f"{dice.randrange(100, 99_999) / 100:.2f}", "float"),
    "pieces": (lambda dice: str(dice.randrange(1, 400)), "long"),
    "zip": (lambda dice: f"{dice.randrange(100_000):05}", "string"),
    "seller": (lambda dice: str(9_148_955_329_465_708_066 + dice.randrange(9)), "string"),
    "colour": (lambda dice: dice.choice(["red", "green", "blue"]), "string"),
    "weight": (lambda dice: f"{dice.randrange(1, 99)}.{dice.randrange(1000):03}", "float"),  # or thousands?
    "views": (
        lambda dice: f"{dice.randrange(1, 99)},{dice.randrange(1000):03}",
        "long",
    ),  # thousands, or with decimals?
    "vector": (lambda dice: " ".join(f"{dice.random():.3f}" for _ in range(5)), "string"),
}
WORDS = [
    "red",
    "27",
    "ends\\",
    "C:\\new",
    "a",
    "#1",
    "100%",
    "-",
    "=1+1",
    "N/A",
    "null",
    "0042",
    "x" * 300,
]
MARKED = ['27"', '"best" of', 'a "quoted" word', 'so "', '""', '"']
DAMAGES = (
    "short row", "long row", "bad time", "no user", "future", "unclosed quote", "broken bytes", "nul", "blank line", "empty row",
    "junk value", "no user but a word",
)  # fmt: skip
ABOVE = ["", "", "", "sep={0}\n", "# Report\n#\n", "Orders of May\n\n", "Orders of May{0}{0}{0}{0}\n"]


@dataclass(frozen=True)
class Row:
    """One row as its maker means it; `damage` says what was done to it."""

    cells: list[str]
    moment: int
    damage: str = ""


@dataclass
class Made:
    """A file and what its maker knows of it."""

    data: bytes
    rows: list[Row]
    told: dict[str, Any] = field(default_factory=dict)
    types: dict[str, bool] = field(default_factory=dict)  # of the extra columns, whether each was told as it was meant
    asked: set[str] = field(default_factory=set)  # columns of which a person was asked, or told a doubt


def a_file(dice: Random) -> Made:
    """Draw a file."""
    delimiter, style = dice.choice(DELIMITERS), dice.choice(["all", "needed", "needed", "backslash", "never"])
    style = "never" if delimiter in {"::", "\x01"} else style
    encoding = dice.choice([*ENCODINGS, dice.choice(list(LETTERS))])
    unit, end = dice.choice(list(UNITS)), dice.choice(["\n", "\n", "\r\n", "\r"])
    decimal = "," if delimiter == ";" and dice.random() < 0.5 else "."
    damages = dice.sample(DAMAGES, dice.choice([0, 0, 1, 2]))
    titles = _titles(dice, style, delimiter, end, LETTERS.get(encoding, LETTERS["utf-8"]))
    extras = dice.sample(list(EXTRAS), dice.choice([0, 0, 1, 2]))
    extras = [
        name for name in extras if not (style == "never" and _thousands(decimal) == delimiter and name == "views")
    ]
    names = [*dice.choice(HEADERS), *(["time"] if unit == "apart" else []), *extras]
    number = dice.choice([8, 50, 50, 80, 250])
    start = dice.choice([START, START, EARLY])
    rows = [_row(dice, n, start, titles, unit, decimal, extras) for n in range(number)]
    written = [_rendered(row.cells, delimiter, style) for row in rows]
    if unit != "apart" and dice.random() < 0.15:  # some rows leave out their last cells, as spreadsheets do
        for place in dice.sample(range(len(rows)), len(rows) // 3):
            cells = rows[place].cells[:4]
            rows[place] = Row([*cells, *[""] * (len(names) - 4)], rows[place].moment)
            written[place] = _rendered(cells, delimiter, style)
    for damage in damages if len(rows) > 8 else []:  # a share of them that leaves no doubt of the columns
        for place in dice.sample(range(len(rows)), max(1, len(rows) // 60)):
            rows[place] = Row(rows[place].cells, rows[place].moment, damage)
            written[place] = _damaged(damage, rows[place].cells, written[place], delimiter, style, end)
    last = delimiter if dice.random() < 0.1 and "long row" not in damages else ""
    above = dice.choice(ABOVE).format(delimiter) if delimiter not in {"::", "\x01"} else ""
    header = _rendered(names, delimiter, style)
    text = above.replace("\n", end) + end.join(line + last for line in [header, *written]) + dice.choice([end, ""])
    data = _stored(text, encoding, dice)
    told = {"delimiter": delimiter, "style": style, "encoding": encoding, "unit": unit, "end": end, "decimal": decimal,
            "damages": damages, "above": above, "last": last, "rows": len(rows), "extras": extras, "names": names}  # fmt: skip
    return Made(data, rows, told)


def _titles(dice: Random, style: str, delimiter: str, end: str, letters: list[str]) -> list[str]:
    """Titles that the style can write."""
    pieces = [*WORDS, *letters, *(MARKED if dice.random() < 0.5 else [])]
    if style != "never":
        pieces = [*pieces, f"a{delimiter} b", f"two{'' if end == chr(13) else chr(10)}lines", f"{delimiter}x"]
    titles = [" ".join(dice.choices(pieces, k=dice.randint(1, 3))) for _ in range(20)]
    if style == "never":  # a quote that begins a cell would be told for another style
        titles = [title.lstrip('" ').replace(delimiter, "") or "x" for title in titles]
    return titles


def _row(dice: Random, number: int, start: int, titles: list[str], unit: str, decimal: str, extras: list[str]) -> Row:
    moment = start + number * 86_400 // 3 + dice.randrange(86_400 // 3)
    value = f"{dice.randrange(1, 50) / 10}".replace(".", decimal)
    when, *clock = UNITS[unit](moment).split(" ") if unit == "apart" else [UNITS[unit](moment)]
    marks = str.maketrans({".": decimal, ",": _thousands(decimal)})
    drawn = [EXTRAS[name][0](dice) for name in extras]
    drawn = [
        cell.translate(marks) if EXTRAS[name][1] in {"float", "long"} else cell
        for name, cell in zip(extras, drawn, strict=True)
    ]
    return Row([f"u{number % 9}", f"i{number}x", when, dice.choice(titles), value, *clock, *drawn], moment)


def _thousands(decimal: str) -> str:
    return "." if decimal == "," else ","


def _rendered(cells: list[str], delimiter: str, style: str) -> str:
    if style == "never":
        return delimiter.join(cells)
    if style == "backslash":
        return delimiter.join('"' + cell.replace("\\", "\\\\").replace('"', '\\"') + '"' for cell in cells)
    marks = (delimiter, '"', "\n", "\r")
    return delimiter.join(
        '"' + cell.replace('"', '""') + '"' if style == "all" or any(mark in cell for mark in marks) else cell
        for cell in cells
    )


def _damaged(damage: str, cells: list[str], line: str, delimiter: str, style: str, end: str) -> str:
    changed = {
        "bad time": (2, "soon"),
        "no user": (0, ""),
        "no user but a word": (0, "NULL"),
        "future": (2, "2099-01-01T00:00:00Z"),
        "junk value": (4, "much"),
        "nul": (3, "a\0b"),
        "broken bytes": (3, "\udc80"),
    }
    if damage in changed:
        place, cell = changed[damage]
        return _rendered([*cells[:place], cell, *cells[place + 1 :]], delimiter, style)
    return {
        "short row": _rendered(cells[:3], delimiter, style),
        "long row": _rendered([*cells, "more"], delimiter, style),
        "unclosed quote": delimiter.join([*cells[:3], '"open', *cells[4:]]),
        "blank line": f"{end}{line}",
        "empty row": f"{delimiter * (len(cells) - 1)}{end}{line}",
    }[damage]


def _stored(text: str, encoding: str, dice: Random) -> bytes:
    if encoding == "utf-16-le":
        text = "\ufeff" + text if dice.random() < 0.5 else text
    try:
        data = text.encode(encoding, "surrogateescape")
    except UnicodeEncodeError:
        data = text.encode(encoding, "replace")
    return gzip.compress(data, 1) if dice.random() < 0.1 else data


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def read(made: Made, folder: Path) -> tuple[list[dict[str, Any]], dict[str, Any], str]:
    """Preview, answer what is asked, and import; the rows that came in, the report, and the text of the rejects."""
    location = storage.Location("fuzz", "file.csv")
    with storage.open_write(location) as file:
        file.write(made.data)
    found = sniff.preview(location, dataset_type="INTERACTIONS")
    answers = {question.about: {question.member: _answer(question, made)} for question in found.questions}
    made.asked = {*answers, *(column.source for column in found.columns if column.warnings)}
    types = {column.source: column.type for column in found.columns}
    made.types = {name: types.get(name) == EXTRAS[name][1] for name in made.told["extras"]}
    guessed = [_answered(column, answers, found) for column in operations._guessed_columns(found)]
    schema = operations._schema("INTERACTIONS", guessed, None)
    options = operations._options(found.form, guessed, schema, 100.0)
    for source in options["sources"].values():
        source["separator"] = ""  # titles may look like lists
    reading = Reading.from_options(options)
    loaded = Importer(schema, reading, folder, max_bad_percent=100, progress=lambda _: None).run([location])
    rows = [row for segment in loaded.segments for row in pq.read_table(segment.path).to_pylist()]
    return rows, loaded.report, loaded.rejects.read_text() if loaded.rejects else ""


def _answered(column: dict[str, Any], answers: dict[str, dict[str, str]], found: sniff.Preview) -> dict[str, Any]:
    answer = answers.get(column.get("source") or "")
    told = {name: column[name] for name in ("source", "name")}
    return operations._completed(told | answer, found, "INTERACTIONS", None) if answer else column


def _answer(question: Question, made: Made) -> str:
    """What the file's maker says."""
    if question.member == "decimal":
        return str(made.told["decimal"])
    right = [unit for unit, _, _ in question.options if all(_is_read(unit, row) for row in made.rows if not row.damage)]
    return right[0] if right else question.suggested


def _is_read(unit: str, row: Row) -> bool:
    moment = moments.moment_of(row.cells[2], unit)
    return moment is not None and moment.date() == _moment(row.moment).date()


def complaint(made: Made, folder: Path) -> str:
    """What is wrong with what came of a file; "" if nothing is."""
    try:
        rows, report, rejects = read(made, folder)
    except JobError as error:
        return f"refused: {error}"
    except Exception as error:  # noqa: BLE001  whatever it is, it is a finding
        return f"crashed: {type(error).__name__}: {error}\n{traceback.format_exc()[-1500:]}"
    if report["rows"] != report["imported"] + report["rejected"] + report["duplicates"]:
        return f"counts do not add up: {report}"
    listed = "\n".join(" ".join(entry) for entry in csv.reader(rejects.splitlines()))
    known = {row.get("ITEM_ID"): row for row in rows}
    for row in made.rows:
        got = known.get(row.cells[1])
        if got is None and row.cells[1] not in listed:
            return f"a row vanished: {row}"
        if not row.damage and (wrong := _difference(row, got, made)):
            return wrong
    return ""


def _difference(row: Row, got: dict[str, Any] | None, made: Made) -> str:
    """How a row that was not damaged differs from what its maker means."""
    if got is None:  # behind a quote that is never closed, a row may be listed with those around it
        return "" if "unclosed quote" in made.told["damages"] else f"a good row was left out: {row}"
    value = float(row.cells[4].replace(",", ".")) if row.cells[4] else None
    wanted = {"USER_ID": row.cells[0], "TIMESTAMP": row.moment, "EVENT_VALUE": value}
    for name, cell in zip(made.told["extras"], row.cells[-len(made.told["extras"]) :], strict=False):
        if made.types[name] and name.upper() in got:
            wanted[name.upper()] = _meant(cell, EXTRAS[name][1], made.told["decimal"])
    wrong = {name: (cell, got.get(name)) for name, cell in wanted.items() if got.get(name) != cell}
    telling = {other.cells[3] for other in made.rows if not other.cells[3].isascii()}
    words = {word for title in telling for word in title.split() if not word.isascii()}
    if (
        made.told["encoding"].startswith("utf")
        or row.cells[3].isascii()
        or min(len(telling), len(words) + 1) >= TELLING
    ):
        title: str | None = row.cells[3] if row.cells[3].strip() else None
        if title and made.told["style"] == "backslash" and not any('"' in other.cells[3] for other in made.rows):
            title = title.replace("\\", "\\\\")  # nothing shows that backslashes escape
        if "TITLE" in got and got["TITLE"] != title:
            wrong["TITLE"] = (row.cells[3], got["TITLE"])
    return f"a good row came in otherwise: {wrong}" if wrong else ""


def _meant(cell: str, type_: str, decimal: str) -> Any:
    bare = cell.replace(_thousands(decimal), "").replace(decimal, ".")
    readings: dict[str, Callable[[], Any]] = {
        "boolean": lambda: cell == "true",
        "float": lambda: float(bare),
        "long": lambda: int(bare),
        "string": lambda: cell,
    }
    return readings[type_]() if cell else None


def fuzz(report: Report, count: int, seed: int) -> None:
    """Read as many files as `count` says; each is drawn by a number of its own, from `seed` on."""
    with report.timing("files"):
        for number in range(seed, seed + count):
            _case(report, number)


def _case(report: Report, number: int) -> None:
    made = a_file(Random(number))
    began = time.process_time()
    with scratch_folder() as folder:
        what = complaint(made, Path(folder))
    if not what and time.process_time() - began > SLOW_S:
        what = f"slow: more than {SLOW_S:g} s for {len(made.data):,} bytes"
    if what:
        report.add(f"files: {what[:40]}", f"file {number}: {what}\n{made.told}\n{made.data[:1500]!r}")
    report.cases["files"] += 1
    report.cases["columns"] += len(made.types)
    report.cases["columns of the type meant"] += sum(made.types.values())
    silent = [name for name, is_right in made.types.items() if not is_right and name not in made.asked]
    for name in silent:
        report.add(
            f"files: {name} of another type, and nobody was asked", f"file {number}: {made.told}\n{made.data[:1500]!r}"
        )
