"""What the columns of an unknown file may be: their names in Amazon Personalize's words, types, units, and a summary each."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from console.ingest.reserved import MAX_METADATA, REQUIRED, RESERVED
from recipes.tables import cells, times
from recipes.tables.dialect import CsvFormat, column_key
from recipes.tables.field import TIME_COLUMNS

BINS = 12
EXAMPLES = 3
MEAN_TEXT_LENGTH = 40
MOST = 0.95  # of the values that must be numbers for a column to be taken for a rating or price
INT, FLOAT, COMMA = r"^-?\d{1,18}$", cells.NUMBER, r"^[+-]?\d+,\d+$"
WORDS = {
    "USER_ID": "user userid uid usr customer customerid customerno customernumber custid client clientid visitor visitorid "
    "member memberid account accountid shopper shopperid buyer buyerid reviewer reviewerid viewer viewerid profileid "
    "subscriber subscriberid person personid reader readerid guest guestid household householdid patientid listener",
    "ITEM_ID": "item itemid iid product productid productcode sku stockcode movie movieid film filmid book bookid isbn song "
    "songid track trackid article articleid video videoid asin parentasin show showid content contentid news newsid artist "
    "artistid game gameid business businessid restaurant restaurantid listing listingid offer offerid course courseid title "
    "titleid itemno goods goodsid materialno ean upc tmdbid imdbid anime animeid recipeid joke jokeid poi venueid",
    "TIMESTAMP": "timestamp ts time date datetime unixtime unixtimestamp eventtime eventdate eventtimestamp when "
    "unixreviewtime reviewtime invoicedate orderdate orderdatetime purchasedate purchasetime watchedat occurredat epoch "
    "ratedat viewedat clickedat transactiondate tdat day utctime localtime interactiontime lastseen",
    "EVENT_TYPE": "eventtype feedbacktype event action actiontype type behavior behaviour behaviortype interaction interactiontype activity "
    "activitytype eventname",
    "EVENT_VALUE": "eventvalue rating ratings score value weight stars star overall preference plays playcount listens watchratio",
    "IMPRESSION": "impression impressions shown shownitems slate",
    "RECOMMENDATION_ID": "recommendationid",
}
ENTITY_WORDS = {
    "CREATION_TIMESTAMP": "creationtimestamp created createdat creationdate creationtime releasedate released releasedon "
    "published publishedat publishdate publicationdate addedat dateadded firstseen timestamp listedat",
}
DOMAIN_WORDS = {
    ("VIDEO_ON_DEMAND", "ITEMS"): {
        "GENRES": "genres genre category categories",
        "AVERAGE_RATING": "averagerating avgrating",
    },
    ("ECOMMERCE", "ITEMS"): {
        "PRICE": "price unitprice cost amount",
        "CATEGORY_L1": "categoryl1 category categories department maincategory productgroupname",
        "PRODUCT_DESCRIPTION": "productdescription description",
    },
}
ALIASES = {word for words in (*WORDS.values(), *ENTITY_WORDS.values()) for word in words.split()}
TYPES = {"INTERACTIONS": ("USER_ID", "ITEM_ID", "TIMESTAMP"), "ITEMS": ("ITEM_ID",), "USERS": ("USER_ID",)}


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
    null_share: float = 0.0
    number_share: float = 0.0
    distinct: int = 0
    low: str = ""
    high: str = ""
    histogram: list[dict[str, object]] = field(default_factory=list)
    examples: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def plain(name: str) -> str:
    """A name without case, punctuation and type, by which spellings are compared."""
    return column_key(name)


def guess_type(header: list[str], rows: list[list[str]]) -> str:
    """Which dataset a file with these columns is for."""
    names = {plain(name) for name in header}
    has = {role: bool(names & set(words.split())) for role, words in WORDS.items()}
    if has["USER_ID"] and has["ITEM_ID"]:
        return "INTERACTIONS"
    if has["ITEM_ID"]:
        return "ITEMS"
    if has["USER_ID"]:
        return "USERS"
    moments = [n for n in range(len(header)) if times.unit_of([row[n] for row in rows[:1000]])]
    return "INTERACTIONS" if len(header) >= 3 and moments else "ITEMS"


def guess_columns(
    header: list[str], rows: list[list[str]], kind: str, domain: str, form: CsvFormat
) -> tuple[list[Guess], str]:
    """Guess every column; also returns the decimal point."""
    columns = [pa.array([row[n] for row in rows], pa.string()) for n in range(len(header))]
    decimal = "," if form.delimiter != "," and any(_is_comma(column) for column in columns) else "."
    guesses = [_describe(source, values, decimal) for source, values in zip(header, columns, strict=True)]
    _name_by_words(guesses, kind, domain)
    _name_by_content(guesses, kind, columns)
    _name_the_rest(guesses, kind)
    for guess, values in zip(guesses, columns, strict=True):
        _settle(guess, kind, domain, values, decimal)
    _limit(guesses, kind, domain)
    return guesses, decimal


def _describe(source: str, values: pa.Array, decimal: str) -> Guess:
    trimmed = pc.utf8_trim_whitespace(values)
    known = cells.without_null_words(trimmed).drop_null()
    guess = Guess(source, null_share=1 - len(known) / len(values) if len(values) else 0.0)
    counts = pc.value_counts(known)
    guess.distinct = len(counts)
    guess.examples = [str(value) for value in known[:EXAMPLES].to_pylist()]
    numeric = pc.replace_substring(known, ",", ".") if decimal == "," else known
    guess.number_share = pc.mean(pc.match_substring_regex(numeric, FLOAT)).as_py() or 0.0
    if len(known) and _all(numeric, INT):
        guess.type = "long"
    elif guess.number_share == 1:
        guess.type = "float"
    elif len(known) and guess.distinct <= 2 and {v.lower() for v in pc.unique(known).to_pylist()} <= {"true", "false"}:
        guess.type = "boolean"
    else:
        _describe_strings(guess, known)
    if guess.type in {"long", "string"}:
        guess.unit = times.unit_of(known.to_pylist()[:2000])
    return guess


def _describe_strings(guess: Guess, known: pa.Array) -> None:
    if not len(known):
        return
    several = pc.mean(pc.match_substring(known, "|")).as_py() > 0.02
    length, spaces = pc.mean(pc.utf8_length(known)).as_py(), pc.mean(pc.count_substring(known, " ")).as_py()
    if length > MEAN_TEXT_LENGTH and spaces >= 3 and not several:
        guess.textual = True
    elif several or guess.distinct <= max(50, 0.3 * len(known)):
        guess.categorical = True


def _roles(kind: str, domain: str) -> dict[str, str]:
    allowed = REQUIRED[kind].keys() | RESERVED[kind].keys()
    words = {role: text for role, text in (WORDS | ENTITY_WORDS).items() if role in allowed}
    return words | DOMAIN_WORDS.get((domain, kind), {})


def _name_by_words(guesses: list[Guess], kind: str, domain: str) -> None:
    """Give a role to the first column whose name is one of its words, exact names first."""
    for role, words in _roles(kind, domain).items():
        ranked = [plain(role), *words.split()]
        found = [guess for guess in guesses if not guess.name and plain(guess.source) in ranked and _suits(guess, role)]
        if found:
            min(found, key=lambda guess: ranked.index(plain(guess.source))).name = role


def _suits(guess: Guess, role: str) -> bool:
    if plain(guess.source) == plain(role):
        return True
    if role in TIME_COLUMNS:
        return bool(guess.unit) or guess.distinct == 0
    if role in {"EVENT_VALUE", "PRICE", "AVERAGE_RATING"}:
        return guess.number_share > MOST or guess.distinct == 0
    return not (role in {"USER_ID", "ITEM_ID"} and guess.null_share > 0.5)


def _name_by_content(guesses: list[Guess], kind: str, columns: list[pa.Array]) -> None:
    """Find required columns that no name gave away: the times, then what looks like ids, from left to right."""
    missing = [role for role in TYPES.get(kind, tuple(REQUIRED[kind])) if all(guess.name != role for guess in guesses)]
    for role in missing:
        free = [guess for guess in guesses if not guess.name]
        if role in TIME_COLUMNS:
            free = [guess for guess in free if guess.unit]
        else:
            free = [guess for guess in free if not guess.unit and guess.type != "float" and not guess.null_share]
            free = [
                guess for guess in free if not guess.textual and (kind == "INTERACTIONS" or _is_unique(guess, columns))
            ]
        if free:
            free[0].name = role
    if kind == "INTERACTIONS":
        _find_value(guesses)


def _find_value(guesses: list[Guess]) -> None:
    """In a file without header, few different numbers are likely ratings."""
    if any(guess.name == "EVENT_VALUE" for guess in guesses):
        return
    for guess in guesses:
        few = guess.type in {"long", "float"} and not guess.unit and guess.distinct <= 20
        if not guess.name and guess.source.isdigit() and few:
            guess.name = "EVENT_VALUE"
            return


def _is_unique(guess: Guess, columns: list[pa.Array]) -> bool:
    return guess.distinct >= 0.95 * len(columns[0])


def _name_the_rest(guesses: list[Guess], kind: str) -> None:
    """Make the source's name one that a schema takes; an unnamed index column is left out."""
    reserved = REQUIRED[kind].keys() | RESERVED[kind].keys()
    taken = {plain(guess.name) for guess in guesses if guess.name}
    for guess in guesses:
        if guess.name:
            continue
        stem = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", guess.source)
        stem = re.sub(r"\W+", "_", stem, flags=re.ASCII).strip("_").upper()[:50]
        guess.include = bool(stem) and not re.match(r"UNNAMED_?\d*$", stem)
        stem = f"COLUMN_{stem}" if not stem or stem[0].isdigit() else stem
        name, number = stem, 2
        while plain(name) in taken or name in reserved:
            name, number = f"{stem}_{number}", number + 1
        guess.name = name
        taken.add(plain(name))


