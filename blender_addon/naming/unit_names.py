"""A name that a person gives to a unit, and files of such names: JSON lines, one name a line.

After Zhou et al. 2015, "Object Detectors Emerge in Deep Scene CNNs", https://arxiv.org/abs/1412.6856, in which people
named units, chose a category, and marked the pictures that don't fit.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...torch_bridge.recording import Network
from ...torch_bridge.recording.errors import InputError
from ...torch_bridge.recording.files import failure_text, parse_json, read_file
from .categories import CATEGORIES, MAX_PICTURES

MAX_BYTES, MAX_NAMES, MAX_LINE = 64 << 20, 200_000, 16_384
"""Of a file, its lines, and one of its lines in characters."""
MAX_RATERS = 50
"""People who name the units of one network."""
LONGEST = {"network": 64, "layer": 500, "word": 80, "rater": 80, "time": 40, "note": 1000}
"""Characters of each text."""
MAY_BE_EMPTY = ("note", "time")


@dataclass(frozen=True)
class UnitName:
    """What one person has said about one unit."""

    network: str
    """Hash of the network, by `network_hash`."""
    layer: str
    unit: int
    """Number of the channel, from 0."""
    word: str
    category: str
    """One of CATEGORIES."""
    rater: str
    """Who has said it."""
    shown: int = 0
    """Number of pictures that the person was shown."""
    misfits: tuple[int, ...] = ()
    """Those that don't fit the word, counted from 1, in order."""
    time: str = ""
    """When it was said: ISO 8601, UTC."""
    note: str = ""

    @property
    def precision(self) -> float:
        """The share of the pictures shown that fit the word; NaN where none was shown."""
        return 1 - len(self.misfits) / self.shown if self.shown else math.nan

    @property
    def place(self) -> tuple[str, int]:
        """Layer and number of the unit."""
        return self.layer, self.unit


def network_hash(network: Network) -> str:
    """Returns a hash of a network's panels, its number of parameters and the name of its weights' file.

    Equal for inputs of any size. Values of weights aren't in a recording: two files of one name are the same to it.
    """
    units = [(layer.id, layer.map_shape[0]) for layer in network.layers if layer.role == "panel"]
    described = repr((units, network.parameters, network.trained, Path(network.weights).name))
    return hashlib.blake2b(described.encode(errors="replace"), digest_size=12).hexdigest()


def checked_name(fields: Mapping[str, Any]) -> UnitName:
    """Returns a name of these fields, texts without spaces around them. Raises InputError: what is wrong with them."""
    texts = {key: _text(fields, key) for key in ("network", "layer", "word", "category", "rater", "time", "note")}
    if texts["category"] not in CATEGORIES:
        raise InputError(f"category {texts['category'][:80]!r} isn't one of {', '.join(CATEGORIES)}")
    unit, shown = _count(fields, "unit", 1 << 24), _count(fields, "shown", MAX_PICTURES)
    misfits = fields.get("misfits", ())
    if not isinstance(misfits, list | tuple) or not all(
        type(number) is int and 1 <= number <= shown for number in misfits
    ):
        raise InputError(f"misfits must be numbers of pictures, 1 to the {shown} shown")
    return UnitName(**texts, unit=unit, shown=shown, misfits=tuple(sorted(set(misfits))))


def _text(fields: Mapping[str, Any], key: str) -> str:
    value = fields.get(key, "")
    if not isinstance(value, str) or len(value) > LONGEST.get(key, 80):
        raise InputError(f"{key} must be a text of at most {LONGEST.get(key, 80)} characters")
    value = value.strip()
    if not value.isprintable():
        raise InputError(f"{key} has characters that can't be shown")
    if not value and key not in MAY_BE_EMPTY:
        raise InputError(f"{key} is missing")
    return value


def _count(fields: Mapping[str, Any], key: str, most: int) -> int:
    value = fields.get(key, 0 if key == "shown" else None)
    if type(value) is not int or not 0 <= value <= most:
        raise InputError(f"{key} must be a whole number from 0 to {most:,}")
    return value


def write_line(name: UnitName) -> str:
    """Returns a name as one line of JSON, without its end."""
    fields = {key: value for key, value in vars(name).items() if value not in ("", ())}
    precision = {} if math.isnan(name.precision) else {"precision": round(name.precision, 4)}
    return json.dumps({**fields, **precision}, ensure_ascii=False)


def write_names(names: Iterable[UnitName]) -> str:
    """Returns the content of a file of names."""
    return "".join(f"{write_line(name)}\n" for name in names)


def parse_names(text: str, where: str) -> list[UnitName]:
    """Reads the content of a file of names. Raises InputError that names `where` and the line."""
    lines = text.split("\n")
    if len(lines) > MAX_NAMES:
        raise InputError(f"{where}: {len(lines):,} lines; at most {MAX_NAMES:,}")
    return list(_parsed(lines, where))


def _parsed(lines: Sequence[str], where: str) -> Iterator[UnitName]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            if len(line) > MAX_LINE:
                raise InputError(f"more than {MAX_LINE:,} characters")
            fields = parse_json(line)
            if not isinstance(fields, dict):
                raise InputError("a JSON object is needed")
            yield checked_name(fields)
        except InputError as error:
            raise InputError(f"{where}, line {number}: {error}") from None
        except (ValueError, RecursionError):
            raise InputError(f"{where}, line {number}: not JSON; remove the line or mend it") from None


def read_names(path: Path) -> list[UnitName]:
    """Reads a file of names. Raises InputError: what is wrong, in which line."""
    try:
        return parse_names(read_file(path, MAX_BYTES).decode("utf-8"), str(path))
    except OSError as error:
        raise InputError(f"{path}: {failure_text(error)}; a file of names is needed") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: not a text in UTF-8; a file of names is needed") from None


def check_raters(names: Iterable[UnitName], where: str) -> None:
    """Raises InputError that names `where` for names by more than MAX_RATERS people."""
    if (count := len({name.rater for name in names})) > MAX_RATERS:
        raise InputError(f"{where}: names by {count:,} people; at most {MAX_RATERS}")


def newest_names(names: Iterable[UnitName]) -> list[UnitName]:
    """Returns what each person has said last about each unit, sorted by layer, unit and person.

    Of names without or with equal times the one that comes later counts.
    """
    found: dict[tuple[str, str, int, str], UnitName] = {}
    for name in sorted(names, key=lambda name: name.time):
        found[name.network, name.layer, name.unit, name.rater] = name
    return [found[key] for key in sorted(found)]
