"""Sentences that pages show and others wrote: summaries of recipes, meanings of metrics, what data lack, stages of jobs.

The engine and the operations speak English to programs; what they say in fixed words or patterns is translated here, at the
page. Fixed words are extracted from where they are declared (tests/messages/engine.py); a pattern that is missing here fails
a test.
"""

from __future__ import annotations

import calendar
import functools
import json
import re
from pathlib import Path

from django.conf import settings
from django.utils.dates import MONTHS
from django.utils.translation import get_language, gettext, gettext_noop

from console.ingest.mapping import unit_words
from console.web.languages import localised

SENTENCES = (
    # what recipes need (operations/training/choices.py)
    gettext_noop("{number} interactions."),
    gettext_noop("{number} action interactions."),
    gettext_noop("Data on {number} {words}."),
    gettext_noop("{number} {words}, at least {least} are needed."),
    gettext_noop("No {words} yet, at least {least} are needed."),
    gettext_noop("No {words} yet, some are needed."),
    gettext_noop("No data on {words}; optional, they make it better."),
    gettext_noop("{number} {name} events."),
    gettext_noop("{number} {name} events, at least {least} are needed."),
    gettext_noop("{number} users took part."),
    gettext_noop("{number} users took part, at least {least} with two events are needed."),
    # what hyperparameters allow (recipes/base.py)
    gettext_noop("one of {names}"),
    gettext_noop("true or false"),
    gettext_noop("a whole number"),
    gettext_noop("a number"),
    gettext_noop("a whole number of at least {low}"),
    gettext_noop("a number of at least {low}"),
    gettext_noop("a whole number from {low} to {high}"),
    gettext_noop("a number from {low} to {high}"),
    # what is noticed about datasets (operations/data/profiles.py, recipes/profiling.py)
    gettext_noop("Nothing was imported in bulk yet."),
    gettext_noop("{number} interactions; training needs at least {least}."),
    gettext_noop("{number} event types; training takes at most {most}."),
    gettext_noop("{number} interactions a user; most users show no pattern to learn from."),
    gettext_noop("All interactions have the same timestamp, so their order is unknown."),
    gettext_noop("At least {share} % of the {words} have no interactions; only their metadata can recommend them."),
    gettext_noop("Only {share} % of {name} is filled; text helps from {least} % on."),
    gettext_noop("Only {share} % of {name} is filled."),
    gettext_noop("{number} rows have no {name}."),
    gettext_noop("{name} has {number} different values; rare categories teach little."),
    gettext_noop("There are {number} interactions; training needs at least {least}."),
    gettext_noop("{number} users have two or more interactions; training needs at least {least}."),
    gettext_noop("There are {number} event types; training allows {most}."),
    gettext_noop(
        "{number} of the interactions are at the same moment as another of the same user: their order is unknown."
    ),
    gettext_noop("Timestamps lie beyond the year 2100: they are probably milliseconds, seconds are expected."),
    gettext_noop("{number} of {total} rows miss at least one value."),
    gettext_noop("{number} of {total} {words} have no interaction."),
    gettext_noop("{name} is {share} complete; texts are used from {least} on."),
    gettext_noop("{name} is {share} complete; columns below {least} teach little."),
    gettext_noop("{name} has {number} categories; more than {most} seldom help."),
    gettext_noop("{name} has {number} values far from the rest (median {median}, from {minimum} to {maximum})."),
    # why an item is recommended or not (operations/serving/insights.py)
    gettext_noop("It stands at place {place} of {total} items, below the {size} that were asked for."),
    gettext_noop("It stands at place {place} of {total} items."),
    gettext_noop("The model does not know this item: it came after the training. Train again to have it recommended."),
    gettext_noop("The model cannot recommend this item: it knows nothing that would place it."),
    gettext_noop("The filter, or the use case's own removal, leaves this item out for this user."),
    # how shared evaluations were made (runners/shared_evaluation.py)
    gettext_noop(
        "The served models were asked what {number} users did after the newest event that any of them had seen."
    ),
    gettext_noop(
        "Each version's recipe and settings learned anew from today's data without {number} users, who were then asked for."
    ),
    # what files ask (recipes/tables)
    gettext_noop("Which column identifies {noun}?"),
    gettext_noop("{name}: which comes first, the day or the month?"),
    gettext_noop("{name}: how large is {sample}?"),
    gettext_noop("Day first"),
    gettext_noop("Month first"),
    gettext_noop("A point before decimals"),
    gettext_noop("A comma before decimals"),
    gettext_noop("{share} % of {name} are empty; rows without {column} are left out."),
    gettext_noop(
        "Ids in {name} end in .0, as programs write whole numbers beside empty cells; they stay so: {id} is not {whole}."
    ),
    gettext_noop(
        "Ids in {name} are rounded, as {id}, which is how spreadsheets show long numbers: different ids may have become one. Export them as text."
    ),
    gettext_noop("{name} is called a time, but {sample} is in no form that is known; give its timestampUnit."),
    gettext_noop(
        "{name} names several items in one cell. An interaction is of one item: export one row for each item of an order."
    ),
    gettext_noop(
        "None of the ids in {name} looked at is an item of the interactions beside it; both files must name items alike."
    ),
    gettext_noop(
        "{name} repeats: {distinct} different values in {known} rows. Of rows with one id the last counts; "
        "import the file as interactions if its rows are events."
    ),
    gettext_noop("{name} holds vectors of {size} numbers."),
    gettext_noop("{name} holds vectors of {size} numbers; {odd} of the cells looked at hold another number."),
    gettext_noop("{ragged} of the {rows} rows looked at do not have {columns} columns as the header does."),
    gettext_noop("{short} of the {rows} rows looked at leave out last cells, which are taken as empty."),
    gettext_noop("{others} of the {rows} rows looked at are no JSON objects."),
    gettext_noop("The file has {number} columns; the first {most} are shown, the others are left out."),
    gettext_noop("There are no rows."),
    gettext_noop("The column {name} is there more than once; the first is taken."),
    gettext_noop("The file lacks these columns of the schema, which are empty: {names}."),
    gettext_noop("The schema lacks these columns of the file, which are not imported: {names}."),
    gettext_noop("The column {name} is there more than once; those behind the first are called {others}."),
    # what jobs write into their logs (runners, samples, recipes/stacking, recipes/tuning.py, recipes/content/vectors.py)
    gettext_noop("Reading {location}"),
    gettext_noop("{number} rows read; publishing"),
    gettext_noop("{number} lines, {errors} of them with an error"),
    gettext_noop("{number} rows in {files} files"),
    gettext_noop("{number} users are listed"),
    gettext_noop("{number} of them were known"),
    gettext_noop("{rows}: {number} things to know"),
    gettext_noop("importing {words}: {number} rows"),
    gettext_noop("training {name} with {recipe}"),
    gettext_noop("downloading {name}, which carries MovieLens 100K"),
    gettext_noop("generating a film service: titles, viewers, impressions, events"),
    gettext_noop("{name} answers requests with {version}"),
    gettext_noop("{name} answers with {version} from now on"),
    gettext_noop("No time to fit again with the events held out: the model measured will serve."),
    gettext_noop("There is time to learn from {number} of {total} events: those of users drawn at random."),
    gettext_noop("Chosen, at {value}: {weights}"),
    gettext_noop("Chosen, at {value}: {weights}; items may repeat"),
    gettext_noop("Chosen, at {value}: {weights}; items do not repeat"),
    gettext_noop("Trial {number} failed: {reason}"),
    gettext_noop("Vectors of {size} numbers in {name} count {share} of similarity."),
    gettext_noop(
        "Vectors of {size} numbers in {name} count {share} of similarity; {number} cells hold no such vector."
    ),
    # what Python says of a text that is no JSON
    gettext_noop("{reason}: line {line} column {column} (char {place})"),
)
WORDS = (
    gettext_noop("items"), gettext_noop("users"), gettext_noop("interactions"), gettext_noop("actions"),
    gettext_noop("action interactions"), gettext_noop("the user"), gettext_noop("the item"), gettext_noop("the action"),
    gettext_noop("split at commas"), gettext_noop("split at semicolons"), gettext_noop("split at bars"),
    gettext_noop("split at slashes"), gettext_noop("split at blanks"), gettext_noop("a JSON array"),
    gettext_noop("seconds since 1970"), gettext_noop("milliseconds since 1970"), gettext_noop("microseconds since 1970"),
    gettext_noop("nanoseconds since 1970"), gettext_noop("Excel day number"), gettext_noop("users who took this item"),
    gettext_noop("rise from one window to the next"), gettext_noop("popularity"), gettext_noop("Items without interactions"),
    gettext_noop("Events left out"), gettext_noop("Validation NDCG"), gettext_noop("Loss"), gettext_noop("low"), gettext_noop("high"),
    gettext_noop("Control"), gettext_noop("Treatment"), gettext_noop("control"), gettext_noop("treatment"),
    gettext_noop("Expecting value"), gettext_noop("Expecting property name enclosed in double quotes"), gettext_noop("Extra data"),
    gettext_noop("Expecting ',' delimiter"), gettext_noop("Expecting ':' delimiter"), gettext_noop("Invalid control character at"),
    gettext_noop("Unterminated string starting at"), gettext_noop("Illegal trailing comma before end of object"),
    gettext_noop("or"), gettext_noop("and"), gettext_noop("starting"), gettext_noop("label"), gettext_noop("numeric"), gettext_noop("categorical"), gettext_noop("textual"), gettext_noop("vector"),
    gettext_noop("day"), gettext_noop("month"), gettext_noop("year"), gettext_noop("weekday"), gettext_noop("hour"), gettext_noop("minute"),
    gettext_noop("second"), gettext_noop("fraction"), gettext_noop("zone"), gettext_noop("random"), gettext_noop("heavy"), gettext_noop("cold"), gettext_noop("new"),
    gettext_noop("independent IPS"), gettext_noop("self-normalised IPS"), gettext_noop("owner"), gettext_noop("editor"), gettext_noop("analyst"), gettext_noop("viewer"),
)  # fmt: skip
AT = re.compile(r"(?P<name>.+?)(?: at (?P<k>\d+))?(?P<new>, new items only)?")
NUMBER = re.compile(r"[−-]?[\d,]*\d(\.\d+)?( ?%)?")
PERCENT = re.compile(r"(?<=\d)%")  # which stands apart everywhere but in English
LISTED = re.compile(r"(, | or | and )")
BOUNDLESS = 10_000  # longer than any sentence
LONGEST_PART = 500  # of what may be a phrase; what is longer, people wrote
UPLOADED = re.compile(r"s3://uploads/\d+/[0-9a-f-]{36}/")
NAME = re.compile(r"\\\{(\w+)\\\}")
ENGLISH_MONTHS = tuple(calendar.month_name)[1:]
DATED = re.compile(rf"(\d{{1,2}}) ({'|'.join(ENGLISH_MONTHS)}) (\d{{4}})")
MEANS = re.compile(rf"(?P<text>.+) is (?P<meaning>{DATED.pattern}|[\d,.]+)")
FORM_WORD = re.compile(r"day|month|year|weekday|hour|minute|second|fraction|zone")
FORM = re.compile(rf"(?:{FORM_WORD.pattern}|AM/PM)(?:[^A-Za-z]+T?(?:{FORM_WORD.pattern}|AM/PM))+")
WEIGHT = re.compile(r"-?\d+(?:\.\d+)?(?:e-\d+)?")
WEIGHTS = re.compile(rf"[a-z_ ]+ {WEIGHT.pattern}(?:, [a-z_ ]+ {WEIGHT.pattern})*")
CLOCK = re.compile(r"\d\d:\d\d:\d\d")


