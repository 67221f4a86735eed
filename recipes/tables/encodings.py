"""Which encoding a text is in, recognised by its mark, its zeros, or what its bytes beyond ASCII spell; and that text as UTF-8.

A text that is no UTF-8 is read in each encoding of the lists below. One of East Asia counts where characters stand side by side
and nearly all of them are common ones; of the others the one whose characters are letters of one language, in words, counts.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

BOMS = {
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
WIDE = ("utf-16", "utf-32")
LOOKED_AT = 1 << 16
WESTERN = {
    "German": "äöüßÄÖÜé",
    "French": "éèêëàâçîïôùûœÉÈÊÀÂÇÎÔŒ",
    "Spanish": "áéíóúñüÁÉÍÓÚÑ",
    "Portuguese": "áéíóúâêôãõàçÁÉÍÓÚÂÊÔÃÕÀÇ",
    "Italian": "àèéìòùÀÈÉÌÒÙ",
    "of the North": "æøåäöÆØÅÄÖéü",
}
ICELANDIC = "áéíóúýðþæöÁÉÍÓÚÝÐÞÆÖ"
ALL_WESTERN = "".join(WESTERN.values())
CENTRAL = (
    "ąćęłńóśźżĄĆĘŁŃÓŚŹŻ",
    "áčďéěíňóřšťúůýžÁČĎÉĚÍŇÓŘŠŤÚŮÝŽľĺŕôä",
    "áéíóöőúüűÁÉÍÓÖŐÚÜŰ",
    "čćđšžČĆĐŠŽ",
    "ăâîșțşţĂÂÎȘȚŞŢ",
)
TURKISH = "ğışçöüĞİŞÇÖÜ"
RUSSIAN, OTHER_CYRILLIC = "оеаинтсрвлкмдпу", "яыьгзбчйхжшюцщэфъёіїєґОЕАИНТСРВЛКМДПУЯЫЬГЗБЧЙХЖШЮЦЩЭФЪЁІЇЄҐ"
GREEK, OTHER_GREEK = "αοιετσνηυςρκπμλάέήίόύώ", "βγδζθξφχψωΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩΆΈΉΊΌΎΏϊϋ"
HEBREW, OTHER_HEBREW = "יוהלתראבשמ", "םנקדפעכטחגזץןסצךף"
ARABIC, OTHER_ARABIC = "الينمورتبة", "عدسفهكقحجشصطخىذزضغءثظأإآئؤپچژگ"
THAI = re.compile(  # vowels stand before, above, below or behind a consonant, and digits beside no letters
    "([\u0e40-\u0e44]?[\u0e01-\u0e2e][\u0e31\u0e34-\u0e3a\u0e47-\u0e4e]{0,2}[\u0e30\u0e32\u0e33\u0e45]{0,2}"
    "|[\u0e2f\u0e46])+|\u0e3f?[\u0e4f-\u0e5b]+|\u0e3f"
)
THAI_MARKS = re.compile("[\u0e31\u0e34-\u0e3a\u0e47-\u0e4e]")
NEUTRAL = "\u201c\u201d\u201e\u2018\u2019\u00ab\u00bb\u2013\u2014\u2026\u20ac\u00b0\u00a3\u00a7\u00ae\u00a9\u2122\u00a0\u2022\u00bf\u00a1\u00ba\u00aa\u2116"
UNION, LEAST_LEAD = 0.95, 0.03  # how a text in many languages counts, and by how much another encoding must be better
RARE = 0.5  # what a letter counts that is not among those most used
MIN_CHARACTERS, MIN_DIFFERENT = 2, 4  # that tell encodings apart, and letters of a script of its own
SIDE_BY_SIDE, MAX_WRONG = 0.6, 0.02  # shares of the characters
MAX_MIXED = 0.1  # of the words of one byte a letter that letters of two scripts may stand side by side in
SURELY_TEXT = 40  # characters among which one may be wrong
KANA, HANGUL, HAN = ("\u3041", "\u30ff"), ("\uac00", "\ud7a3"), ("\u4e00", "\u9fff")
MIXED = re.compile(r"[A-Za-z](?=[^\W\d_\x00-\x7f])|(?<=[^\W\d_\x00-\x7f])[A-Za-z]")  # two scripts in one word
WORD = re.compile(rb"[A-Za-z]*[\x80-\xff][A-Za-z\x80-\xff]*")
BROKEN_SHARE = 0.1  # of the characters that are valid: a text with so few that are not was damaged
TIMES = 3  # that a word counts at most; a currency, or what is broken, may stand in every row
Read = Callable[[int], bytes]


@dataclass(frozen=True)
class _Alphabet:
    """Letters of a language in an encoding; `others` are less used, and a script of its own has no letters in common with ASCII.

    `max_run` of its letters beyond ASCII may stand side by side.
    """

    encoding: str
    letters: str
    others: str = ""
    weight: float = 1.0
    is_own_script: bool = False
    max_run: int = 99


ALPHABETS = [
    *[_Alphabet("cp1252", letters, max_run=2) for letters in WESTERN.values()],
    _Alphabet("cp1252", ALL_WESTERN, weight=UNION, max_run=2),
    _Alphabet("cp1252", ICELANDIC, weight=UNION),  # whose own letters are those of Turkish
    *[_Alphabet(encoding, letters) for letters in CENTRAL for encoding in ("cp1250", "iso8859-2", "cp852")],
    _Alphabet("cp1254", TURKISH),
    *[_Alphabet(encoding, letters, max_run=2) for letters in WESTERN.values() for encoding in ("cp850", "mac-roman")],
    *[_Alphabet(encoding, RUSSIAN, OTHER_CYRILLIC, 1.0, True) for encoding in ("cp1251", "koi8-r", "cp866")],
    _Alphabet("cp1253", GREEK, OTHER_GREEK, 1.0, True),
    _Alphabet("cp1255", HEBREW, OTHER_HEBREW, 1.0, True),
    _Alphabet("cp1256", ARABIC, OTHER_ARABIC, 1.0, True),
]


ASIAN = (  # the codec by which one is recognised, and the wider one by which it is read
    ("shift_jis", "cp932"),
    ("euc_jp", "euc_jp"),
    ("euc_kr", "cp949"),
    ("gb18030", "gb18030"),  # all of it Chinese, which Thai read so is not
    ("cp874", "cp874"),
    ("gb18030", "gb18030"),
    ("big5", "big5hkscs"),
)
ENCODINGS = tuple(
    dict.fromkeys(
        ["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be", *(one.encoding for one in ALPHABETS), "latin-1",
         *(encoding for _, encoding in ASIAN)]
    )
)  # fmt: skip
"""All that are found out, and the like."""


class Utf8Reader:
    """Bytes of a text in any encoding as UTF-8 without a mark; the encoding is found out where none is given.

    What is UTF-8 is read so although another is given: the parts of a folder need not be in that of the first.
    """

    def __init__(self, read: Read, head: bytes, encoding: str = "") -> None:
        """Read `head`, the text's first bytes, then by `read`."""
        bom = next((bom for bom in BOMS if head.startswith(bom)), b"")
        self.encoding = BOMS[bom] if bom else (encoding or wide_encoding(head) or "utf-8")
        self._raw, self._head = read, head[len(bom) :]
        self._is_open = not bom and not self.encoding.startswith(WIDE)
        self._decoder: codecs.IncrementalDecoder | None = None
        if not self._is_open:
            self._switch(self.encoding)

    def read(self, size: int) -> bytes:
        """The next bytes, b"" at the end."""
        while True:
            data, self._head = (self._head, b"") if self._head else (self._raw(size), b"")
            if self._is_open and not data.isascii():
                self._is_open = False
                data += self._more(LOOKED_AT - len(data))
                self._switch(encoding_of(data) if self.encoding == "utf-8" or _is_utf8(data) else self.encoding)
            if self._decoder is None:
                return data
            text = self._decoder.decode(data, final=not data)
            if text or not data:
                return text.encode()

    def _more(self, size: int) -> bytes:
        """At least `size` further bytes, if there are so many."""
        found: list[bytes] = []
        while size > sum(map(len, found)) and (data := self._raw(size)):
            found.append(data)
        return b"".join(found)

    def _switch(self, encoding: str) -> None:
        self.encoding = encoding
        if codecs.lookup(encoding).name != "utf-8":
            self._decoder = codecs.getincrementaldecoder(encoding)("replace")


