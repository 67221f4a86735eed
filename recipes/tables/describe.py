"""One column of an unknown file: its type, how its numbers, times and lists are written, and a summary of a sample.

Content decides: digits that no one adds up (leading zeros, more than 64 bits, codes by name) stay text; numbers may carry
a currency, thousands and either decimal mark; lists are recognised by parts that recur.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from recipes.columns import vector_size
from recipes.json_text import read_json
from recipes.tables import amounts, moments
from recipes.tables.cells import SHEET_ERRORS, as_meant
from recipes.tables.lists import POSTGRES_ARRAY
from recipes.tables.words import STEMS, folded, name_score, tokens

EXAMPLES = 3
MEAN_TEXT_LENGTH = 40
MOST = 0.95  # of the values that must be of a kind for a column to be of it
WHOLE = r"^[+-]?(\d{1,18}|\d{1,3}(,\d{2,3}){0,4},\d{3}|\d{1,3}(\.\d{3}){1,5})$"
POINT = r"^[+-]?(\d+|\d{1,3}(,\d{2,3})*,\d{3})?(\.\d+)?([eE][+-]?\d+)?$"
COMMA = r"^[+-]?(\d+|\d{1,3}(\.\d{3})+)?(,\d+)?$"
URL = r"^(https?:)?//\S+$"
PICTURE = r"(?i)\.(jpe?g|png|webp|gif|avif|svg|bmp)([?#].*)?$|/(images?|img|photos?|pictures?|thumbs?|thumbnails?|posters?|covers?)/"
ASIN, EMAIL = r"^(B0[0-9A-Z]{8}|\d{9}[\dX])$", r"^[^@\s]+@[^@\s]+\.\w+$"
FILE = r"(?i)^\S*\.(jpe?g|png|webp|gif|avif|svg|bmp|mp4|pdf)$"
NULL_WORDS = ["null", "nan", "na", "n/a", "none", r"\n", "<na>", "nat", "undefined", "-", *map(str.lower, SHEET_ERRORS)]
CODE_WORDS = frozenset(["plz", "zip", "postal", "postcode", "postleitzahl", "cp", "cap", "cep", "ean", "gtin", "upc", "isbn", "phone", "telefon", "tel", "telephone", "nr", "no", "num", "code", "sku", "id", "number", "nummer", "numero", "codigo", "codice"])  # fmt: skip
CODES_WITH_MARKS = frozenset(
    {"version", "code", "sku", "codigo", "codice", "release"}
)  # 1.10 is not 1.1, and 1E5 no number
AMOUNT_WORDS = frozenset(
    [*STEMS["PRICE"].split(), "total", "quantity", "qty", "betrag", "menge"]
)  # "SKU price" is no SKU
SEPARATORS = ("|", ";", "/", ",")
ENTITY = re.compile(r"&#?\w+;")
LIST_SAMPLE = 3000


@dataclass
class Guess:
    """One column of a file: what it is called there, what it may be called here, its type and a summary of a sample."""

    source: str
    name: str = ""
    include: bool = True
    type: str = "string"
    categorical: bool = False
    textual: bool = False
    nullable: bool = True
    unit: str = ""
    clock: str = ""  # the column that tells the time of this one's day
    other_unit: str = ""
    recognised_unit: str = ""
    decimal: str = ""
    separator: str = ""
    is_picture: bool = False
    vector_size: int = 0
    null_share: float = 0.0
    number_share: float = 0.0
    is_day: bool = False  # all its values are days written as 20240131
    shared_items: float = 0.0  # of its values, that are items of the file beside it
    distinct: int = 0
    known: int = 0
    low: str = ""
    high: str = ""
    histogram: list[dict[str, object]] = field(default_factory=list)
    examples: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    signature: str = ""

    @property
    def repetition(self) -> float:
        """How often a value comes on average."""
        return self.known / self.distinct if self.distinct else 0.0


def known_values(values: pa.Array) -> pa.Array:
    """The cells that say something, trimmed."""
    trimmed = as_meant(pc.utf8_trim_whitespace(values))
    blank = pc.or_(pc.equal(trimmed, ""), pc.is_in(pc.utf8_lower(trimmed), pa.array(NULL_WORDS)))
    return trimmed.filter(pc.invert(pc.fill_null(blank, True)))


def describe(source: str, values: pa.Array) -> Guess:
    """Describe one column by its cells."""
    known = known_values(values)
    guess = Guess(source, null_share=1 - len(known) / len(values) if len(values) else 0.0, known=len(known))
    counts = pc.value_counts(known)
    guess.distinct = len(counts)
    guess.examples = [str(value) for value in known[:EXAMPLES].to_pylist()]
    if not len(known):
        return guess
    guess.signature = _signature(known)
    _numbers(guess, known)
    if guess.type == "string":
        _strings(guess, known)
    named = max(name_score(source, role) for role in ("TIMESTAMP", "CREATION_TIMESTAMP")) >= 1
    is_prose = guess.textual and not named
    is_list = bool(guess.separator) and (guess.separator not in ",/" or _share(known, r"^\D*\d.*\d\D*\d") < MOST)
    if guess.type in {"long", "float", "string"} and not (is_prose or is_list or guess.is_picture):
        form = moments.recognise(known.to_pylist()[: moments.SAMPLE], named)
        if (
            form.unit in moments.EPOCHS
            and not named
            and max(name_score(source, role) for role in ("USER_ID", "ITEM_ID")) >= 2
        ):
            form = moments.TimeForm()  # ids may be as large as nanoseconds
        guess.unit, guess.other_unit, guess.recognised_unit = form.unit, form.other, form.unit
        guess.textual = guess.textual and not form.unit
        if form.unit and guess.separator:  # the comma of a date
            guess.separator, guess.categorical = "", False
        guess.is_day = form.unit == "%Y%m%d" and moments.are_days(pc.unique(known).to_pylist())
    return guess


def _signature(known: pa.Array) -> str:
    for name, pattern in (("asin", ASIN), ("email", EMAIL), ("url", URL), ("file", FILE)):
        if _share(known, pattern) >= MOST:
            return name
    return ""


def _share(values: pa.Array, pattern: str) -> float:
    return pc.mean(pc.match_substring_regex(values, pattern)).as_py() or 0.0


def _numbers(guess: Guess, known: pa.Array) -> None:
    """Type, decimal mark and share of numbers; codes stay strings."""
    bare = amounts.bare(known)
    bare = bare.filter(pc.match_substring_regex(bare, r"\d"))
    shares = (
        {mark: _share(bare, form) * len(bare) / len(known) for mark, form in ((".", POINT), (",", COMMA))}
        if len(bare)
        else {".": 0.0}
    )
    guess.decimal = _decimal(bare, shares)
    guess.number_share = shares.get(guess.decimal, 0.0)
    if guess.number_share < MOST or _is_code(guess, bare):
        guess.decimal = ""
        return
    is_whole = guess.number_share == 1 and _all(bare, WHOLE) and not _has_fraction(bare, guess.decimal)
    guess.type = "long" if is_whole else "float"


def _decimal(bare: pa.Array, shares: dict[str, float]) -> str:
    """The decimal mark: what most values allow; where both marks do, what stands before one, two or four digits."""
    if abs(shares["."] - shares.get(",", 0.0)) > 0.01:
        return max(shares, key=lambda mark: shares[mark])
    return "," if _share(bare, r",\d{1,2}$|,\d{4,}$|^[+-]?0,\d+$") > 0 else "."


def is_unclear_number(values: pa.Array) -> bool:
    """Whether `1.234` may be a thousand or one and a bit: every mark stands before exactly three digits."""
    bare = amounts.bare(known_values(values))
    marked = bare.filter(pc.match_substring_regex(bare, r"[.,]"))
    return len(marked) > 0 and _all(marked, r"^[+-]?[1-9]\d{0,2}[.,]\d{3}$")


def _has_fraction(bare: pa.Array, decimal: str) -> bool:
    return (
        _share(bare, rf"{re.escape(decimal)}\d+$") > 0
        and _share(bare, rf"{re.escape(decimal)}(\d{{1,2}}|\d{{4,}})$|{re.escape(decimal)}\d{{3}}$") > 0
    )


def _is_code(guess: Guess, bare: pa.Array) -> bool:
    """Digits without arithmetic sense: leading zeros, more than 18 digits, one width and a name of codes."""
    if _share(bare, r"^0\d+$") > 0 or _share(bare, r"^\d{19,}$") > 0:
        return True
    words = set(tokens(guess.source))
    if not _all(bare, r"^\d+$"):
        return bool(words & CODES_WITH_MARKS) and not words & AMOUNT_WORDS
    named = bool(words & CODE_WORDS) or folded(guess.source).endswith(("nr", "nr.", "id", "nummer", "code"))
    widths = pc.count_distinct(pc.utf8_length(bare)).as_py()
    return named and (
        (widths == 1 and len(bare[0].as_py()) > 3)
        or bool(words & {"plz", "zip", "ean", "gtin", "isbn", "phone", "tel"})
    )


def _strings(guess: Guess, known: pa.Array) -> None:
    if guess.distinct <= 2 and {v.lower() for v in pc.unique(known).to_pylist()} <= {"true", "false"}:
        guess.type = "boolean"
        return
    head = known[:LIST_SAMPLE].to_pylist()
    if _share(known, URL + r"|^\[?['\"]?https?://") >= MOST:
        guess.is_picture = _share(known, PICTURE) >= 0.5 or name_score(guess.source, "IMAGE_URL") >= 2
        guess.separator = _address_separator(head) if guess.is_picture else ""
        return
    guess.vector_size, odd = vector_size(head)
    if guess.vector_size:
        guess.warnings.append(
            f"{guess.source} holds vectors of {guess.vector_size} numbers; {odd:,} of the cells looked at hold another number."
            if odd
            else f"{guess.source} holds vectors of {guess.vector_size} numbers."
        )
        return
    guess.separator = _separator(head, guess)
    length, spaces = pc.mean(pc.utf8_length(known)).as_py(), pc.mean(pc.count_substring(known, " ")).as_py()
    if guess.separator:
        guess.categorical = True
    elif length > MEAN_TEXT_LENGTH and spaces >= 3:
        guess.textual = True
    elif guess.distinct <= max(50, 0.3 * len(known)):
        guess.categorical = True


def _address_separator(head: list[str]) -> str:
    """What stands between several addresses in a cell."""
    if all(text.startswith("[") for text in head):
        return "json"
    return next((mark for mark in SEPARATORS if any(re.search(rf"\{mark}\s*https?://", text) for text in head)), "")


def _separator(head: list[str], guess: Guess) -> str:
    """What parts the values of a list: `json`, or the mark whose parts recur; "" where no cell is a list."""
    if sum(text[:1] + text[-1:] in {"[]", "{}"} for text in head) >= MOST * len(head):
        return "json" if all(parts_of(text, "json") is not None for text in head[:50]) else ""
    typed = guess.source.endswith("_seq")  # RecBole's sequences are parted by blanks
    if typed:
        return " "
    return next((mark for mark in SEPARATORS if _is_list(head, mark)), "")


def _is_list(head: list[str], mark: str) -> bool:
    """Whether cells are lists of short parts that recur, alone or beside others, more often than the cells do."""
    head = [ENTITY.sub("", text) for text in head] if mark == ";" else head
    holding = [text for text in head if mark in text]
    if len(holding) < max(2, 0.02 * len(head)) or (mark == "/" and any("//" in text for text in holding)):
        return False
    parts = Counter(part for text in head for part in parts_of(text, mark) or ())
    if not _are_categories(parts, mark):
        return False
    recurring, cells = parts.total() / len(parts), len(set(head))
    spaced = sum(f"{mark} " in text for text in holding) / len(holding)
    if mark in "|;" or (mark == "," and spaced < 0.1 and len(holding) > 0.3 * len(head) and recurring >= 1.5):
        return True  # nobody writes prose with bars, or with commas and no blanks behind them
    return (
        len(parts) < 0.7 * cells and recurring >= 2 and (mark == "/" or _stand_alone(head, holding, mark, parts, cells))
    )


def _are_categories(parts: Counter[str], mark: str) -> bool:
    """Whether parts are short words: no phrases, and between commas and slashes no numbers."""
    long = sum(len(part) > 40 or part.count(" ") > 3 for part in parts)
    numbers = mark in ",/" and any(part.isdigit() for part in list(parts)[:20])
    return bool(parts) and long <= 0.1 * len(parts) and not numbers


def _stand_alone(head: list[str], holding: list[str], mark: str, parts: Counter[str], cells: int) -> bool:
    """Whether the parts of lists are cells of their own elsewhere, or far fewer than the cells."""
    alone = {text for text in head if mark not in text}
    shared = sum(bool(alone & set(parts_of(text, mark) or ())) for text in set(holding))
    return shared > 0.3 * len(set(holding)) or len(parts) < 0.4 * cells


def parts_of(text: str, separator: str) -> list[str] | None:
    """The values that a cell lists; None where it cannot be read.

    >>> parts_of("Büro, Papier", ","), parts_of('["a", "b"]', "json"), parts_of("['a']", "json")
    (['Büro', 'Papier'], ['a', 'b'], ['a'])
    """
    if separator != "json":
        return [part for one in text.split(separator) if (part := one.strip())]
    if POSTGRES_ARRAY.fullmatch(text):
        text = f"[{text[1:-1]}]" if '"' in text else json.dumps([part for part in text[1:-1].split(",") if part])
    for spelling in (text, text.replace("'", '"')):
        try:
            found = read_json(spelling)
        except ValueError:
            continue
        return [_name_of(one) for one in found] if isinstance(found, list) else None
    return None


def _name_of(entry: object) -> str:
    """A JSON array's entry as a category: of an object its name, title or id."""
    if isinstance(entry, dict):
        found = next((entry[key] for key in ("name", "title", "label", "id") if key in entry), None)
        return str(found) if found is not None else json.dumps(entry)
    return str(entry)


def _all(values: pa.Array, pattern: str) -> bool:
    return bool(len(values)) and bool(pc.all(pc.match_substring_regex(values, pattern)).as_py())