def translated(text: str) -> str:
    """A sentence or name of the engine in the reader's language; what has no translation stays as it is."""
    if not text or get_language() == settings.LANGUAGE_CODE:
        return text
    known = gettext(text)
    return known if known != text else _by_pattern(text) or _of_metric(text) or _of_stage(text)


@functools.cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    """The sentences as patterns, those with the most words of their own first."""
    ordered = sorted(SENTENCES, key=lambda sentence: len(re.sub(r"\{\w+\}", "", sentence)), reverse=True)
    return [(re.compile(NAME.sub(r"(?P<\1>.+?)", re.escape(sentence))), sentence) for sentence in ordered]


def logged(line: str) -> str:
    """A line of a job's log, which begins with the time, in the reader's language."""
    clock, _, text = line.partition(" ")
    text = given_name(text)
    said = translated(text)
    return f"{clock} {said if said != text else explained(text)}" if CLOCK.fullmatch(clock) else line


def spelt(text: str) -> str:
    """A cell as the engine reads it, such as "7 March 2025, 06:28", or what it means, as in "03/07/2025 is 7 March 2025"."""
    if get_language() == settings.LANGUAGE_CODE:
        return text
    if found := MEANS.fullmatch(text):
        return gettext("{text} is {meaning}").format(text=found["text"], meaning=_dated(_value(found["meaning"])))
    return _dated(text)


