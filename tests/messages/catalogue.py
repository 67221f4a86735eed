"""The files of a language: django.po, which people edit, and django.mo, which the server reads."""

from __future__ import annotations

from pathlib import Path

import polib
from django.conf import settings

from tests.messages.extract import Message, messages

LANGUAGES = [code for code, _ in settings.LANGUAGES if code != settings.LANGUAGE_CODE]


def path_of(language: str) -> Path:
    """The catalogue of a language."""
    return Path(settings.LOCALE_PATHS[0]) / language / "LC_MESSAGES" / "django.po"


def update(language: str) -> polib.POFile:
    """Bring a catalogue up to what the pages say: new strings come in untranslated, those that nothing says go."""
    path = path_of(language)
    old = polib.pofile(str(path))
    known = {Message(entry.msgid, entry.msgid_plural or None): entry for entry in old}
    new = polib.POFile(wrapwidth=120)
    new.metadata = old.metadata
    for message, places in messages().items():
        entry = known.get(message) or _untranslated(message)
        entry.occurrences = [(place, "") for place in places]
        new.append(entry)
    new.save(str(path))
    new.save_as_mofile(str(path.with_suffix(".mo")))
    return new


def _untranslated(message: Message) -> polib.POEntry:
    flags = ["python-format"] if "%(" in message.text or "%%" in message.text else []
    if message.plural is None:
        return polib.POEntry(msgid=message.text, flags=flags)
    return polib.POEntry(msgid=message.text, msgid_plural=message.plural, msgstr_plural={0: "", 1: ""}, flags=flags)
