"""`python -m tests.messages`, or `make messages`: update the catalogues; status 1 while a string has no translation."""

from __future__ import annotations

import os
import sys

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"


def main() -> int:
    """Update every language and list what is left to translate."""
    import django  # noqa: PLC0415  the settings come first

    django.setup()
    from tests.messages import catalogue  # noqa: PLC0415

    left = 0
    for language in catalogue.LANGUAGES:
        for entry in catalogue.update(language).untranslated_entries():
            left += 1
            sys.stdout.write(f"{language}: {entry.msgid}\n")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
