"""How far several people agree about units: the word that most of them say, and Cohen's kappa of their categories."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import NamedTuple

from .categories import CATEGORIES
from .unit_names import UnitName

SEMANTIC = 0.75
"""A unit whose pictures fit its word in more cases than this share has a meaning for people (Zhou et al. 2015)."""


class UnitAgreement(NamedTuple):
    """What all people say about one unit."""

    layer: str
    unit: int
    word: str
    """That of most people, whatever its case; "" where two words are as frequent."""
    category: str
    """The same for categories."""
    agreeing: int
    """Number of people who say `word`."""
    raters: int
    precision: float
    """Mean over all people who say `word`, of those who were shown pictures; NaN for none."""

    @property
    def is_semantic(self) -> bool:
        """Whether people agree about a word, and it fits more than SEMANTIC of the pictures."""
        return bool(self.word) and self.precision > SEMANTIC


def initials(rater: str) -> str:
    """Returns the first letters of up to three words of a person's name, such as AL for Ada Lovelace."""
    return "".join(word[0] for word in rater.split()[:3]).upper()


def agree(names: Sequence[UnitName]) -> list[UnitAgreement]:
    """Returns what people say about each unit; of each person and unit there is one name, as from `newest_names`."""
    by_unit: dict[tuple[str, int], list[UnitName]] = {}
    for name in names:
        by_unit.setdefault(name.place, []).append(name)
    return [_agreement(layer, unit, own) for (layer, unit), own in sorted(by_unit.items())]


def _agreement(layer: str, unit: int, names: Sequence[UnitName]) -> UnitAgreement:
    word = _most_frequent(name.word.casefold() for name in names)
    own = [name for name in names if name.word.casefold() == word]
    known = [name.precision for name in own if not math.isnan(name.precision)]
    precision = sum(known) / len(known) if known else math.nan
    category = _most_frequent(name.category for name in own or names)
    return UnitAgreement(layer, unit, own[0].word if own else "", category, len(own), len(names), precision)


def _most_frequent(values: Iterable[str]) -> str:
    (first, count), *others = Counter(values).most_common(2)
    return "" if others and others[0][1] == count else first


def cohens_kappa(first: Sequence[str], second: Sequence[str]) -> float:
    """Returns Cohen's kappa of two people's categories of the same units: 1 for full agreement, 0 for that by chance.

    NaN for no unit, and where both use one and the same category for all. Cohen 1960,
    https://doi.org/10.1177/001316446002000104.
    """
    if not first:
        return math.nan
    equal = sum(a == b for a, b in zip(first, second, strict=True)) / len(first)
    chance = sum(first.count(category) * second.count(category) for category in CATEGORIES) / len(first) ** 2
    return math.nan if chance == 1 else (equal - chance) / (1 - chance)


class PairAgreement(NamedTuple):
    """How far two people agree."""

    raters: tuple[str, str]
    units: int
    """That both have named."""
    kappa: float
    """Of their categories."""


def pair_agreements(names: Sequence[UnitName]) -> list[PairAgreement]:
    """Returns the agreement of each two people, over the units that both have named; those without any are left out."""
    categories: dict[str, dict[tuple[str, int], str]] = {}
    for name in names:
        categories.setdefault(name.rater, {})[name.place] = name.category
    found = []
    for first, second in combinations(sorted(categories), 2):
        both = sorted(categories[first].keys() & categories[second].keys())
        if both:
            pairs = [(categories[first][unit], categories[second][unit]) for unit in both]
            found.append(PairAgreement((first, second), len(both), cohens_kappa(*zip(*pairs, strict=True))))
    return found


def mean_kappa(pairs: Iterable[PairAgreement]) -> float:
    """Returns the mean of the pairs' kappas; NaN for none."""
    known = [pair.kappa for pair in pairs if not math.isnan(pair.kappa)]
    return sum(known) / len(known) if known else math.nan
