"""Every string of the pages goes through gettext, and every language has all of them."""

from __future__ import annotations

import json
import re

import polib
import pytest
from django.utils import translation

from console.web import glossary, placeholders
from console.web.glossary import explained
from console.web.nouns import NOUNS
from tests.messages import catalogue, errors, extract, unwrapped

PLACEHOLDER = re.compile(r"%\(\w+\)s|\{\w*\}|%%")
TEMPLATES = sorted((extract.ROOT / "templates").rglob("*.html"))
PYTHON = sorted((extract.ROOT / "console" / "web").rglob("*.py"))
TYPES = {"Interactions", "Items", "Users", "Actions"}  # as addresses, schemas and filters have them
# Strings of console.web that nobody reads, or that are the same in every language.
QUIET = {
    "access.py": {"Request"},
    "account/lines.py": {"nobody waits for an answer any more"},  # the log's
    "account/openid.py": {"Lax"},
    "account/provider.py": {  # the log's
        "Result",
        "an answer has more than ",
        "the discovery document has no ",
        " that is safe",
        "the provider signs with no key pair",
        "the discovery document is not that of OIDC_ISSUER",
        "the subject is not a text of 1 to 255 characters",
        "the token endpoint gave no id_token",
    },
    "account/programs.py": {
        "Android",
        "Chrome",
        "Chromium",
        "Edg",
        "Edge",
        "Firefox",
        "Linux",
        "Opera",
        "Safari",
        "Samsung Internet",
        "Windows",
    },
    "account/settings_pages.py": {"Celery", "Django", "Python"},
    "data/groups.py": TYPES,
    "data/schemas.py": TYPES,
    "data/uploads.py": TYPES,
    "serving/filters.py": TYPES
    | {"input changed delay:1s, blur, load, change from:#id_dataset_group_arn", "closest form"},
    "data_kinds.py": set(NOUNS),
    "model_kinds.py": set(NOUNS),
    "nouns.py": set(NOUNS),
    "evaluation/attributions.py": {
        "Window",
        "Metric",
        "Event type",
        "Function",
        "Source",
        "Import method",
        "Sum",
    },  # a CSV's
    "evaluation/distribution.py": {"no difference shown"},  # a verdict of the comparison, whose words stand beside it
    "evaluation/report_file.py": {"solution version", "difference low", "difference high"},  # a CSV's
    "kinds.py": {"Delete"},
    "languages.py": {"Cookie"},
    "placeholders.py": {placeholders.GERMAN, placeholders.ROMANCE, placeholders.ENGLISH},
    "serving/testing.py": {"JavaScript", "Python"},
}
COUNTED = re.compile(
    r"(?:%\(\w+\)s|\{\w+\}) (?:[a-z]+ )?(?:cells|clicks|columns|days|events|files|interactions|items|lists|places|points|queries|requests"
    r"|rows|trials|users|versions)\b"
)
# What is counted there is never one, or the noun is not what the number counts.
ALWAYS_MANY = (
    "A dataset of type {type} takes events", "{files} files were chosen", "{chosen} chosen; choose {least} to", "{campaign} answers requests",
    "{passing} of {total} items pass", "%(campaign)s answers requests", "%(files)s files", "about %(estimated_rows)s rows",
    "Two versions evaluated on the same test set", "%(num_queries)s queries of one", "lists of %(cutoff)s", "%(name)s · %(num_queries)s test users",
    "<b>%(name)s</b> is worst", "Events per user, adjusted", "at the present pace", "The %(users_needed)s users", "About %(users)s users",
    "difference %(low)s to", "Effective sample size", "<b>%(passing)s</b> of %(total)s items", "%(num_queries)s test queries", "{low} to {high} events",
)  # fmt: skip
languages = pytest.mark.parametrize("language", catalogue.LANGUAGES)


def entries(language: str) -> polib.POFile:
    return polib.pofile(str(catalogue.path_of(language)))


def texts(entry: polib.POEntry) -> list[str]:
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


