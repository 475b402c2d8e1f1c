"""Artefact units: those that are most active in pictures in which people have seen artefacts.

Bau et al. 2019, section 4.3: units whose pictures show artefacts are found by hand, and are set to 0.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from torch import Tensor

from ..recording.errors import InputError
from ..recording.files import failure_text, read_file

COLUMNS = ("seed", "artefact")
MAX_VOTES = 4 << 20
"""Bytes of a file of votes."""
MOST_SEED = 2**63 - 1
MIN_VOTES = 2
"""Pictures that are needed of each kind."""


def read_votes(path: Path) -> dict[int, float]:
    """Returns the share of votes for "artefact" by the seed of a picture's noise, from a CSV file.

    Each row is a vote, in the columns seed and artefact: 1 for an artefact, 0 for none. Raises InputError.
    """
    found: list[tuple[int, int]] = []
    line = 1
    try:
        rows = csv.DictReader(io.StringIO(read_file(path, MAX_VOTES).decode("utf-8"), newline=""), strict=True)
        for row in rows:
            line = rows.line_num
            found.append(_vote(row["seed"], row["artefact"]))
    except OSError as error:
        raise InputError(f"{path}: {failure_text(error)}") from None
    except (UnicodeDecodeError, csv.Error, ValueError, KeyError, TypeError):
        raise InputError(
            f"{path}, line {line}: no vote; write CSV with the columns seed (0 or above) and artefact (1 or 0)"
        ) from None
    return _shares(found)


def parse_votes(text: str) -> dict[int, float]:
    """Returns the same from text such as "3:1, 7:0": a seed and a vote each. Raises InputError."""
    try:
        return _shares([_vote(*entry.split(":")) for entry in text.split(",") if entry.strip()])
    except (ValueError, TypeError):
        raise InputError(
            f"votes {text[:40]!r}: write seeds (0 or above) with 1 for an artefact or 0 for none, such as 3:1, 7:0"
        ) from None


def _vote(seed: str, vote: str) -> tuple[int, int]:
    """Returns a seed and a vote, 0 or 1. Raises ValueError or TypeError."""
    numbers = int(seed), int(vote)
    if not 0 <= numbers[0] <= MOST_SEED or numbers[1] not in (0, 1):
        raise ValueError(numbers)
    return numbers


def _shares(votes: Iterable[tuple[int, int]]) -> dict[int, float]:
    """Returns the share of votes for "artefact" by seed. Raises InputError for too few pictures of either kind."""
    by_seed: dict[int, list[int]] = {}
    for seed, vote in votes:
        by_seed.setdefault(seed, []).append(vote)
    shares = {seed: sum(own) / len(own) for seed, own in by_seed.items()}
    bad = sum(share > 0.5 for share in shares.values())
    if min(bad, len(shares) - bad) < MIN_VOTES:
        raise InputError(
            f"votes: artefacts in {bad} of {len(shares)} pictures; some with and some without are needed, at least "
            f"{MIN_VOTES} of each"
        )
    return shares


def rank_artefact_units(maps: Tensor, votes: np.ndarray) -> np.ndarray:
    """Returns (U,) float64: by how much more active each unit is in pictures with artefacts, in standard deviations.

    maps: (N, U, h, w) of the pictures. votes: (N,) share of votes for "artefact", 0..1, with both kinds.
    """
    bad = votes > 0.5
    means = maps.flatten(2).mean(2).double().numpy()
    spread = np.maximum(means.std(0), 1e-12)
    found: np.ndarray = (means[bad].mean(0) - means[~bad].mean(0)) / spread
    return found


def artefact_units(maps: Tensor, votes: Mapping[int, float], count: int) -> list[int]:
    """Returns the `count` units that are most tied to artefacts, the first one most.

    maps: (N, U, h, w) of the pictures of the votes, in their order.
    """
    scores = rank_artefact_units(maps, np.array(list(votes.values())))
    return [int(unit) for unit in np.argsort(-scores, kind="stable")[:count]]
