"""The language of the pages: the browser's, or the one that was chosen; programs are answered in English."""

from __future__ import annotations

import ast
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.template import engines
from django.utils import timezone, translation

from console.models import Status
from console.models.experiments import Experiment
from console.web import glossary
from console.web.data.facts import day, mean
from console.web.kinds import KINDS
from console.web.languages import moment
from console.web.nouns import NOUNS
from console.web.plots.model import numbers, times
from console.web.templatetags import display
from tests.messages import engine, extract

GERMAN = {"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}
SPEAKERS = ("console/operations/data/profiles.py", "console/operations/serving/insights.py", "recipes/profiling.py")


@pytest.fixture
def german():
    with translation.override("de"):
        yield


def test_it_works(alice, films):
    page = alice.get("/dataset-groups/", headers=GERMAN)
    assert '<html lang="de"' in page.text
    assert "Datensatzgruppen" in page.text
    assert page["Content-Language"] == "de"
    assert {"Accept-Language", "Cookie"} <= set(page["Vary"].split(", "))


@pytest.mark.parametrize("asked", ["", "fr", "xx-invalid", "en-GB,de;q=0.3"])
def test_whoever_asks_for_another_language_reads_english(alice, asked):
    page = alice.get("/trash/", headers={"Accept-Language": asked})
    assert '<html lang="en"' in page.text


def test_what_is_chosen_goes_before_what_the_browser_asks_for(alice):
    answer = alice.post("/language/", {"language": "de", "next": "/trash/?a=1"})
    assert answer["Location"] == "/trash/?a=1"
    assert answer.cookies["language"]["samesite"] == "Lax"
    assert "Papierkorb" in alice.get("/trash/", headers={"Accept-Language": "en"}).text


def test_the_switch_leads_nowhere_else(alice):
    assert alice.post("/language/", {"language": "de", "next": "https://evil.example/"})["Location"] == "/"


def test_one_may_switch_before_signing_in(client, db):
    assert 'name="language" value="en"' in client.get("/accounts/login/", headers=GERMAN).text


def test_programs_are_answered_in_english_by_the_thread_that_showed_a_german_page(alice, client):
    assert "Nicht gefunden" in alice.get("/nothing/here/", headers=GERMAN).text
    refused = client.get("/api/v1/dataset-groups/", headers=GERMAN)
    assert refused.status_code == 401
    assert "credentials" in refused.text
    assert "Content-Language" not in refused


def test_a_form_says_in_german_what_is_wrong(alice, films):
    page = alice.post("/create/dataset-groups/", {"name": "Mein Laden"}, headers=GERMAN)
    assert "enthält ein Leerzeichen" in page.text
    assert 'value="Mein-Laden"' in page.text


def test_what_was_done_is_told_in_german(alice, films):
    alice.post("/dataset-groups/films/delete/", {"name": "films"}, headers=GERMAN)
    assert "In den Papierkorb verschoben: Datensatzgruppe films." in alice.get("/trash/", headers=GERMAN).text


def test_forms_and_addresses_keep_their_values(alice, films):
    page = alice.get("/dataset-groups/films/", headers=GERMAN).text
    assert "&amp;type=Interactions" in page
    assert "Interaktionen importieren" in page
    lists = alice.get("/dataset-groups/?format=csv", headers=GERMAN)
    assert b"".join(lists.streaming_content).decode().startswith("Name,Domain,")


@pytest.mark.parametrize(
    ("value", "words"), [(1234.5, "1.234"), (0.190437, "0,190"), (1_234_567, "1.234.567"), (-0.5, "−0,500")]
)
def test_numbers_have_german_marks(german, value, words):
    assert display.number(value) == words


def test_shares_durations_sizes_and_differences_have_them_too(german):
    assert display.percent(0.0312) == "3,12 %"
    assert display.change(-0.125) == "−12,5 %"
    assert display.duration(4.2) == "4,2 s"
    assert display.size(1_073_741_824) == "1,00 GiB"
    assert mean(1989.4) == "1989"


def test_plurals(german):
    assert [display.days(value) for value in (1, 2)] == ["1 Tag", "2 Tage"]
    ages = (timedelta(days=1, hours=1), timedelta(days=2, hours=1), timedelta(days=400))
    assert [display.relative(timezone.now() - age) for age in ages] == ["vor 1 Tag", "vor 2 Tagen", "vor 1 Jahr"]
    assert KINDS["Dataset"].called(1) == "Datensatz"
    assert KINDS["Dataset"].title == "Datensätze"


def test_dates(german):
    assert day(874_724_710) == "20.09.1997"
    assert moment(datetime(2026, 5, 3, 14, 5, 6, tzinfo=UTC), seconds=True) == "03.05.2026, 14:05:06"
    assert "14.11.2023, 22:13:20 UTC" in display.ago(datetime.fromtimestamp(1_700_000_000, UTC))
    assert [label for _, label in times([1_700_000_000, 1_710_000_000]).ticks] == ["19.11.", "19.12.", "18.1.", "17.2."]


def test_axes_are_labelled_in_german_and_drawn_alike(german):
    scale = numbers([0.03, 0.19])
    assert [label for _, label in scale.ticks] == ["0", "0,05", "0,10", "0,15", "0,20"]
    with translation.override("en"):
        assert [place for place, _ in numbers([0.03, 0.19]).ticks] == [place for place, _ in scale.ticks]


def test_every_kind_has_its_noun():
    assert {kind.noun for kind in KINDS.values()} == set(NOUNS)


@pytest.mark.parametrize("value", [*Status.values, *Experiment.State.values])
def test_every_status_has_a_word(german, value):
    with translation.override("en"):
        assert display.status_words(value) in display.STATUS_WORDS
    assert display.status_words(value) != value


@pytest.mark.parametrize(
    ("said", "german_words"),
    [
        ("Precision at 5", "Precision bei 5"),
        ("Coverage, new items only", "Abdeckung, nur neue Artikel"),
        ("training: counting", "trainiert: zählt"),
        ("1,200 interactions, at least 25,000 are needed.", "Interaktionen: 1.200, nötig sind mindestens 25.000."),
        ("a number from 0.1 to 1", "eine Zahl von 0,1 bis 1"),
        ("my own words: {name}", "my own words: {name}"),
    ],
)
def test_sentences_of_the_engine_are_translated_by_their_pattern(german, said, german_words):
    assert glossary.translated(said) == german_words


def sentences(path: str) -> list[str]:
    """What a module says to people: strings that end with a full stop, outside of docstrings and errors."""
    tree = ast.parse((extract.ROOT / path).read_text())
    skipped = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.Raise | ast.Expr) and not isinstance(getattr(node, "value", None), ast.Yield)
        for part in ast.walk(node)
    }
    skipped |= {id(value) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for value in node.values}
    found = [
        node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr | ast.Constant) and id(node) not in skipped
    ]
    texts = [
        "".join(_part(value) for value in node.values) if isinstance(node, ast.JoinedStr) else node.value
        for node in found
    ]
    return [text for text in texts if isinstance(text, str) and re.search(r"\w+ \w+.*\.$", text)]


