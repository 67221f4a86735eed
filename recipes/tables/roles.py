"""Which column is who, what, when and which event: by what the columns hold, then by what they are called.

Who and what are chosen together: ids that repeat, of which one does not determine the other. A date, an amount or a
column where nearly every row differs is neither, whatever it is called.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import product

import pyarrow as pa
import pyarrow.compute as pc

from recipes.tables.describe import MOST, Guess, known_values
from recipes.tables.words import BARCODES, EVENT_WORDS, KEY_WORDS, name_score, plain, tells_when, tokens

FEW = 5  # columns that are compared in pairs
MIN_SHARED_SHARE = 0.05  # of a column's values: what a sample of two large files has in common where they fit
NO_ENTITY_SCORE = -3.0  # below which a column is called something else and differs in nearly every row
MAX_EVENT_TYPES = 60
SIGNATURES = {"asin": ("ITEM_ID", 2.5), "email": ("USER_ID", 2.0), "url": ("ITEM_ID", 0.5)}
TIMES = {"TIMESTAMP", "CREATION_TIMESTAMP"}
ENTITIES = ("USER_ID", "ITEM_ID")


@dataclass(frozen=True)
class Question:
    """What only a person knows: a choice between readings, each with samples. `suggested` is "" where nothing tells."""

    about: str  # the column's name in the file
    member: str  # what the answer sets: timestampUnit, decimal or name
    text: str
    options: list[tuple[str, str, list[str]]] = field(default_factory=list)  # value, label, samples
    suggested: str = ""


def find_interactions(guesses: Sequence[Guess], columns: Sequence[pa.Array], wanted: Sequence[str]) -> list[Question]:
    """Name the columns of a file of events; `wanted` are the roles that its dataset has."""
    questions: list[Question] = []
    find_time(guesses)
    if "ITEM_ID" in wanted:
        questions += _find_entities(guesses, columns)
        _warn_of_lists(guesses)
    else:
        _take(guesses, "USER_ID", _entity_score)
        _take(
            guesses,
            "ACTION_ID",
            lambda guess, _: float(bool({"action", "aktion", "offer"} & set(tokens(guess.source)))),
        )
    if "EVENT_TYPE" in wanted:
        _find_event(guesses, columns)
    for role in ("EVENT_VALUE", "IMPRESSION", "RECOMMENDATION_ID"):
        if role in wanted:
            _take(guesses, role, _plain_score)
    if "EVENT_VALUE" in wanted:
        _find_value(guesses)
    return questions


def _warn_of_lists(guesses: Sequence[Guess]) -> None:
    """Say of a column that lists the items of an order why it is not the item."""
    lists = [guess for guess in guesses if guess.separator and name_score(guess.source, "ITEM_ID") >= 1]
    if lists and all(guess.name != "ITEM_ID" for guess in guesses):
        lists[0].warnings.append(
            f"{lists[0].source} names several items in one cell. An interaction is of one item: export one row for each item of an order."
        )


def find_time(guesses: Sequence[Guess], role: str = "TIMESTAMP") -> None:
    """The time of the event: the column of times whose name says so, or, without such a name, the finest one."""
    if any(guess.name == role for guess in guesses):
        return
    free = [guess for guess in guesses if not guess.name and guess.unit]
    exact = [guess for guess in guesses if not guess.name and plain(guess.source) == plain(role)]
    named = tells_when if role == "TIMESTAMP" else partial(name_score, role=role)
    scored = [(named(guess.source), _fineness(guess), -n, guess) for n, guess in enumerate(free)]
    if exact:
        exact[0].name = role
    elif scored and (role == "TIMESTAMP" or max(scored)[0] >= 1):
        max(scored, key=lambda entry: entry[:3])[3].name = role


def warn_of_times(guesses: Sequence[Guess]) -> None:
    """Say of a column that is called a time, where no other is one, that its cells are not read as times."""
    if any(guess.name in TIMES and guess.unit for guess in guesses):
        return
    for guess in guesses:
        is_named = (
            guess.name in TIMES or max(tells_when(guess.source), name_score(guess.source, "CREATION_TIMESTAMP")) >= 1.5
        )
        has_digits = any(any(map(str.isdigit, example)) for example in guess.examples)
        if is_named and has_digits and not guess.unit and guess.type == "string":
            guess.warnings.append(
                f"{guess.source} is called a time, but {guess.examples[0][:60]} is in no form that is known; give its timestampUnit."
            )


def _fineness(guess: Guess) -> float:
    return guess.distinct / guess.known if guess.known else 0.0


def find_key(guesses: Sequence[Guess], role: str) -> list[Question]:
    """The column that tells the rows of a catalogue apart: unique, and called so or first."""
    taken = {guess.name for guess in guesses}
    if role in taken:
        return []
    free = [guess for guess in guesses if not guess.name and _may_be_key(guess)]
    shared = [guess for guess in free if guess.shared_items >= MIN_SHARED_SHARE]
    scored = [(_key_score(guess, role, n), guess) for n, guess in enumerate(shared or free)]
    if not scored:
        return []
    best, chosen = max(scored, key=lambda entry: entry[0])
    chosen.name = role
    if chosen.repetition > 1.05:
        chosen.warnings.append(
            f"{chosen.source} repeats: {chosen.distinct:,} different values in {chosen.known:,} rows. Of rows with one id the last "
            "counts; import the file as interactions if its rows are events."
        )
    rivals = [
        guess
        for score, guess in scored
        if guess is not chosen and score > best - 0.5 and guess.repetition < 1.05 and not _is_barcode(guess)
    ]
    if rivals and not shared and name_score(chosen.source, role) < 1:
        return [_which(role, [chosen, *rivals[:1]], chosen)]
    return []


def _may_be_key(guess: Guess) -> bool:
    return not _is_time(guess) and guess.type not in {"float", "boolean"} and not (
        guess.textual or guess.separator or guess.signature == "file" or guess.is_picture or guess.vector_size or guess.null_share > 0.2 or not guess.known
    )  # fmt: skip


def _key_score(guess: Guess, role: str, position: int) -> float:
    score = max(
        name_score(guess.source, role), 2.0 if set(tokens(guess.source)) <= KEY_WORDS and tokens(guess.source) else 0.0
    )
    score += 1.5 if guess.repetition < 1.02 else -2.0 * min(1.5, guess.repetition - 1)
    score -= 1.2 if _is_barcode(guess) else 0.0
    score -= 1.5 if name_score(guess.source, "TITLE") >= 1.5 or " " in "".join(guess.examples) else 0
    return score - 0.05 * position


def _is_barcode(guess: Guess) -> bool:
    return not BARCODES.isdisjoint(tokens(guess.source))


def _find_entities(guesses: Sequence[Guess], columns: Sequence[pa.Array]) -> list[Question]:
    """Who and what, chosen together among the few columns that fit best; one that is there already stays."""
    places = {id(guess): n for n, guess in enumerate(guesses)}
    candidates = {role: _candidates(guesses, role) for role in ENTITIES}
    scores = {role: {id(guess): _entity_score(guess, role) for guess in candidates[role]} for role in ENTITIES}
    times = next((values for guess, values in zip(guesses, columns, strict=True) if guess.name == "TIMESTAMP"), None)
    for guess in candidates["USER_ID"]:
        if (
            times is not None
            and name_score(guess.source, "USER_ID") < 1
            and _is_order(columns[places[id(guess)]], times)
        ):
            scores["USER_ID"][id(guess)] -= 2.0
    pairs = []
    for who, what in product(*candidates.values()):
        if who is what:
            continue
        score = scores["USER_ID"][id(who)] + scores["ITEM_ID"][id(what)] + 0.2 * (places[id(who)] < places[id(what)])
        score -= 3.0 if _same_entity(columns[places[id(who)]], columns[places[id(what)]]) else 0.0
        pairs.append((score, -places[id(who)], -places[id(what)], who, what))
    if not pairs:
        return _only_entity(candidates, scores)
    _, _, _, who, what = max(pairs, key=lambda entry: entry[:3])
    sure = bool(who.name or what.name)
    for guess, role in ((who, "USER_ID"), (what, "ITEM_ID")):
        guess.name = role if scores[role][id(guess)] > NO_ENTITY_SCORE or guess.name == role else ""
    return [] if sure or not (who.name and what.name) else _unsure(who, what)


def _candidates(guesses: Sequence[Guess], role: str) -> list[Guess]:
    """The column that has the role, else the few that fit it best."""
    given = [guess for guess in guesses if guess.name == role]
    free = [guess for guess in guesses if not guess.name and _may_be_entity(guess)]
    return given or sorted(free, key=lambda guess: -_entity_score(guess, role))[:FEW]


def _only_entity(candidates: dict[str, list[Guess]], scores: dict[str, dict[int, float]]) -> list[Question]:
    """Where one column is all there is, it is what it fits better."""
    free = [(scores[role][id(guess)], role, guess) for role in ENTITIES for guess in candidates[role] if not guess.name]
    taken = {guess.name for found in candidates.values() for guess in found}
    best = max((one for one in free if one[1] not in taken), key=lambda entry: entry[0], default=None)
    if best:
        best[2].name = best[1]
    return []


def _unsure(who: Guess, what: Guess) -> list[Question]:
    """Ask who is who where neither name nor content tells."""
    named = any(name_score(guess.source, role) >= 1 for guess, role in ((who, "USER_ID"), (what, "ITEM_ID")))
    signed = any(guess.signature in SIGNATURES for guess in (who, what))
    if named or signed:
        return []
    return [_which("USER_ID", [who, what], who)]


def _which(role: str, guesses: list[Guess], chosen: Guess) -> Question:
    noun = {"USER_ID": "the user", "ITEM_ID": "the item", "ACTION_ID": "the action"}[role]
    options = [(guess.source, guess.source or "(no name)", guess.examples) for guess in guesses]
    return Question(chosen.source, "name", f"Which column identifies {noun}?", options, chosen.source)


def _may_be_entity(guess: Guess) -> bool:
    exact = any(plain(guess.source) == plain(role) for role in ENTITIES)
    named = max(name_score(guess.source, role) for role in ENTITIES) >= 2
    odd = (
        guess.textual
        or guess.separator
        or guess.signature == "file"
        or guess.is_picture
        or guess.vector_size
        or guess.type == "boolean"
    )
    odd = odd or (guess.type == "float" and not named)
    return exact or not (odd or _is_time(guess) or guess.distinct < 2 or guess.null_share > 0.9 or _is_amount(guess))


def _is_time(guess: Guess) -> bool:
    """Whether a column holds times and no ids: some numbers may be either, and are times where the name says so."""
    named = max(name_score(guess.source, role) for role in ENTITIES) >= 2
    is_dated = max(name_score(guess.source, role) for role in ("TIMESTAMP", "CREATION_TIMESTAMP")) >= 1
    is_day = guess.is_day and is_dated and not named
    return bool(guess.unit) and (guess.unit not in {"s", "excel", "%Y%m%d"} or is_day)


def _is_amount(guess: Guess) -> bool:
    """Few different small numbers, as ratings and quantities are, in a file with many rows."""
    return guess.type == "long" and guess.distinct <= 12 and guess.known > 40 * guess.distinct and len(guess.high or "") < 4 and all(
        len(example) < 4 for example in guess.examples
    )  # fmt: skip


def _entity_score(guess: Guess, role: str) -> float:
    score = 1.2 * name_score(guess.source, role)
    other = "ITEM_ID" if role == "USER_ID" else "USER_ID"
    score -= 0.8 * max(0.0, name_score(guess.source, other))
    signed, weight = SIGNATURES.get(guess.signature, ("", 0.0))
    score += weight if signed == role else -weight if signed else 0.0
    many = guess.known >= 20
    if many and guess.repetition >= 1.2:
        score += 0.6
    if many and guess.repetition < 1.02:
        score -= 2.0
    if many and guess.distinct <= max(3, 0.002 * guess.known):
        score -= 1.5
    score += (
        0.15 * math.log10(max(1, guess.distinct)) if role == "ITEM_ID" else 0.0
    )  # of a track and its artist, the track
    score += 4.0 if role == "ITEM_ID" and guess.shared_items >= MIN_SHARED_SHARE else 0.0
    spaced = sum(" " in example for example in guess.examples) / max(1, len(guess.examples))
    return score - 1.5 * guess.null_share - 0.5 * spaced - (1.0 if guess.unit else 0.0)


def _same_entity(left: pa.Array, right: pa.Array) -> bool:
    """Whether each value of one column comes with one of the other only, as a customer's number and name do."""
    table = pa.table({"left": left, "right": right}).slice(0, 20_000)
    pairs = table.group_by(["left", "right"]).aggregate([]).num_rows
    sizes = [pc.count_distinct(table[name]).as_py() for name in ("left", "right")]
    return bool(max(sizes) < 0.9 * table.num_rows and pairs <= 1.02 * max(sizes))


