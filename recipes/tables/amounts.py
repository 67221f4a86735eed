"""Numbers as people write them: with currency, percent, thousands, either decimal mark, and a minus in front, behind or as brackets."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
SYMBOLS = r"(?:us|ca|au|nz|hk|nt|mx|r|c|a|s)?\$|[€£¥円元원₹₩₽₺₪฿₫₴₦%]|eur|usd|gbp|chf"
WORDS = "jpy|cny|inr|brl|sek|nok|dkk|isk|pln|czk|huf|ron|bgn|try|aud|cad|nzd|sgd|hkd|mxn|krw|rub|zar|ils|kr|kč|zł|ft|lei|euros?|dollars?"
FROM = r"ab|nur|from|only|vanaf|desde|d[eè]s|da|a partir d[aeo]|à partir de|a partire da|circa|ca\.|env\.|approx\."  # before the price
TAX = r"ttc|ht|tvac|htva|brutto|netto|(?:inkl|incl|exkl|excl|zzgl|plus|iva|tva|btw|mwst)\.?(?: ?(?:der )?(?:mwst|ust|btw|tva|iva|vat|incl|excl|inc|esc)\w*\.?)?"
STEPS = (
    (r"[\s'\x{2019}\x{00a0}\x{202f}\x{2009}]", " "),
    (r"[\x{2212}\x{2013}\x{2014}]", "-"),
    (rf"(?i)^(?:{FROM}) (.*\d)", r"\1"),
    (rf"(?i)(\d.*?) ?(?:\*+|(?:{TAX}))$", r"\1"),
    (r"(\d)[.,]-{1,2}( |$)", r"\1\2"),
    (rf"(?i)^([-+(]? ?)(?:(?:{SYMBOLS})|(?:{WORDS})\.? )([-+]? ?)(\d)", r"\1\2\3"),
    (rf"(?i)(\d[.,]?)(?: ?(?:{SYMBOLS})| (?:{WORDS}))\.?( ?[-)]?)$", r"\1\2"),
    (r" ", ""),
    (r"^([+-]?\d+)[€$£](\d\d)$", r"\1.\2"),
    (r"^\((.+)\)$|^([^-+].*)-$", r"-\1\2"),
)
GROUPS = {
    ".": (r"^[+-]?\d{1,3}(,\d{2,3})*,\d{3}(\.\d+)?$", ","),
    ",": (r"^[+-]?\d{1,3}(\.\d{3})+(,\d+)?$", "."),
}


def bare(words: pa.Array) -> pa.Array:
    """The digits, marks and sign of numbers; what is none may come out changed."""
    for pattern, instead in STEPS:
        words = pc.replace_substring_regex(words, pattern, instead)
    return words


def bare_text(text: str) -> str:
    """One cell's digits, marks and sign.

    >>> bare_text("US$ 1,234.50"), bare_text("(12,5 kr)"), bare_text("−3 %"), bare_text("₹1,23,100")
    ('1,234.50', '-12,5', '-3', '1,23,100')
    >>> bare_text("12€50")
    '12.50'
    >>> bare_text("ab 1.299,00 € inkl. MwSt."), bare_text("CHF 680.–"), bare_text("12,- € *")
    ('1.299,00', '680', '12')
    """
    return str(bare(pa.array([text], pa.string()))[0].as_py())


def plain_numbers(words: pa.Array, decimal: str) -> pa.Array:
    """Numbers in digits with a point; what is no number stays as it is."""
    is_plain = pc.match_substring_regex(words, NUMBER)
    if decimal == "." and pc.all(is_plain).as_py() is not False:
        return words
    found = bare(words)
    pattern, thousands = GROUPS[decimal]
    found = pc.if_else(pc.match_substring_regex(found, pattern), pc.replace_substring(found, thousands, ""), found)
    found = found if decimal == "." else pc.replace_substring(found, decimal, ".")
    usable = pc.match_substring_regex(found, NUMBER)
    return pc.if_else(usable, found, words)


def is_plain_number(text: str) -> bool:
    """Whether a cell is a number as programs write them."""
    return re.fullmatch(NUMBER, text) is not None