def _settle(guess: Guess, kind: str, domain: str, values: pa.Array, decimal: str) -> None:
    """Hold type and flags to what the role demands, and summarise the values as that type."""
    required = guess.name in REQUIRED[kind]
    rule = (REQUIRED[kind] | RESERVED[kind]).get(guess.name)
    if rule:
        guess.type, guess.categorical, guess.textual = rule.types[0], False, False
    if guess.name not in TIME_COLUMNS:
        guess.unit = guess.unit if not rule and guess.type == "string" and guess.unit else ""
    domain_required = guess.name in DOMAIN_WORDS.get((domain, kind), {})
    if domain_required:
        guess.type = "float" if guess.name in {"PRICE", "AVERAGE_RATING"} else "string"
        guess.textual = guess.name == "PRODUCT_DESCRIPTION"
        guess.categorical = guess.type == "string" and not guess.textual
    needed = {"PRICE", "CATEGORY_L1", "GENRES"} if domain_required else {"EVENT_TYPE", "CREATION_TIMESTAMP"}
    mandatory = required or (bool(domain) and guess.name in needed)
    guess.nullable = not mandatory
    if required and guess.null_share:
        guess.warnings.append(
            f"{100 * guess.null_share:.1f} % of {guess.source} are empty; rows without {guess.name} are left out."
        )
    _summarise(guess, cells.without_null_words(pc.utf8_trim_whitespace(values)).drop_null(), decimal)
    if guess.name in TIME_COLUMNS and times.is_ambiguous(guess.unit, guess.examples):
        guess.warnings.append(f"{guess.source} is read as {guess.unit}; day and month may be the other way round.")
    if guess.name not in TIME_COLUMNS:
        guess.unit = ""