def _is_order(ids: pa.Array, times: pa.Array) -> bool:
    """Whether each value has one time only, as the lines of an order do; people come again."""
    table = pa.table({"id": ids, "time": times}).slice(0, 20_000)
    lines = table.group_by("id").aggregate([("time", "count"), ("time", "count_distinct")])
    several = lines.filter(pc.greater(lines["time_count"], 1))
    once = pc.mean(pc.equal(several["time_count_distinct"], 1)).as_py() or 0.0
    return several.num_rows >= FEW and bool(once >= MOST)


def _find_event(guesses: Sequence[Guess], columns: Sequence[pa.Array]) -> None:
    """The event's type: few different values; by name, or because they are words for events."""
    free = [(guess, values) for guess, values in zip(guesses, columns, strict=True) if not guess.name]
    scored = []
    for guess, values in free:
        exact = plain(guess.source) == "eventtype"
        few = (
            guess.type == "string"
            and 0 < guess.distinct <= MAX_EVENT_TYPES
            and not (guess.unit or guess.textual or guess.separator or "hour" in tokens(guess.source))
        )
        if exact or few:
            scored.append((4.0 if exact else _event_score(guess, values), guess))
    if scored:
        best, guess = max(scored, key=lambda entry: entry[0])
        if best >= 1.5:
            guess.name = "EVENT_TYPE"