def _dated(text: str) -> str:
    """Dates with the month's name of the language."""
    return DATED.sub(
        lambda found: gettext("{day} {month} {year}").format(
            day=found[1], month=MONTHS[ENGLISH_MONTHS.index(found[2]) + 1], year=found[3]
        ),
        text,
    )


def given_name(location: str) -> str:
    """A location; an uploaded file has the name that a person gave it."""
    return UPLOADED.sub("", location)


def _by_pattern(text: str) -> str:
    for pattern, sentence in _patterns():
        if found := pattern.fullmatch(text):
            return gettext(sentence).format(**{name: _value(value) for name, value in found.groupdict().items()})
    return ""


def explained(text: str) -> str:
    """What an operation or a job refused with, in the reader's language; programs are answered in English.

    The sentences with {} for each value, and their translations, are in locale/LANGUAGE/errors.json. Uploaded files have the names that
    people gave them.
    """
    return _explained(given_name(text), get_language() or settings.LANGUAGE_CODE)


@functools.lru_cache(maxsize=2048)
def _explained(text: str, language: str) -> str:
    for pattern, sentence in _refusals(language):
        if found := pattern.fullmatch(text):
            return sentence.format(*map(_part, found.groups()))
    return text


def _part(text: str) -> str:
    """What fills a refusal: a number or a word, a phrase that is a refusal's own, several of them with "or" between, or a name."""
    said = _value(text)
    if said != text or " " not in text or len(text) > LONGEST_PART:
        return said
    for known in (explained, translated):
        if (said := known(text)) != text:
            return said
    parts = LISTED.split(text)
    are_names = all(" " not in part for part in parts[::2])
    return "".join(map(_listed, parts)) if are_names or any(explained(part) != part for part in parts) else text