def _summarise(guess: Guess, known: pa.Array, decimal: str) -> None:
    if not len(known):
        return
    if guess.name in TIME_COLUMNS and guess.unit:
        moments = [moment for moment in times.seconds(known, guess.unit).to_pylist() if moment is not None]
        if moments:
            guess.low, guess.high = times.shown(min(moments)), times.shown(max(moments))
            guess.histogram = _bins(np.asarray(moments, float), times.shown)
    elif guess.type in {"long", "int", "float", "double"}:
        text = pc.replace_substring(known, decimal, ".") if decimal != "." else known
        numbers = np.asarray(text.filter(pc.match_substring_regex(text, FLOAT)).cast(pa.float64()))
        if len(numbers):
            guess.low, guess.high = f"{numbers.min():g}", f"{numbers.max():g}"
            guess.histogram = _bins(numbers, lambda value: f"{value:g}")
    else:
        guess.low, guess.high = (str(value)[:100] for value in pc.min_max(known).as_py().values())
        parts = pc.list_flatten(pc.split_pattern(known, "|")) if guess.categorical else known
        common = Counter(parts.to_pylist()).most_common(BINS) if not guess.textual else []
        guess.histogram = [{"label": str(value)[:60], "count": number} for value, number in common]


def _bins(numbers: NDArray[np.float64], shown: Callable[[float], str]) -> list[dict[str, object]]:
    finite = numbers[np.isfinite(numbers)]
    if not len(finite):
        return []
    counts, edges = np.histogram(finite, bins=min(BINS, max(1, len(np.unique(finite[:10_000])))))
    return [
        {"label": f"{shown(low)} to {shown(high)}", "low": float(low), "high": float(high), "count": int(count)}
        for count, low, high in zip(counts, edges[:-1], edges[1:], strict=True)
    ]


def _limit(guesses: list[Guess], kind: str, domain: str) -> None:
    """Leave out what a schema of this type has no room for; one column of free text at most."""
    known = REQUIRED[kind].keys() | RESERVED[kind].keys() | DOMAIN_WORDS.get((domain, kind), {}).keys()
    metadata = [guess for guess in guesses if guess.include and guess.name not in known]
    useless = [guess for guess in metadata if guess.distinct == 0]
    for guess in useless + metadata[MAX_METADATA[kind] + len(useless) :]:
        guess.include = False
    texts = sorted((g for g in guesses if g.textual and g.include), key=lambda g: g.name != "PRODUCT_DESCRIPTION")
    for guess in texts if kind != "ITEMS" else texts[1:]:
        guess.textual = False


def _is_comma(values: pa.Array) -> bool:
    known = cells.without_null_words(pc.utf8_trim_whitespace(values)).drop_null()
    matched = pc.match_substring_regex(known, COMMA)
    number = pc.or_(matched, pc.match_substring_regex(known, INT))
    return bool(len(known)) and pc.any(matched).as_py() and pc.all(number).as_py()


def _all(values: pa.Array, pattern: str) -> bool:
    return bool(pc.all(pc.match_substring_regex(values, pattern)).as_py())
