"""Turns words and numbers that a user writes into tokens, with a vocabulary that is a plain file."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from ..recording.errors import InputError
from ..recording.files import failure_text, parse_json, read_file

UNKNOWN = ("[UNK]", "<unk>", "<UNK>", "<|unk|>", "[unk]")
"""Words that stand for all words that a vocabulary lacks."""
CONTINUED = "##"
"""Start of a piece that continues a word."""
MAX_VOCABULARY, MAX_WORDS = 32 << 20, 1 << 21
"""Bytes of a vocabulary file, and its words."""
MAX_TOKENS, MAX_DIGITS = 1 << 20, 18
MAX_TEXT = 1 << 18
"""Characters of a text that is read as words."""
MAX_WORD = 100
"""Characters of a word; longer ones are unknown, as in WordPiece."""
MAX_LISTED = 12
"""Tokens that a line for people lists."""


@dataclass(frozen=True)
class Vocabulary:
    """The number of each word that a network knows."""

    name: str
    ids: Mapping[str, int]
    """Word, or piece of one, -> its number from 0."""

    def tokenise(self, text: str) -> tuple[np.ndarray, str]:
        """Returns the tokens of a text, (L,) int64, and a line for people that lists them.

        Words lie between spaces. Each is looked up as it is, then in lower case; then it is cut at punctuation and into
        the longest pieces that are known, whose later ones start with "##" (WordPiece: Wu et al. 2016,
        https://arxiv.org/abs/1609.08144). Raises InputError for a word that is unknown, if no word stands for such.
        """
        if len(text) > MAX_TEXT:
            raise InputError(f"text: {len(text):,} characters; at most {MAX_TEXT:,} are read")
        pieces, missing = [], []
        for word in text.split():
            for part in [word] if word in self.ids else _cut_punctuation(word, self.ids):
                found = self._pieces(part)
                missing += [] if found else [part]
                pieces += found or [self._unknown(part)]
        if not pieces:
            raise InputError("text: it has no words; write some, such as text:a small cat")
        line = f"{len(pieces)} tokens of {self.name}: {_listed(pieces)}"
        line += f"; unknown: {_listed(missing)}" if missing else ""
        return np.array([self.ids[piece] for piece in pieces], np.int64), line

    def _pieces(self, word: str) -> list[str]:
        """The longest known pieces of a word, from its start; [] if some part isn't known."""
        pieces: list[str] = []
        start = 0
        while start < len(word) <= MAX_WORD:
            mark = CONTINUED if start else ""
            ends = range(len(word), start, -1)
            end = next((end for end in ends if mark + word[start:end] in self.ids), None)
            if end is None:
                return []
            pieces.append(mark + word[start:end])
            start = end
        return pieces

    def _unknown(self, word: str) -> str:
        stands = next((name for name in UNKNOWN if name in self.ids), None)
        if stands is None:
            raise InputError(
                f"text: {word[:60]!r} isn't in {self.name}, which has no {' or '.join(UNKNOWN[:2])} either"
            )
        return stands


def _cut_punctuation(word: str, ids: Mapping[str, int]) -> list[str]:
    lower = word.lower()
    return [lower] if lower in ids else re.findall(r"\w+|[^\w\s]", lower)


def _listed(words: list[str]) -> str:
    shown = " ".join(word[:60] for word in words[:MAX_LISTED])
    return shown + (" …" if len(words) > MAX_LISTED else "")


def read_vocabulary(path: str | Path) -> Vocabulary:
    """Reads a vocabulary: JSON {word: number}, or a text file with a word a line, numbered from 0.

    Raises InputError.
    """
    path = Path(path)
    try:
        text = read_file(path, MAX_VOCABULARY).decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"vocabulary {path}: {failure_text(error)}") from None
    except UnicodeDecodeError:
        raise InputError(f"vocabulary {path}: not a text; JSON {{word: number}} or a word a line is needed") from None
    if text.lstrip()[:1] == "{":
        return Vocabulary(path.name, _parse_object(path, text))
    words = [line.strip() for line in islice(io.StringIO(text, newline=None), MAX_WORDS + 1)]
    _check_count(path, len(words))
    if not any(words):
        raise InputError(f"vocabulary {path}: it is empty; JSON {{word: number}} or a word a line is needed")
    return Vocabulary(path.name, {word: number for number, word in enumerate(words) if word})


def _parse_object(path: Path, text: str) -> dict[str, int]:
    try:
        ids = parse_json(text)
    except ValueError as error:
        raise InputError(f"vocabulary {path}: not JSON ({error})") from None
    _check_count(path, len(ids))
    for word, number in ids.items():
        if type(number) is not int or not 0 <= number < 10**MAX_DIGITS:
            wrong = f"{word[:60]!r} has {str(number)[:60]}"
            raise InputError(f"vocabulary {path}: {wrong}; a whole number from 0 is needed")
    return dict(ids)


def _check_count(path: Path, words: int) -> None:
    if words > MAX_WORDS:
        raise InputError(f"vocabulary {path}: more than {MAX_WORDS:,} words; at most as many are read")


def parse_ids(text: str) -> np.ndarray:
    """Returns the tokens of "101,2054,102" as (L,) int64. Raises InputError."""
    parts = [part.strip() for part in text.split(",", MAX_TOKENS)]
    wrong = [part for part in parts if not re.fullmatch(rf"-?[0-9]{{1,{MAX_DIGITS}}}", part)]
    if wrong or len(parts) > MAX_TOKENS:
        raise InputError(f"ids:{text[:60]}: write whole numbers with commas, such as ids:101,2054,102")
    return np.array([int(part) for part in parts], np.int64)


def check_tokens(ids: np.ndarray, count: int) -> None:
    """Raises InputError if a token, of (L,), is none of the `count` that a network knows; 0: they aren't known."""
    if count and not 0 <= ids.min() <= ids.max() < count:
        wrong = ids.min() if ids.min() < 0 else ids.max()
        raise InputError(f"token {wrong}: the network knows {count} tokens, from 0 to {count - 1}")
