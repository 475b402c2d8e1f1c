"""Artefact units: those that are most active in pictures in which people have seen artefacts.

Bau et al. 2019, section 4.3: units whose pictures show artefacts are found by hand, and are set to 0.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
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
    """Returns the share of votes for "artefact" by the seed of a picture, from CSV with the columns seed and artefact.

    A row is a vote: 1 for an artefact, 0 for none. Raises InputError.
    """
    sums: dict[int, list[float]] = {}
    line = 1
    try:
        rows = csv.DictReader(io.StringIO(read_file(path, MAX_VOTES).decode("utf-8"), newline=""), strict=True)
        for row in rows:
            line = rows.line_num
            seed, vote = int(row["seed"]), int(row["artefact"])
            if vote not in (0, 1) or not 0 <= seed <= MOST_SEED:
                raise ValueError(vote)
            sums.setdefault(seed, []).append(vote)
    except OSError as error:
        raise InputError(f"{path}: {failure_text(error)}") from None
    except (UnicodeDecodeError, csv.Error, ValueError, KeyError, TypeError):
        raise InputError(
            f"{path}, line {line}: no vote; write CSV with the columns seed (0 or above) and artefact (1 or 0)"
        ) from None
    return {seed: sum(votes) / len(votes) for seed, votes in sums.items()}


def rank_artefact_units(maps: Tensor, votes: np.ndarray) -> np.ndarray:
    """Returns (U,) float64: by how much more active each unit is in pictures with artefacts, in standard deviations.

    maps: (N, U, h, w) of the pictures. votes: (N,) share of votes for "artefact", 0..1. Raises InputError for too few
    pictures of either kind.
    """
    bad = votes > 0.5
    if min(bad.sum(), (~bad).sum()) < MIN_VOTES:
        raise InputError(
            f"votes: artefacts in {int(bad.sum())} of {len(bad)}; pictures with and without are needed, at least "
            f"{MIN_VOTES} of each"
        )
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