def encoding_of(data: bytes) -> str:
    """UTF-8 if more of the characters beyond ASCII are valid than not, else the encoding in which they spell words, else cp1252.

    Of two bytes each, half of the syllables of East Asia are valid by chance, so that a text which spells words of there is no UTF-8.
    """
    text = codecs.getincrementaldecoder("utf-8")("replace").decode(data)
    wrong = text.count("\ufffd") - data.count("\ufffd".encode())
    ascii_characters = len(data) - len(data.translate(None, bytes(range(128))))
    right = len(text) - ascii_characters - max(wrong, 0)
    if wrong <= BROKEN_SHARE * right:
        return "utf-8"
    first = re.search(rb"[\x80-\xff]", data)
    start = data.rfind(b"\n", 0, first.start() if first else 0) + 1
    sample = data[start : start + LOOKED_AT]
    asian = _asian_encoding(sample)
    if asian or right >= wrong:
        return asian or "utf-8"
    words = Counter(WORD.findall(sample))
    counted = b" ".join(
        word for word, number in words.items() for _ in range(min(number, TIMES if len(word) > 1 else 1))
    )
    return _single_byte_encoding(counted)


def _is_utf8(data: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(data)
    except UnicodeDecodeError:
        return False
    return True


def words_beyond_ascii(text: str, number: int = 3) -> list[str]:
    """A few words with letters beyond ASCII, by which people see whether an encoding is right."""
    found = re.finditer(r"\w*[^\W\d_\x00-\x7f]\w*", text)
    return list(dict.fromkeys(word[0][:40] for word, _ in zip(found, range(10 * number), strict=False)))[:number]


def wide_encoding(head: bytes) -> str:
    """UTF-16 without a mark at its beginning: every second byte is zero."""
    sample = head[:4096]
    pairs = len(sample) // 2
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if pairs < 2 or max(even, odd) < 0.7 * pairs or min(even, odd) > 0.1 * pairs:
        return ""
    return "utf-16-le" if odd > even else "utf-16-be"


def _asian_encoding(sample: bytes) -> str:
    """The encoding in which the text is Japanese, Korean, Thai or Chinese; "" if it is in none."""
    for (narrow, encoding), is_spelt in zip(ASIAN, _SPELT, strict=True):
        text = codecs.getincrementaldecoder(narrow)("replace").decode(sample)
        found = re.findall(r"[^\x00-\x7f]+", text)
        runs = list(dict.fromkeys(found))  # a currency in each row says no more than in one
        size, whole_size = sum(map(len, runs)), sum(map(len, found))
        beside = sum(len(run) for run in runs if len(run) > 1)
        is_regular = (
            text.count("\ufffd") <= max(whole_size >= SURELY_TEXT, MAX_WRONG * whole_size)
            and beside >= SIDE_BY_SIDE * size
        )
        is_mixed = encoding == "cp874" and len(MIXED.findall(text)) > MAX_MIXED * len(
            found
        )  # half of two bytes may be ASCII
        if size >= MIN_DIFFERENT and is_regular and not is_mixed and is_spelt(runs):
            return encoding
    return ""


def _share(characters: str, bounds: tuple[str, str]) -> float:
    low, high = bounds
    return sum(low <= character <= high for character in characters) / len(characters)


def _is_japanese(runs: Sequence[str]) -> bool:
    characters = "".join(runs)
    kana = _share(characters, KANA)
    return kana >= 0.2 and kana + _share(characters, HAN) >= 0.85


def _is_korean(runs: Sequence[str]) -> bool:
    """Whether most characters are syllables, and hardly any word mixes them with Chinese characters, as Chinese read so does."""
    words = set(runs)
    mixed = sum(0 < _share(word, HANGUL) < 1 and _share(word, HAN) > 0 for word in words)
    return _share("".join(runs), HANGUL) >= 0.8 and mixed <= 0.25 * len(words)


def _is_thai(runs: Sequence[str]) -> bool:
    """Vowels and tones stand above and below consonants."""
    characters = "".join(runs)
    right = sum(len(run) for run in runs if THAI.fullmatch(run))
    return right >= 0.95 * len(characters) and len(THAI_MARKS.findall(characters)) >= 0.15 * len(characters)


def _is_chinese(encoding: str, low: int, high: int, share: float, runs: Sequence[str]) -> bool:
    """Whether a `share` of the characters is Chinese, and most of those of the first level of a standard, which holds those in use."""
    characters = "".join(runs)
    chinese = [character for character in characters if HAN[0] <= character <= HAN[1]]
    found = (character.encode(encoding, "ignore")[:1] for character in chinese)
    common = sum(low <= lead[0] <= high for lead in found if lead)
    return len(chinese) >= share * len(characters) and common >= 0.8 * len(chinese)


_SPELT: tuple[Callable[[Sequence[str]], bool], ...] = (  # in the order of ASIAN
    _is_japanese,
    _is_japanese,
    _is_korean,
    partial(_is_chinese, "gb2312", 0xB0, 0xD7, 0.95),
    _is_thai,
    partial(_is_chinese, "gb2312", 0xB0, 0xD7, 0.6),
    partial(_is_chinese, "big5", 0xA4, 0xC6, 0.6),
)


def _single_byte_encoding(sample: bytes) -> str:
    """The encoding of one byte a character whose letters are best those of a language; cp1252 where none is clearly better."""
    texts = {encoding: sample.decode(encoding, "replace") for encoding in {one.encoding for one in ALPHABETS}}
    scores = [_score(texts[one.encoding], one) for one in ALPHABETS]
    usual = max(score for score, one in zip(scores, ALPHABETS, strict=True) if one.encoding == "cp1252")
    best, chosen = max(zip(scores, ALPHABETS, strict=True), key=lambda pair: pair[0])
    if best < usual + LEAST_LEAD or not _is_spelt_better(texts["cp1252"], texts[chosen.encoding], chosen):
        return "cp1252"
    return chosen.encoding


def _score(text: str, alphabet: _Alphabet) -> float:
    """How many of the characters beyond ASCII are letters of the language at places where letters stand."""
    if alphabet.is_own_script:
        letters = [character for character in text if character > "\x7f" and character not in NEUTRAL]
        odd = len(re.findall(_odd_case(alphabet), text)) + len(MIXED.findall(text))
        common = sum(map(alphabet.letters.__contains__, letters))
        others = sum(map(alphabet.others.__contains__, letters))
        return alphabet.weight * (common + RARE * others - odd) / max(1, len(letters))
    found = list(_in_place(re.sub(rf"[^\W\d_\x00-\x7f]{{{alphabet.max_run + 1},}}", _as_wrong, text)))
    good = sum(_is_good(character, place, alphabet.letters) for character, place in found)
    return alphabet.weight * good / max(1, len(found))


def _is_good(character: str, place: Literal["within", "odd", ""], letters: str) -> bool:
    if character in NEUTRAL:
        return place == ""
    return character in letters and place != "odd"


def _as_wrong(found: re.Match[str]) -> str:
    return "\ufffd" * len(found[0])


def _odd_case(alphabet: _Alphabet) -> str:
    """A capital behind a small letter."""
    small = "".join(filter(str.islower, alphabet.letters + alphabet.others)) or "\0"
    large = "".join(filter(str.isupper, alphabet.others)) or "\0"
    return f"[{small}][{large}]"


def _in_place(text: str) -> Iterator[tuple[str, Literal["within", "odd", ""]]]:
    """The characters beyond ASCII, each with whether it stands within a word, or is a capital behind a small letter."""
    for found in re.finditer(r"[^\x00-\x7f]", text):
        before, after = text[found.start() - 1 : found.start()], text[found.end() : found.end() + 1]
        if found[0].isupper() and before.islower():
            yield found[0], "odd"
        else:
            yield found[0], "within" if before.isalpha() and after.isalpha() else ""


def _is_spelt_better(usual: str, text: str, alphabet: _Alphabet) -> bool:
    """Whether enough characters differ between two readings of a text, and are letters in the second."""
    letters = alphabet.letters + alphabet.others
    different = [new for old, new in zip(usual, text, strict=True) if old != new]
    right = sum(map(letters.__contains__, different))
    needed = MIN_DIFFERENT if alphabet.is_own_script else 1
    return len(different) >= MIN_CHARACTERS and right >= 0.8 * len(different) and len(set(different)) >= needed