@languages
def test_every_string_has_its_translation(language):
    """`make messages` brings the catalogue up to date and lists what is left to translate."""
    have = {extract.Message(entry.msgid, entry.msgid_plural or None) for entry in entries(language)}
    assert extract.messages().keys() - have == set()
    assert [entry.msgid for entry in entries(language) if entry.fuzzy or not all(texts(entry))] == []


@languages
def test_no_translation_is_left_of_what_nothing_says(language):
    have = {extract.Message(entry.msgid, entry.msgid_plural or None) for entry in entries(language)}
    assert have - extract.messages().keys() == set()
    assert [entry.msgid for entry in entries(language) if entry.obsolete] == []


@languages
def test_a_translation_fills_in_what_its_string_does(language):
    for entry in entries(language):
        least, wanted = (
            set(PLACEHOLDER.findall(text)) for text in (entry.msgid, entry.msgid + (entry.msgid_plural or ""))
        )
        for place, text in enumerate(texts(entry)):
            said = set(PLACEHOLDER.findall(text))
            assert said == wanted or (entry.msgid_plural and place == 0 and least <= said <= wanted), entry.msgid


@languages
def test_a_string_and_its_translation_begin_and_end_alike(language):
    """Spaces and the last full stop decide how a string joins what stands beside it."""
    for entry in entries(language):
        for text in texts(entry):
            for end in (" ", ".", "\n"):
                assert text.endswith(end) == entry.msgid.endswith(end), entry.msgid
            assert text.startswith(" ") == entry.msgid.startswith(" "), entry.msgid


@languages
def test_the_server_reads_what_people_wrote(language):
    path = catalogue.path_of(language)
    assert path.with_suffix(".mo").read_bytes() == polib.pofile(str(path)).to_binary()


def test_a_number_before_a_plural_has_its_singular():
    said = [one.text for one in extract.messages() if not one.plural and COUNTED.search(one.text)]
    excused = [next((end for end in ALWAYS_MANY if text.startswith(end)), "") for text in said]
    assert [text for text, excuse in zip(said, excused, strict=True) if not excuse and not is_sentence(text)] == []
    assert set(ALWAYS_MANY) <= set(excused)


def is_sentence(text: str) -> bool:
    """Whether the engine says it, with numbers that are large or whose plural it decides."""
    return text in glossary.SENTENCES


def test_no_string_is_said_with_and_without_a_plural():
    said = [message.text for message in extract.messages()]
    assert len(said) == len(set(said))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(extract.ROOT)))
def test_a_template_says_nothing_without_a_translation_tag(path):
    assert unwrapped.of_template(path.read_text()) == []


@pytest.mark.parametrize("path", PYTHON, ids=lambda path: str(path.relative_to(extract.ROOT)))
def test_a_python_file_says_nothing_without_gettext(path):
    quiet = QUIET.get(str(path.relative_to(extract.ROOT / "console" / "web")), set())
    assert set(unwrapped.of_python(path.read_text())) - quiet == set()


def test_what_python_says_without_gettext_is_found():
    assert unwrapped.of_python('def f(x):\n    """It says."""\n    return f"{x} was not found."') == [" was not found."]
    assert unwrapped.of_python('error(gettext("It failed."))\nfield(label=gettext_lazy("Name"))') == []


@pytest.mark.parametrize(
    "text",
    [
        "<p>Hello</p>",
        '<b title="Say it">{{ x }}</b>',
        '{{ x|default:"none" }}',
        '{{ x|yesno:"yes,no" }}',
        '{% copy x "token" %}',
        "{% if x %}, and more{% endif %}",
        "{{ n }} row{{ n|pluralize }}",
    ],
)
def test_what_is_not_wrapped_is_found(text):
    assert unwrapped.of_template(text)


def test_what_is_wrapped_or_a_name_is_not():
    text = """{% comment %}Said to nobody{% endcomment %}<pre>as it is</pre><a href="{% url 'home' %}" title="{% translate "Go" %}">
    {% blocktranslate with a=b %}Hello {{ a }}{% endblocktranslate %} {{ x|default:_("none") }} CSV ARN</a>"""
    assert unwrapped.of_template(text) == []


