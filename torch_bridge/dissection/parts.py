"""The files of a dissection: what it is about, and the results of each part of its pictures, so that it can be resumed.

Results of parts are sums and merge by addition, so that any number of processes may share the parts. Files are written
whole; one that can't be read counts as missing, and its part is run again.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ..recording.errors import InnerwalkError, InputError
from ..recording.files import failure_text, parse_json, read_file
from ..recording.part_files import part_prefix, remove_stale_parts
from ..recording.safetensors import encode, open_arrays
from ..statistics import TailHistogram, TopK
from .pair_counts import PairCounts
from .passes import LayerValues, PassResult
from .tally import FIELDS, UnitCounts

RUN_FILE, PARTS = "dissection.json", "parts"
MAX_RUN = 4 << 20
"""Bytes of the file that says what a dissection is about."""
HISTOGRAM, BEST_PICTURES = ("coarse", "fine", "top"), ("values", "pictures", "positions")
Kind = Literal["values", "counts"]
"""Results of the first and the second pass."""
KINDS: tuple[Kind, ...] = ("values", "counts")


class DissectionFolder:
    """The folder of one dissection."""

    def __init__(self, folder: Path, about: Mapping[str, Any]) -> None:
        """about: what decides the results, as JSON values. Raises InputError for a folder of another dissection."""
        self.folder, self.about = folder, dict(about)
        try:
            (folder / PARTS).mkdir(parents=True, exist_ok=True)
            remove_stale_parts(folder / PARTS)
            if not (folder / RUN_FILE).exists():
                write_whole(folder / RUN_FILE, [json.dumps(self.about, indent=1).encode()])
            found = parse_json(read_file(folder / RUN_FILE, MAX_RUN))
        except OSError as error:
            raise InputError(f"{folder}: {failure_text(error)}; name another folder") from None
        except ValueError:
            found = None
        if found != self.about:
            raise InputError(f"{folder}: a dissection with another {self._difference(found)}; name a new folder")

    def _difference(self, found: Any) -> str:
        """Returns what decides the results and differs in another dissection; with its values, if they are numbers."""
        for key, wanted in self.about.items() if isinstance(found, dict) else ():
            if (other := found.get(key)) != wanted:
                is_number = isinstance(other, int | float) and isinstance(wanted, int | float) and key != "format"
                return f"{key} ({other:g}, not {wanted:g})" if is_number else key
        return "format"

    def path(self, kind: Kind, part: int) -> Path:
        """Returns the file of a part's results."""
        return self.folder / PARTS / f"{kind}-{part:05d}.safetensors"

    def count(self, kind: Kind) -> int:
        """Returns of how many parts there are results."""
        return len(list((self.folder / PARTS).glob(f"{kind}-*.safetensors")))

    def write_values(self, part: int, result: PassResult[LayerValues]) -> None:
        """Writes the results of the first pass over a part."""
        arrays = {"unreadable": np.array(result.unreadable, np.int64)}
        for k, layer in enumerate(self.about["layers"]):
            found = result.layers[layer]
            for name in HISTOGRAM:
                arrays[f"{k}:{name}"] = _smallest(getattr(found.histogram, name))
            arrays[f"{k}:values"] = found.best.values
            arrays |= {f"{k}:pictures": found.best.pictures, f"{k}:positions": found.best.positions}
        write_whole(self.path("values", part), encode(arrays))

    def write_counts(self, part: int, result: PassResult[UnitCounts]) -> None:
        """Writes the results of the second pass over a part."""
        arrays = {"unreadable": np.array(result.unreadable, np.int64)}
        for k, layer in enumerate(self.about["layers"]):
            found = result.layers[layer]
            arrays |= {f"{k}:{name}": _smallest(getattr(found, name)) for name in FIELDS}
            keys, counts = found.both.entries()
            arrays |= {f"{k}:keys": _smallest(keys), f"{k}:counts": _smallest(counts)}
            arrays[f"{k}:totals"] = np.array([found.pixels, found.pictures], np.int64)
        write_whole(self.path("counts", part), encode(arrays))

    def read_values(self, part: int, layers: Mapping[str, int]) -> PassResult[LayerValues] | None:
        """Returns the results of the first pass over a part; None for a missing or damaged file.

        layers: number of units by layer.
        """
        arrays = _arrays(self.path("values", part))
        try:
            result = PassResult[LayerValues]({}, arrays["unreadable"].tolist())
            for layer, units in layers.items():
                k, zero = self.about["layers"].index(layer), LayerValues.empty(units)
                found = {name: arrays[f"{k}:{name}"].reshape(getattr(zero.histogram, name).shape) for name in HISTOGRAM}
                best = {name: arrays[f"{k}:{name}"].reshape(getattr(zero.best, name).shape) for name in BEST_PICTURES}
                result.layers[layer] = LayerValues(TailHistogram(**found), TopK(**best))
        except (KeyError, ValueError, TypeError):
            return None
        return result

    def read_counts(
        self, part: int, layers: Mapping[str, int], labels: int, categories: int
    ) -> PassResult[UnitCounts] | None:
        """Returns the results of the second pass over a part; None for a missing or damaged file."""
        arrays = _arrays(self.path("counts", part))
        try:
            result = PassResult[UnitCounts]({}, arrays["unreadable"].tolist())
            for layer, units in layers.items():
                k, zero = self.about["layers"].index(layer), UnitCounts.zero(units, labels, categories)
                found = {name: arrays[f"{k}:{name}"].reshape(getattr(zero, name).shape) for name in FIELDS}
                both = PairCounts((units, labels), arrays[f"{k}:keys"], arrays[f"{k}:counts"])
                pixels, pictures = map(int, arrays[f"{k}:totals"])
                result.layers[layer] = UnitCounts(**found, both=both, pixels=pixels, pictures=pictures)
        except (KeyError, ValueError, TypeError):
            return None
        return result


def write_whole(path: Path, pieces: Iterable[bytes | memoryview]) -> None:
    """Writes a file that appears when it is complete. Raises OSError."""
    handle, part = tempfile.mkstemp(prefix=part_prefix(), dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(pieces)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(part, 0o644)
        os.replace(part, path)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise


def _smallest(counts: np.ndarray) -> np.ndarray:
    """Returns whole numbers of at least 0 in the smallest type that holds them."""
    most = int(counts.max(initial=0))
    return counts.astype(next(kind for kind in (np.int16, np.int32, np.int64) if most <= np.iinfo(kind).max))


def _arrays(path: Path) -> Mapping[str, np.ndarray]:
    """Returns the arrays of a file; none for a missing or damaged one."""
    try:
        return open_arrays(path)[0]
    except InnerwalkError:
        return {}
