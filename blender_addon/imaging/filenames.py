"""File names for layer ids: valid on every system, and unique where case doesn't count."""

from __future__ import annotations

import re
from collections.abc import Iterable

LONGEST = 80
"""Most characters of a name, before a number that makes it unique."""
DEVICES = {"con", "prn", "aux", "nul", "conin$", "conout$", "clock$"}
"""Names that Windows reserves, whatever follows the first dot; com1, lpt9 and the like are reserved too."""
NUMBERED = re.compile(r"(com|lpt)[0-9]")


def file_name(name: str) -> str:
    """Returns a name of ASCII letters, digits and `._-` that is neither empty, hidden nor reserved.

    >>> file_name("layer1.0:add@2"), file_name("con.weight"), file_name("..")
    ('layer1.0_add_2', '_con.weight', '_')
    """
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", name)[:LONGEST].rstrip(".")
    first = plain.partition(".")[0].lower()
    risky = not plain or plain[0] in ".-" or first in DEVICES or NUMBERED.fullmatch(first)
    return f"_{plain.lstrip('.')}" if risky else plain


def file_names(names: Iterable[str]) -> dict[str, str]:
    """Returns a file name for each name; of two that differ only in case, the later gets a number.

    >>> file_names(["a", "A", "a:b", "a_b"])
    {'a': 'a', 'A': 'A-2', 'a:b': 'a_b', 'a_b': 'a_b-2'}
    """
    found: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        stem = chosen = file_name(name)
        number = 2
        while chosen.lower() in taken:
            chosen, number = f"{stem}-{number}", number + 1
        taken.add(chosen.lower())
        found[name] = chosen
    return found
