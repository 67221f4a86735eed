"""What the columns of an unknown file may be: their names in Amazon Personalize's words, types, units, and a summary each."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from recipes.tables import clocks, moments, roles
from recipes.tables.amounts import NUMBER, bare, bare_text
from recipes.tables.describe import Guess, describe, is_unclear_number, known_values, parts_of
from recipes.tables.reserved import DOMAIN_REQUIRED, MAX_METADATA, REQUIRED, RESERVED
from recipes.tables.roles import Question
from recipes.tables.words import folded, name_score, plain, tokens

BINS = 12
SHOWN_SAMPLES = 3
ROUNDED, MOST_EXACT = r"^\d([.,]\d+)?E\+\d\d$", 0.05  # the spelling, and how many ids may be spelt so by chance
MIN_SHARED = 3  # values that two files have in common by no chance
TIME_COLUMNS = {"TIMESTAMP", "CREATION_TIMESTAMP", "ACTION_EXPIRATION_TIMESTAMP", "EXPIRATION_TIMESTAMP"}
IDS = {"USER_ID", "ITEM_ID", "ACTION_ID"}
DOMAIN_COLUMNS = {
    ("VIDEO_ON_DEMAND", "ITEMS"): ("GENRES", "AVERAGE_RATING"),
    ("ECOMMERCE", "ITEMS"): ("PRICE", "CATEGORY_L1", "PRODUCT_DESCRIPTION"),
}
DEFAULT_EVENT = {"ECOMMERCE": "Purchase", "VIDEO_ON_DEMAND": "Watch"}


@dataclass(frozen=True)
class Understanding:
    """What was recognised in a file: a guess for each column, its decimal mark, and what has to be asked."""

    columns: list[Guess]
    decimal: str
    questions: list[Question]
    constants: dict[str, str]


def guess_type(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Which dataset a file with these columns is for: events have who, what and when; items and users are described once each."""
    columns = _columns(header, rows[:5000])
    guesses = [describe(source, values) for source, values in zip(header, columns, strict=True)]
    best = {role: max((name_score(guess.source, role) for guess in guesses), default=0) for role in roles.ENTITIES}
    unique = {guess.source: guess.repetition < 1.02 for guess in guesses}
    roles.find_interactions(guesses, columns, tuple(REQUIRED["INTERACTIONS"]))
    found = {guess.name: guess for guess in guesses if guess.name}
    who, what = found.get("USER_ID"), found.get("ITEM_ID")
    named = [role for role in roles.ENTITIES if best[role] >= 1.5]
    if len(named) == len(roles.ENTITIES):
        return "INTERACTIONS"
    timed = "TIMESTAMP" in found
    if named == ["ITEM_ID"]:
        repeats = what is not None and not unique[what.source] and who is not None and who.repetition > 1.2
        return "INTERACTIONS" if repeats and timed and _mostly_repeats(guesses) else "ITEMS"
    if named == ["USER_ID"]:
        if who is None or what is None or unique[who.source]:
            return "USERS"
        return "INTERACTIONS" if timed or who.repetition > 1.5 else "USERS"
    no_key = not any(unique[guess.source] for guess in guesses if not guess.unit and guess.type != "float")
    titled = not no_key and any(name_score(source, "TITLE") >= 1.5 for source in header)
    small = timed and len(header) <= 5 and not titled
    return "INTERACTIONS" if small or (no_key and who is not None and what is not None) else "ITEMS"


def _mostly_repeats(guesses: Sequence[Guess]) -> bool:
    """Whether no column tells the rows apart, as an item's id does in a catalogue."""
    return not any(name_score(guess.source, "ITEM_ID") >= 2 and guess.repetition < 1.02 for guess in guesses)


