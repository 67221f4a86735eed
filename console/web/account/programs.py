"""The program that a User-Agent header names, as people say it."""

from __future__ import annotations

from django.utils.translation import gettext

# In this order: browsers name those they are compatible with, too.
BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser", "Samsung Internet"), ("Firefox/", "Firefox"), ("FxiOS", "Firefox"),
            ("CriOS", "Chrome"), ("Chrome/", "Chrome"), ("Chromium", "Chrome"), ("Safari/", "Safari"))  # fmt: skip
SYSTEMS = (("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("CrOS", "ChromeOS"),
           ("Mac OS X", "macOS"), ("Linux", "Linux"))  # fmt: skip
LONGEST = 40


def program(agent: str) -> str:
    """The browser and the system it runs on; of what is no browser the first words.

    >>> program("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0 Safari/537.36")
    'Chrome on Linux'
    >>> program("Mozilla/5.0 (Windows NT 10.0; rv:145.0) Gecko/20100101 Firefox/145.0"), program("curl/8.5.0")
    ('Firefox on Windows', 'curl/8.5.0')
    """
    browser = next((name for mark, name in BROWSERS if mark in agent), "")
    system = next((name for mark, name in SYSTEMS if mark in agent), "")
    if not browser:
        return agent[:LONGEST] or gettext("A program")
    return gettext("{browser} on {system}").format(browser=browser, system=system) if system else browser