def _listed(part: str) -> str:
    """A part of an enumeration, or what stands between two of them."""
    if part in {" or ", " and "}:
        return f" {gettext(part.strip())} "
    return said if (said := explained(part)) != part else _value(part)


@functools.cache
def _refusals(language: str) -> list[tuple[re.Pattern[str], str]]:
    """Patterns with their translations; none in the engine's language.

    What begins with the most words of its own comes first, as it may hold another refusal; then what has the most in all.
    """
    path = Path(settings.LOCALE_PATHS[0]) / language / "errors.json"
    known: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    ordered = sorted(known.items(), key=lambda pair: (pair[0].find("{}") % BOUNDLESS, len(pair[0])), reverse=True)
    return [(re.compile(_as_pattern(sentence), re.DOTALL), translation) for sentence, translation in ordered]


def _as_pattern(sentence: str) -> str:
    """A sentence with {} for each value as a regular expression.

    >>> _as_pattern("{} is no column")
    '(.*?)\\\\ is\\\\ no\\\\ column'
    """
    return "(.*?)".join(re.escape(part.format()) for part in sentence.split("{}"))


def _value(text: str) -> str:
    """What fills a pattern: a number, a word of `WORDS`, names with their weights, or a name."""
    if NUMBER.fullmatch(text) or WEIGHTS.fullmatch(text):
        return (
            PERCENT.sub(" %", localised(text))
            if NUMBER.fullmatch(text)
            else WEIGHT.sub(lambda one: localised(one[0]), text)
        )
    if FORM.fullmatch(text):
        return FORM_WORD.sub(lambda word: gettext(word[0]), text)
    return gettext(text) if text in WORDS else text


def unit_said(unit: str) -> str:
    """How times are written, in the reader's language."""
    said = (known if (known := translated(form)) != form else _value(form) for form in unit_words(unit).split(", or "))
    return f", {gettext('or')} ".join(said)


def _of_metric(text: str) -> str:
    """A metric's title at a length, as in "Recall at 10, new items only"."""
    found = AT.fullmatch(text)
    if not found or not (found["k"] or found["new"]):
        return ""
    name = gettext(found["name"])
    name = gettext("{metric} at {k}").format(metric=name, k=found["k"]) if found["k"] else name
    return gettext("{metric}, new items only").format(metric=name) if found["new"] else name


def _of_stage(text: str) -> str:
    """What a job does, as in "training: counting"."""
    stage, colon, part = text.partition(": ")
    if (said := explained(text)) != text:
        return said
    return f"{gettext(stage)}: {gettext(part)}" if colon and part else text