def _event_score(guess: Guess, values: pa.Array) -> float:
    kinds = pc.unique(known_values(values)).to_pylist()
    share = sum(plain(str(kind)) in EVENT_WORDS for kind in kinds) / max(1, len(kinds))
    return (
        name_score(guess.source, "EVENT_TYPE")
        + 3 * share
        - (1.0 if {"product", "item", "customer"} & set(tokens(guess.source)) else 0)
    )


def _take(guesses: Sequence[Guess], role: str, score: Callable[[Guess, str], float]) -> None:
    """Give a role to the free column with the best positive score, first of equals."""
    free = [(score(guess, role), -n, guess) for n, guess in enumerate(guesses) if not guess.name]
    best = max(free, key=lambda entry: entry[:2], default=None)
    if best and best[0] > 0:
        best[2].name = role


def _plain_score(guess: Guess, role: str) -> float:
    exact = plain(guess.source) == plain(role)
    fits = guess.number_share >= 0.95 and not guess.unit if role == "EVENT_VALUE" else guess.type == "string"
    named = name_score(guess.source, role)
    return named if exact or (named >= 3 and (fits or not guess.known)) else 0.0


def _find_value(guesses: Sequence[Guess]) -> None:
    """In a file without header, few different numbers are likely ratings."""
    if any(guess.name == "EVENT_VALUE" for guess in guesses):
        return
    for guess in guesses:
        few = guess.type in {"long", "float"} and not guess.unit and 2 <= guess.distinct <= 20
        positive = not any(example.startswith("-") for example in guess.examples)
        if not guess.name and guess.source.isdigit() and few and positive:
            guess.name = "EVENT_VALUE"
            return
