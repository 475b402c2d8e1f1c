"""What the fuzzers share: how mutants are counted, and their limits of time and memory."""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..torch_bridge.recording.errors import InnerwalkError

MAX_SECONDS = 2.0
"""CPU seconds within which a mutant is read or refused."""
MAX_MIB = 512
"""MiB that the process may grow by for a mutant of a small file."""
MAX_EXAMPLES = 10
"""Wrong mutants that are described."""


@dataclass
class Counts:
    """What became of mutants."""

    tried: int = 0
    right: int = 0
    """Mutants that were read: what was changed doesn't matter or is allowed."""
    refused: int = 0
    """Mutants refused with an error of ours, on one line."""
    wrong: list[str] = field(default_factory=list)
    """Anything else, such as another exception; there must be none."""
    slow: list[str] = field(default_factory=list)
    """Mutants that took too long, which only says something where nothing else runs."""

    def attempt(self, what: str, read: Callable[[], Any]) -> None:
        """Read a mutant and count what becomes of it. what: how it differs, for `wrong`."""
        self.tried += 1
        start, memory = time.process_time(), peak_mib()
        try:
            read()
            self.right += 1
        except InnerwalkError as error:
            self.refused += 1
            if "\n" in str(error) or len(str(error)) > 1000:
                self.wrong.append(f"{what}: no line that can be read")
        except Exception as error:  # noqa: BLE001 - any other error is a finding
            self.wrong.append(f"{what}: {type(error).__name__}: {error}")
        seconds, grown = time.process_time() - start, peak_mib() - memory
        if seconds > MAX_SECONDS:
            self.slow.append(f"{what}: {seconds:.1f} s")
        if grown > MAX_MIB:
            self.wrong.append(f"{what}: {grown:.0f} MiB")

    def table(self) -> dict[str, Any]:
        """The counts as a row of a benchmark's table."""
        row: dict[str, Any] = {"tried": self.tried, "right": self.right, "refused": self.refused}
        found = [*self.wrong, *self.slow]
        return row | {"anything else": len(found)} | ({"such as": found[0][:200]} if found else {})


def peak_mib() -> float:
    """The most memory that this process has had, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


ODD: tuple[Any, ...] = (
    None, True, 0, -1, 1, 2, 3, 255, 1 << 31, 1 << 62, 10**400, 0.5, -0.0, 1e308, "", "a", "../../x", "\n", "\u0000",
    "x" * 5000, [], [0], [[]], [1, 2, 3], {}, {"a": 1}, [[0, 1]], ["a"], "input", "noise", "panels",
)  # fmt: skip
"""Values that replace those of a document."""


def mutate_json(document: Any, rng: np.random.Generator) -> tuple[Any, str]:
    """A copy of a JSON document with one value replaced, removed or doubled, and the change in words."""
    changed = json.loads(json.dumps(document))
    places = list(_places(changed, ""))
    holder, key, path = places[rng.integers(len(places))]
    way = rng.integers(4)
    if way == 0:
        del holder[key]
        return changed, f"without {path}"
    if way == 1 and isinstance(holder, list):
        holder.insert(int(rng.integers(len(holder) + 1)), holder[key])
        return changed, f"{path} twice"
    value = ODD[rng.integers(len(ODD))]
    holder[key] = value
    return changed, f"{path} = {str(value)[:30]}"


def _places(value: Any, path: str) -> Iterator[tuple[Any, Any, str]]:
    """Every place in a document: its list or object, its index or key, and its path."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in list(pairs):
        yield value, key, f"{path}/{key}"
        yield from _places(entry, f"{path}/{key}")


def mutate_bytes(content: bytes, rng: np.random.Generator, most: int) -> bytes:
    """A copy with some bytes among the first `most` replaced, removed or inserted, or cut off."""
    place = int(rng.integers(min(len(content), most)))
    if rng.random() < 0.1:
        return content[:place]
    junk = rng.bytes(int(rng.integers(0, 9)))
    return content[:place] + junk + content[place + int(rng.integers(0, 9)) :]
