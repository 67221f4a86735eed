"""A short title for a list of items: what is most characteristic of it against the whole catalogue, in the items' own words.

No language model is involved. The list is taken for one document, and its categories, words and phrases are weighed by
class-based TF-IDF (Grootendorst 2022, "BERTopic", eq. 1) with the share of the list's items in place of a word count, so
that one long description does not name the list alone. Equal lists get equal titles.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recipes.columns import Categorical, Column, Columns, Kind, Numeric, Text
from recipes.content.text import ENDINGS, TAG, WORD
from recipes.numerics.arrays import Floats, unit_rows

MOST_WORDS = 100  # of one text; what it is about is said first
COMMON = 0.8  # what more items of the catalogue have says nothing of a list
CATEGORY_SHARE, TERM_SHARE = 0.5, 0.2  # of the list's items that must have what names it
CATEGORIES, TERMS = 2, 2  # in a title
CHARACTERISTIC = 20  # features that an item is held against for its relevance
LONGEST = 3  # words of a phrase
NAMELESS = "Various items"
SAYING_NOTHING = (
    "about above after again against all also although always among an and another any are around as at away back be because "
    "been before being below between both but by can could did do does done down each either else ever every few first for "
    "from get gets had has have he her here hers him his how if in into is it its itself just last least less like made make "
    "many may me more most much must my never new no nor not now of off on once one only or other our out over own per set "
    "she should since so some such than that the their them then there these they this those through to too two under until up "
    "upon us very via was we were what when where which while who whom whose why will with within without would you your"
)
STOP_WORDS = frozenset(SAYING_NOTHING.split())


@dataclass(frozen=True)
class Theme:
    """A title, and how much each item of the list is about it: from 0, not at all, to 1."""

    text: str
    relevance: list[float]


@dataclass(frozen=True)
class Themes:
    """What each item of a catalogue is called and about.

    Attributes:
        features: (N, F) sparse; 1 where an item has a category, a word or a phrase.
        labels: (F,) the features as people read them.
        words: (F,) the stems that each is made of, by which duplicates are recognised.
        is_category: (F,) which of them are categories.
        rarity: (F,) log of 1 + N over the number of items that have it; 0 for what nearly all have.
    """

    features: sparse.csr_matrix
    labels: list[str]
    words: list[frozenset[str]]
    is_category: NDArray[np.bool_]
    rarity: Floats

    @classmethod
    def of(cls, columns: Columns, size: int, name: str) -> Themes:
        """Read a catalogue.

        Args:
            columns: the items' metadata; categories and texts are read, numbers and labels are not.
            size: N, how many items there are.
            name: the column that says what each item is called, in any case.

        Raises:
            ValueError: there is no such column.
        """
        called = next((column for key, column in columns.items() if key.upper() == name.upper()), None)
        if called is None:
            raise ValueError(f"There is no column {name}; there are {', '.join(columns) or 'none'}.")
        gathered = _Features()
        for column in columns.values():
            if isinstance(column, Categorical) and column.kind is Kind.CATEGORICAL and column is not called:
                gathered.add_categories(column)
            elif isinstance(column, Text) and column is not called:
                gathered.add_texts(column.values.to_pylist(), longest=1)
        gathered.add_texts(_texts(called), longest=LONGEST)
        return gathered.finished(size)

    def name(self, items: Sequence[int]) -> Theme:
        """The theme of a list of items, by index; unknown ones (-1) are about nothing."""
        known = np.array([item for item in items if item >= 0], np.int64)
        if not len(known):
            return Theme(NAMELESS, [0.0] * len(items))
        counts = np.asarray(self.features[known].sum(axis=0)).ravel()
        share = np.asarray(counts / len(known), np.float32)
        weight = np.asarray(share * self.rarity, np.float32)
        best = np.argsort(-weight * self._length(), kind="stable")
        best = best[weight[best] > 0]
        relevance = iter(self._relevance(known, best[:CHARACTERISTIC], weight))
        shares = [float(next(relevance)) if item >= 0 else 0.0 for item in items]
        return Theme(self._title(best, share, counts, alone=len(known) == 1), shares)

    def _length(self) -> Floats:
        """(F,) what a phrase weighs more than its words: it says more with the same right."""
        return np.sqrt(np.array([max(1, len(words)) for words in self.words], np.float32))

    def _title(self, best: NDArray[np.int64], share: Floats, counts: Floats, *, alone: bool) -> str:
        """Up to two categories that most items have, and up to two terms that several have."""
        said: set[str] = set()
        categories = self._chosen(best[self.is_category[best] & (share[best] >= CATEGORY_SHARE)], CATEGORIES, said)
        shared = (share[best] >= TERM_SHARE) & ((counts[best] >= 2) | alone) & ~self.is_category[best]
        terms = self._chosen(best[shared], TERMS, said)
        parts = [part for part in (" and ".join(categories), ", ".join(terms)) if part]
        if parts:
            return ": ".join(parts)
        return self.labels[int(best[0])] if len(best) else NAMELESS

    def _chosen(self, ranked: NDArray[np.int64], most: int, said: set[str]) -> list[str]:
        """Labels of the best features, but for those that repeat a word."""
        chosen: list[str] = []
        for feature in ranked:
            words = self.words[int(feature)]
            if len(chosen) < most and not words & said:
                chosen.append(self.labels[int(feature)])
                said |= words
        return chosen

    def _relevance(self, items: NDArray[np.int64], best: NDArray[np.int64], weight: Floats) -> Floats:
        """(K,) cosine between each item's features, weighed by rarity, and the list's most characteristic ones."""
        theme = np.zeros(len(weight), np.float32)
        theme[best] = weight[best]
        rows = unit_rows(sparse.csr_matrix(self.features[items].multiply(self.rarity)))
        return np.asarray(rows @ (theme / max(float(np.linalg.norm(theme)), 1e-12)), np.float32)


class _Features:
    """Gathers what items have, column by column."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[bool, str], int] = {}
        self._spellings: defaultdict[int, Counter[str]] = defaultdict(Counter)
        self._rows: list[NDArray[np.int64]] = []
        self._columns: list[NDArray[np.int64]] = []

    def add_categories(self, column: Categorical) -> None:
        """Every category of every item."""
        numbers = [self._number(is_category=True, key=name.casefold(), spelling=name) for name in column.categories]
        rows = np.repeat(np.arange(len(column.offsets) - 1, dtype=np.int64), np.diff(column.offsets))
        self._rows.append(rows)
        self._columns.append(np.array(numbers, np.int64)[column.codes])

    def add_texts(self, texts: Iterable[str | None], *, longest: int) -> None:
        """The words of each item's text, and its phrases of up to `longest` neighbouring words."""
        for row, text in enumerate(texts):
            found = {
                self._number(is_category=False, key=key, spelling=spelling)
                for key, spelling in _terms(text or "", longest=longest)
            }
            self._rows.append(np.full(len(found), row, np.int64))
            self._columns.append(np.fromiter(sorted(found), np.int64, len(found)))

    def finished(self, size: int) -> Themes:
        """What occurs at least twice, with its weight."""
        empty = np.zeros(0, np.int64)
        rows, columns = np.concatenate([empty, *self._rows]), np.concatenate([empty, *self._columns])
        matrix = sparse.csr_matrix(
            (np.ones(len(rows), np.float32), (rows, columns)), shape=(size, len(self._numbers)), dtype=np.float32
        )
        matrix.data[:] = 1  # what two columns say counts once
        having = np.bincount(matrix.indices, minlength=matrix.shape[1])
        useful = np.flatnonzero(having >= min(2, size))
        rarity = np.where(having[useful] <= COMMON * max(size, 3), np.log1p(size / having[useful]), 0)
        keys = list(self._numbers)
        return Themes(
            sparse.csr_matrix(matrix[:, useful]),
            [self._label(int(feature), is_category=keys[feature][0]) for feature in useful],
            [frozenset(_stems(keys[feature][1])) for feature in useful],
            np.array([keys[feature][0] for feature in useful], bool),
            rarity.astype(np.float32),
        )

    def _number(self, *, is_category: bool, key: str, spelling: str) -> int:
        number = self._numbers.setdefault((is_category, key), len(self._numbers))
        self._spellings[number][spelling] += 1
        return number

    def _label(self, feature: int, *, is_category: bool) -> str:
        spelling = self._spellings[feature].most_common(1)[0][0]
        if is_category and spelling not in (spelling.lower(), spelling.upper()):
            return spelling  # somebody has chosen how it is written
        return " ".join(word[:1].upper() + word[1:].lower() for word in spelling.replace("_", " ").split())


