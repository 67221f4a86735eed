"""What stands for an item that has no picture: initials, and a colour that its category shares."""

from __future__ import annotations

import re
from zlib import crc32

ENGLISH, GERMAN, ROMANCE = "the a an", "der die das ein eine", "le la les un une el los las il lo gli i o os as de"
ARTICLES = frozenset(f"{ENGLISH} {GERMAN} {ROMANCE}".split(" "))
WORD = re.compile(r"[^\W_]+")
HUES = 8


def initials(title: str) -> str:
    """Two letters that tell titles apart; articles and what stands in brackets are passed over.

    >>> initials("The Naked Gun (1988)"), initials("Clueless"), initials("Mask, The"), initials("8 1/2"), initials("#")
    ('NG', 'Cl', 'Ma', '81', '#')
    """
    words = [str(word) for word in WORD.findall(re.sub(r"\(.*?\)", " ", title))]
    main = [word for word in words if word.lower() not in ARTICLES] or words
    if not main:
        return title[:1]
    return (main[0][:1] + main[1][:1]).upper() if len(main) > 1 else main[0][:1].upper() + main[0][1:2]


def hue(category: str) -> int:
    """A number of a colour, the same for the same category."""
    return crc32(category.encode()) % HUES