def understand(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    kind: str,
    domain: str = "",
    *,
    known_items: frozenset[str] = frozenset(),
    is_whole: bool = False,
) -> Understanding:
    """Guess every column of a file.

    Args:
        header: the columns' names; numbers from 1 where the file has none.
        rows: a sample of rows as wide as the header.
        kind: the dataset's type, such as INTERACTIONS.
        domain: the group's domain, "" for custom.
        known_items: ids of items that the events, or the catalogue, beside this file may name.
        is_whole: whether there are no other rows.
    """
    columns = _columns(header, rows)
    guesses = [describe(source, values) for source, values in zip(header, columns, strict=True)]
    for guess, values in zip(guesses, columns, strict=True):
        guess.shared_items = _share_of(known_values(values), known_items)
    decimal = _settle_decimals(guesses, columns)
    questions = _assign(guesses, columns, kind, domain)
    _name_the_rest(guesses, kind)
    clocks.join_clocks(guesses, columns)
    roles.warn_of_times(guesses)
    for guess, values in zip(guesses, columns, strict=True):
        _settle(guess, kind, domain)
        _summarise(guess, known_values(values), guess.decimal or decimal)
        questions += _questions_of(guess, values, decimal, is_whole)
    _limit(guesses, kind, domain)
    used = [question for question in questions if _is_used(question, guesses)]
    return Understanding(guesses, decimal, used, _constants(guesses, kind, domain))


def _share_of(values: pa.Array, ids: frozenset[str]) -> float:
    """How many of the different values are such ids, as a share of what could be."""
    distinct = set(values.to_pylist()) if ids else set()
    shared = len(distinct & ids)
    return shared / min(len(distinct), len(ids)) if shared >= MIN_SHARED else 0.0


def _constants(guesses: Sequence[Guess], kind: str, domain: str) -> dict[str, str]:
    """What every row counts as where a domain asks for an event type and no column tells one."""
    wanted = "EVENT_TYPE" in DOMAIN_REQUIRED.get((domain, kind), {})
    missing = wanted and all(guess.name != "EVENT_TYPE" for guess in guesses)
    return {"EVENT_TYPE": DEFAULT_EVENT[domain]} if missing else {}


