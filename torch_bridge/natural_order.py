"""The order in which people count names: 2.png before 10.png."""

from __future__ import annotations

import re


def natural_key(name: str) -> tuple[tuple[int, int | str], ...]:
    """Returns a sort key in which numbers count as numbers, and case only where names are alike else."""
    parts = re.split(r"([0-9]{1,18})", name.lower())
    return (*((0, int(part)) if part.isdecimal() and part.isascii() else (1, part) for part in parts), (1, name))