def _part(value: ast.expr) -> str:
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else "7"


@pytest.mark.parametrize("path", SPEAKERS)
def test_every_sentence_of_the_engine_that_pages_show_is_translated(german, path):
    assert sentences(path)
    assert [text for text in sentences(path) if glossary.translated(text) == text] == []


def _warnings(path: str) -> list[str]:
    """What a module appends to the warnings of a file."""
    calls = [node for node in ast.walk(ast.parse((extract.ROOT / path).read_text())) if isinstance(node, ast.Call)]
    said = [call.args[0] for call in calls if ast.unparse(call.func).endswith(("warnings.append", "found.append"))]
    texts = [node for one in said for node in ast.walk(one) if isinstance(node, ast.JoinedStr)]
    return [text for node in texts if (text := "".join(map(_part, node.values))).endswith(".")]


@pytest.mark.parametrize(
    "path",
    ["recipes/tables/describe.py", "recipes/tables/guess.py", "recipes/tables/roles.py", "console/ingest/sniff.py"],
)
def test_every_warning_of_a_file_is_translated(german, path):
    assert _warnings(path)
    assert [text for text in _warnings(path) if glossary.translated(text) == text] == []


def test_every_line_of_a_log_is_translated(german):
    lines = list(engine.log_lines())
    assert len(lines) >= 15
    fillings = [
        [line.replace("{}", "7"), line.replace("{}", "7", line.count("{}") - 1).replace("{}", "")] for line in lines
    ]
    assert [one for one in fillings if all(glossary.translated(text) == text for text in one)] == []


@pytest.mark.parametrize(
    ("line", "german_words"),
    [
        ("10:02:33 1,200 rows read; publishing", "10:02:33 1.200 Zeilen gelesen; wird veröffentlicht"),
        (
            "10:02:33 Chosen, at 0.1234: next 0.25, user ridge -0.1; items do not repeat",
            "10:02:33 Gewählt, bei 0,1234: next 0,25, user ridge -0,1; Artikel wiederholen sich nicht",
        ),
        ("10:02:33 Not enough", "10:02:33 Not enough"),
        ("of no time", "of no time"),
    ],
)
def test_a_line_of_a_log_keeps_its_time(german, line, german_words):
    assert glossary.logged(line) == german_words


@pytest.mark.parametrize(
    ("said", "german_words"),
    [
        ("7 March 2025, 06:28", "7. März 2025, 06:28"),
        ("03/07/2025 is 7 March 2025", "03/07/2025 ist 7. März 2025"),
        ("A-12338", "A-12338"),
    ],
)
def test_a_cell_is_read_as_people_of_the_language_write_it(german, said, german_words):
    assert glossary.spelt(said) == german_words
    with translation.override("en"):
        assert glossary.spelt(said) == said


def test_how_times_are_written_is_said_in_words(german):
    assert glossary.unit_said("%d.%m.%Y %H:%M|%d.%m.%Y") == "Tag.Monat.Jahr Stunde:Minute, oder Tag.Monat.Jahr"
    refusal = "is not a time; expected is the format day.month.year hour:minute or the format day.month.year"
    assert glossary.explained(refusal).endswith(
        "das Format Tag.Monat.Jahr Stunde:Minute oder das Format Tag.Monat.Jahr"
    )


def test_a_step_keeps_the_capitals_of_its_nouns(alice, films):
    assert "Zuerst: Interaktionen importieren" in alice.get("/dataset-groups/films/", headers=GERMAN).text


def test_django_writes_numbers_as_machines_read_them(german):
    assert engines["django"].from_string("{{ x }} {{ y }}").render({"x": 1234.5, "y": 12345}) == "1234.5 12345"