def _columns(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[pa.Array]:
    return [pa.array([row[n] for row in rows], pa.string()) for n in range(len(header))]


def _is_used(question: Question, guesses: Sequence[Guess]) -> bool:
    return any(guess.source == question.about and guess.include for guess in guesses)


def _settle_decimals(guesses: Sequence[Guess], columns: Sequence[pa.Array]) -> str:
    """The file's decimal mark: that of most columns whose numbers show one. Numbers that do not, such as 1.250, are read so, too."""
    numbers = [
        (guess, values) for guess, values in zip(guesses, columns, strict=True) if guess.type in {"float", "long"}
    ]
    unclear = [(guess, values) for guess, values in numbers if is_unclear_number(values)]
    doubtful = [guess for guess, _ in unclear]
    clear = [guess for guess, _ in numbers if guess not in doubtful]
    shown = [guess.decimal for guess in clear if guess.type == "float"] or [
        guess.decimal for guess in doubtful if guess.type == "float"
    ]
    decimal = Counter(filter(None, shown)).most_common(1)[0][0] if any(shown) else "."
    for guess, values in unclear:
        guess.decimal = decimal
        guess.type = "float" if pc.any(pc.match_substring(known_values(values), decimal)).as_py() else "long"
    return decimal


def _assign(guesses: Sequence[Guess], columns: Sequence[pa.Array], kind: str, domain: str) -> list[Question]:
    """Give the roles of a dataset's type to columns; those that are spelt exactly are taken at their word."""
    known = REQUIRED[kind].keys() | RESERVED[kind].keys() | set(DOMAIN_COLUMNS.get((domain, kind), ()))
    for role in known:
        exact = next((guess for guess in guesses if not guess.name and plain(guess.source) == plain(role)), None)
        if exact and role not in {one.name for one in guesses}:
            exact.name = role
    if kind in {"INTERACTIONS", "ACTION_INTERACTIONS"}:
        given = {guess.name for guess in guesses} - {"ITEM_ID"}
        return roles.find_interactions(guesses, columns, sorted(known - given))
    key = next(iter(REQUIRED[kind]))
    questions = roles.find_key(guesses, key)
    _find_described(guesses, kind, domain)
    return questions


def _find_described(guesses: Sequence[Guess], kind: str, domain: str) -> None:
    """Title, picture, date and the domain's columns of a catalogue."""
    taken = {guess.name for guess in guesses}
    wanted = [role for role in DOMAIN_COLUMNS.get((domain, kind), ()) if role not in taken]
    if "CREATION_TIMESTAMP" in RESERVED[kind] and "CREATION_TIMESTAMP" not in taken:
        roles.find_time(guesses, "CREATION_TIMESTAMP")
    if kind == "ITEMS":
        wanted += [role for role in ("TITLE", "IMAGE_URL") if role not in taken]
    for role in wanted:
        fitting = [
            (score, -n, guess)
            for n, guess in enumerate(guesses)
            if not guess.name and (score := _described_score(guess, role)) > 0
        ]
        if fitting:
            max(fitting, key=lambda entry: entry[:2])[2].name = role


def _described_score(guess: Guess, role: str) -> float:
    named = name_score(guess.source, role)
    if role == "IMAGE_URL":
        return named + 2.0 if guess.is_picture else 0.0
    if role in {"PRICE", "AVERAGE_RATING"}:
        return named if guess.type in {"long", "float"} and not guess.unit else 0.0
    if role == "PRODUCT_DESCRIPTION":
        return named + guess.textual if guess.type == "string" and named >= 1 else 0.0
    if role == "TITLE":
        fits = guess.type == "string" and not (guess.separator or guess.unit or guess.is_picture or guess.vector_size)
        named = max(named, 1.6 if _names_items(guess) else 0.0)
        return named * min(1.0, 2 / max(guess.repetition, 1)) if fits and named >= 1.5 else 0.0
    return named if guess.type == "string" and not guess.textual and named >= 1 else 0.0


def _names_items(guess: Guess) -> bool:
    """Whether a column called by the item's noun alone holds names, as `Artikel` does beside `Nr.`."""
    spaced = sum(" " in example for example in guess.examples)
    return len(tokens(guess.source)) == 1 and name_score(guess.source, "ITEM_ID") == 3 and spaced >= 2


def _name_the_rest(guesses: Sequence[Guess], kind: str) -> None:
    """Make the source's name one that a schema takes, by the column's place where no letter of it is; an unnamed index column is left out."""
    reserved = REQUIRED[kind].keys() | RESERVED[kind].keys()
    taken = {plain(guess.name) for guess in guesses if guess.name}
    for place, guess in enumerate(guesses, 1):
        if guess.name:
            continue
        stem = _stem_of(guess.source)
        is_named = bool(stem) or any(map(str.isalnum, guess.source))
        guess.include = is_named and not re.match(r"unnamed:? ?\d*$", guess.source.lower())
        stem = column_name(guess.source) if stem else f"COLUMN_{place}"
        name, number = stem, 2
        while plain(name) in taken or name in reserved:
            name, number = f"{stem}_{number}", number + 1
        guess.name = name
        taken.add(plain(name))


def column_name(source: str) -> str:
    """A name that a schema takes: in capitals and ASCII, no digit first.

    >>> column_name("Verfügbar ab"), column_name("2nd price"), column_name("")
    ('VERFUGBAR_AB', 'COLUMN_2ND_PRICE', 'COLUMN_')
    """
    stem = _stem_of(source)
    return f"COLUMN_{stem}" if not stem or stem[0].isdigit() else stem


def _stem_of(source: str) -> str:
    spaced = re.sub(r":(token|float)(_seq)?$", "", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", source))
    return re.sub(r"\W+", "_", folded(spaced), flags=re.ASCII).strip("_").upper()[:50]


def _settle(guess: Guess, kind: str, domain: str) -> None:
    """Hold type and flags to what the role demands."""
    required = guess.name in REQUIRED[kind]
    demanded = DOMAIN_REQUIRED.get((domain, kind), {})
    rule = (RESERVED[kind] | demanded | REQUIRED[kind]).get(guess.name)
    if rule:
        guess.type, guess.categorical, guess.textual = rule.types[0], rule.categorical, False
        guess.separator = guess.separator if rule.categorical else ""
    elif guess.name in DOMAIN_COLUMNS.get((domain, kind), ()):
        guess.type = "float" if guess.name in {"PRICE", "AVERAGE_RATING"} else "string"
        guess.textual = guess.name == "PRODUCT_DESCRIPTION"
        guess.categorical = guess.type == "string" and not guess.textual
    if guess.name in {"TITLE", "IMAGE_URL"} and kind == "ITEMS":
        guess.categorical = guess.textual = False
        guess.separator = "" if guess.name == "TITLE" else guess.separator
    guess.nullable = not (required or guess.name in demanded)
    if guess.name not in TIME_COLUMNS:
        guess.unit = guess.other_unit = ""
    if guess.type not in {"float", "double", "long", "int"} or guess.name in TIME_COLUMNS:
        guess.decimal = ""
    if required and guess.null_share:
        guess.warnings.append(
            f"{100 * guess.null_share:.1f} % of {guess.source} are empty; rows without {guess.name} are left out."
        )


def _questions_of(guess: Guess, values: pa.Array, decimal: str, is_whole: bool) -> list[Question]:
    """What the column leaves open: the order of day and month, the meaning of a mark before three digits."""
    if guess.name in TIME_COLUMNS and guess.other_unit:
        units = (guess.unit, guess.other_unit)
        samples = _telling(values, lambda text: moments.moment_of(text, units[0]) != moments.moment_of(text, units[1]))
        if not samples and is_whole:  # of each date day and month are one number
            return []
        samples = samples or _telling(values, bool)
        options = [(unit, _order_label(unit), [_day_of(text, unit) for text in samples]) for unit in units]
        text = f"{guess.source}: which comes first, the day or the month?"
        return [Question(guess.source, "timestampUnit", text, options, "")]
    is_number = guess.type in {"float", "long"} and guess.name not in TIME_COLUMNS
    if is_number and is_unclear_number(values) and guess.decimal == decimal:
        samples = _telling(values, lambda text: "." in text or "," in text)
        labels = {".": "A point before decimals", ",": "A comma before decimals"}
        options = [(mark, label, [_number_of(text, mark) for text in samples]) for mark, label in labels.items()]
        return [Question(guess.source, "decimal", f"{guess.source}: how large is {samples[0]}?", options, decimal)]
    return []


def _telling(values: pa.Array, is_telling: Callable[[str], bool]) -> list[str]:
    """A few cells at which two readings differ."""
    return list(islice(filter(is_telling, pc.unique(known_values(values)).to_pylist()), SHOWN_SAMPLES))


def _order_label(unit: str) -> str:
    form = next((one for one in unit.split("|") if "%d" in one), unit)
    return "Day first" if form.find("%d") < form.find("%m") else "Month first"


def _day_of(text: str, unit: str) -> str:
    moment = moments.moment_of(text, unit)
    return f"{text} is {moment.day} {moment:%B %Y}" if moment else text


def _number_of(text: str, decimal: str) -> str:
    digits = bare_text(text)
    other = "," if decimal == "." else "."
    return f"{text} is {float(digits.replace(other, '').replace(decimal, '.')):,g}"


def _summarise(guess: Guess, known: pa.Array, decimal: str) -> None:
    if not len(known):
        return
    if guess.name in IDS and pc.all(pc.match_substring_regex(known, r"^\d+\.0$")).as_py():
        guess.warnings.append(
            f"Ids in {guess.source} end in .0, as programs write whole numbers beside empty cells; they stay so: {guess.examples[0]} is not "
            f"{guess.examples[0][:-2]}."
        )
    if guess.name in IDS and pc.mean(pc.match_substring_regex(known, ROUNDED)).as_py() >= MOST_EXACT:
        rounded = known.filter(pc.match_substring_regex(known, ROUNDED))[0].as_py()
        guess.warnings.append(
            f"Ids in {guess.source} are rounded, as {rounded}, which is how spreadsheets show long numbers: different ids may have become "
            "one. Export them as text."
        )
    if guess.name in TIME_COLUMNS and guess.unit:
        _summarise_times(guess, known)
    elif guess.type in {"long", "int", "float", "double"}:
        _summarise_numbers(guess, known, decimal)
    else:
        guess.low, guess.high = (str(value)[:100] for value in pc.min_max(known).as_py().values())
        cells = known.to_pylist()
        parts = (
            [part for cell in cells for part in parts_of(cell, guess.separator or "|") or ()]
            if guess.categorical
            else cells
        )
        common = Counter(parts).most_common(BINS) if not guess.textual else []
        guess.histogram = [{"label": str(value)[:60], "count": number} for value, number in common]


def _summarise_times(guess: Guess, known: pa.Array) -> None:
    counts = pc.value_counts(known)
    times = [
        (moment.timestamp(), number)
        for value, number in zip(counts.field(0).to_pylist()[:5000], counts.field(1).to_pylist()[:5000], strict=True)
        if (moment := moments.moment_of(value, guess.unit))
    ]
    if times:
        low, high = min(times)[0], max(times)[0]
        guess.low, guess.high = _shown(low), _shown(high)
        guess.histogram = _bins(np.repeat([moment for moment, _ in times], [number for _, number in times]), _shown)


def _summarise_numbers(guess: Guess, known: pa.Array, decimal: str) -> None:
    text = bare(known)
    text = pc.replace_substring(text, "," if decimal == "." else ".", "")
    text = pc.replace_substring(text, decimal, ".") if decimal != "." else text
    numbers = np.asarray(text.filter(pc.match_substring_regex(text, NUMBER)).cast(pa.float64()))
    if len(numbers):
        guess.low, guess.high = f"{numbers.min():g}", f"{numbers.max():g}"
        guess.histogram = _bins(numbers, lambda value: f"{value:g}")


def _shown(moment: float) -> str:
    found = moments.moment_of(str(moment), "s")
    return f"{found:%Y-%m-%d %H:%M:%S}" if found else str(moment)


def _bins(numbers: NDArray[np.float64], shown: Callable[[float], str]) -> list[dict[str, object]]:
    finite = numbers[np.isfinite(numbers)]
    if not len(finite):
        return []
    counts, edges = np.histogram(finite, bins=min(BINS, max(1, len(np.unique(finite[:10_000])))))
    return [
        {"label": f"{shown(low)} to {shown(high)}", "low": float(low), "high": float(high), "count": int(count)}
        for count, low, high in zip(counts, edges[:-1], edges[1:], strict=True)
    ]


def _limit(guesses: Sequence[Guess], kind: str, domain: str) -> None:
    """Leave out what a schema of this type has no room for; one column of free text at most."""
    known = REQUIRED[kind].keys() | RESERVED[kind].keys() | set(DOMAIN_COLUMNS.get((domain, kind), ()))
    metadata = [guess for guess in guesses if guess.include and guess.name not in known]
    useless = [guess for guess in metadata if guess.distinct == 0]
    kept = sorted(
        (guess for guess in metadata if guess.distinct),
        key=lambda guess: guess.name not in {"TITLE", "IMAGE_URL"} and guess.type == "string" and not guess.categorical,
    )
    for guess in useless + kept[MAX_METADATA[kind] :]:
        guess.include = False
    texts = sorted((g for g in guesses if g.textual and g.include), key=lambda g: g.name != "PRODUCT_DESCRIPTION")
    for guess in texts if kind != "ITEMS" else texts[1:]:
        guess.textual = False