def test_messages_are_found_in_templates_and_in_python():
    told = list(
        extract.of_template(
            '{% translate "95 % (a)" %}{% blocktranslate count n=x %}one{% plural %}{{ n }}{% endblocktranslate %}'
        )
    )
    assert told == [extract.Message("95 %% (a)"), extract.Message("one", "%(n)s")]
    code = 'gettext("a " "b")\nngettext("one", "many", n)\nfield(label=gettext_lazy("c"))'
    assert {one.text for one in extract.of_python(code)} == {"a b", "one", "c"}


def refusals(language: str) -> dict[str, str]:
    return json.loads((catalogue.path_of(language).parents[1] / "errors.json").read_text())


@languages
def test_every_refusal_has_its_translation(language):
    """What operations and jobs say when they refuse; it is kept beside the catalogue, as programs get it in English."""
    assert set(errors.sentences()) - refusals(language).keys() == set()
    assert refusals(language).keys() - set(errors.sentences()) == set()


@languages
def test_a_refusal_says_all_its_values_in_every_language(language):
    for sentence, translation_ in refusals(language).items():
        values = [f"<{number}>" for number in range(sentence.count("{}"))]
        with translation.override(language):
            said = explained(sentence.format(*values))
        assert said == translation_.format(*values), sentence
        assert all(value in said for value in values), sentence


def test_a_refusal_is_read_in_german_at_its_field(alice, films):
    alice.post("/create/dataset-groups/", {"name": "films"}, headers={"Accept-Language": "de"})
    answer = alice.post("/create/dataset-groups/", {"name": "films"}, headers={"Accept-Language": "de"})
    assert "gibt es schon; wählen Sie einen anderen Namen." in str(answer.context["form"].errors["name"])
    answer = alice.post("/create/dataset-groups/", {"name": "films"}, headers={"Accept-Language": "en"})
    assert "already exists; choose another name." in str(answer.context["form"].errors["name"])


@pytest.mark.parametrize(
    ("said", "german"),
    [
        (
            'Could not create filter. Column 8: found ), expected a value in double quotes, a $PARAMETER or "*".',
            'Der Filter ist nicht gültig. Spalte 8: gefunden: ); erwartet: ein Wert in doppelten Anführungszeichen, ein $PARAMETER oder "*".',
        ),
        (
            'Invalid schema: field AGE has type "number"; allowed is one of string, int, or a list of one of them and "null".',
            'Ungültiges Schema: Das Feld AGE hat den Typ "number"; erlaubt ist eines von string, int oder eine Liste aus einem davon und "null".',
        ),
        (
            (
                "2 of 1,000 rows (0.2 %) break a rule; allowed are 0 %. The first: line 7 of a.csv, column TIMESTAMP, 'soon' is not a "
                "number of seconds since 1970. The dataset is as it was."
            ),
            (
                "2 von 1.000 Zeilen (0,2 %) verletzen eine Regel; erlaubt sind 0 %. Die erste: Zeile 7 von a.csv, Spalte TIMESTAMP, "
                "'soon' ist keine Zahl; erwartet werden Sekunden seit 1970. Der Datensatz ist unverändert."
            ),
        ),
        (
            "my orders.xlsb is a binary Excel workbook (.xlsb); save it as .xlsx or CSV.",
            "my orders.xlsb ist eine binäre Excel-Arbeitsmappe (.xlsb); speichern Sie sie als .xlsx oder CSV.",
        ),
    ],
)
def test_a_refusal_is_translated_with_the_phrases_in_it(said, german):
    with translation.override("de"):
        assert explained(said) == german
    assert explained(said) == said


def test_phrases_that_a_function_makes_an_error_of_are_found():
    code = 'def _bad(why: str) -> JobError:\n    return JobError(f"Cannot read: {why}")\n\nraise _bad("it ends early")'
    assert set(errors.of_python(code, {"JobError"})) == {"Cannot read: {}", "it ends early"}