def _texts(column: Column) -> list[str]:
    """(N,) what a column says of each item."""
    match column:
        case Text():
            return [str(text) for text in column.values.to_pylist()]
        case Categorical():
            ranges = pairwise(column.offsets.tolist())
            return [" ".join(column.categories[code] for code in column.codes[low:high]) for low, high in ranges]
        case Numeric():
            return [f"{number:g}" for number in column.values]


def _terms(text: str, *, longest: int) -> Iterator[tuple[str, str]]:
    """Stems and spellings of the words that say something, and of phrases of them."""
    words = WORD.findall(TAG.sub(" ", text).casefold())[:MOST_WORDS]
    for size in range(1, longest + 1):
        for start in range(len(words) - size + 1):
            phrase = words[start : start + size]
            if all(_says_something(word, alone=size == 1) for word in phrase):
                yield " ".join(map(_stem, phrase)), " ".join(phrase)


def _stems(key: str) -> list[str]:
    return [_stem(word) for word in WORD.findall(key)]


def _stem(word: str) -> str:
    return ENDINGS.sub("", word)


def _says_something(word: str, *, alone: bool) -> bool:
    shortest = 3 if alone else 2
    return (len(word) >= shortest or not word.isascii()) and not word.isdecimal() and word not in STOP_WORDS
