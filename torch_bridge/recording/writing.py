"""Writes the folder of a recording; a crash leaves the old recording or the new one, never a mixture.

Data files are named by their content and `recording.json` is replaced last. `storage.py` describes the files.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from . import safetensors
from .charts import describe_chart
from .data_model import Maps
from .errors import RecordingError
from .part_files import has_parts, part_prefix, remove_stale_parts
from .schema import METHOD_NAME, read_json

DOCUMENT, SERIES_DOCUMENT = "recording.json", "series.json"
FILE_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}-[0-9a-f]{24}\.safetensors")


def write_recording(
    folder: Path,
    description: Mapping[str, Any],
    pictures: Mapping[str, np.ndarray],
    all_maps: Iterable[Maps],
    progress: Callable[[float], None],
    overwrite: bool = False,
    half: bool = False,
) -> None:
    """Write a recording and replace the one in `folder`. Raises RecordingError; then the old one is unchanged.

    pictures: (H, W, 3) uint8 sRGB by name. progress: called with the share that is written, 0..1. overwrite: replace
    also a document that is no recording, or that may not be written. half: as in `save_maps`.
    """
    if os.path.lexists(folder / SERIES_DOCUMENT):  # whose files would be removed as those of no recording
        raise RecordingError(f"{folder}: it holds a series; choose another folder for the recording")
    if not overwrite:
        _check_replaceable(folder / DOCUMENT)
    try:
        with _removed_on_error(folder):
            remove_stale_parts(folder)
            with tempfile.NamedTemporaryFile(prefix=part_prefix(), dir=folder):  # others see that this one writes
                saved: dict[str, Any] = {
                    "pictures": save_tensors(folder, "pictures", pictures),
                    "maps": save_maps(folder, all_maps, progress, half),
                }
                # file names may have bytes that are no text
                text = json.dumps({**description, **saved}, ensure_ascii=False, indent=1).encode(errors="replace")
                write_pieces(folder, [text], lambda digest: DOCUMENT)
    except OSError as error:
        raise RecordingError(f"{folder}: can't write the recording ({error.strerror or error})") from None
    if not has_parts(folder):  # else another process writes here, and its files are in no document yet
        _remove_surplus(folder, {saved["pictures"], *(entry["file"] for entry in saved["maps"])})


def _remove_surplus(folder: Path, saved: set[str]) -> None:
    """Removes the data files of the former recording, or of a run that was killed."""
    for name in set(os.listdir(folder)) - saved - _files_of(folder):
        if FILE_NAME.fullmatch(name):
            (folder / name).unlink(missing_ok=True)


def _check_replaceable(document: Path) -> None:
    """Raises RecordingError for a file that is no recording of ours, or that its owner protects."""
    if not os.path.lexists(document):
        return
    other = "choose another folder, or --overwrite (in Python overwrite=True) to replace it"
    try:
        read_json(document)
    except RecordingError as error:
        raise RecordingError(f"{error}; {other}") from None
    if not document.stat().st_mode & stat.S_IWUSR or not os.access(document, os.W_OK):  # root may write everything
        raise RecordingError(f"{document}: it is read-only; {other}")


@contextmanager
def _removed_on_error(folder: Path) -> Iterator[None]:
    """Create a folder if it is missing; on an error remove the files that were added, and the folder if it is new."""
    is_new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    before = set(os.listdir(folder))
    try:
        yield
    except BaseException:
        for name in set(os.listdir(folder)) - before - _files_of(folder):
            if FILE_NAME.fullmatch(name):
                (folder / name).unlink(missing_ok=True)
        if is_new and not os.listdir(folder):
            folder.rmdir()
        raise


def save_maps(
    folder: Path, all_maps: Iterable[Maps], progress: Callable[[float], None], half: bool = False
) -> list[dict[str, Any]]:
    """Write maps, a file for each method; returns their entries in a recording's document. Raises RecordingError.

    half: round the texels by `to_half`.
    """
    by_method: dict[str, list[Maps]] = {}
    for maps in all_maps:
        by_method.setdefault(maps.method, []).append(maps)
    entries: list[dict[str, Any]] = []
    for k, method in enumerate(sorted(by_method)):
        entries += _save_method(folder, method, by_method[method], half)
        progress((k + 1) / len(by_method))
    return entries


def _save_method(folder: Path, method: str, all_maps: Iterable[Maps], half: bool) -> list[dict[str, Any]]:
    if not METHOD_NAME.fullmatch(method):
        raise RecordingError(f"method {method!r}: names are small letters, digits and _")
    arrays: dict[str, np.ndarray] = {}
    entries = []
    for maps in all_maps:
        entry, arrays_of_maps = describe_maps(maps)
        arrays.update(arrays_of_maps)
        if half:
            arrays[maps.layer] = to_half(maps.texels)
        entries.append(entry)
    name = save_tensors(folder, method, arrays)
    return [entry | {"file": name} for entry in entries]


def to_half(texels: np.ndarray) -> np.ndarray:
    """Returns texels (cells, H, W, 4) float32 as float16: off by at most 2^-11 of each value, or by 2^-25 near 0.

    They are returned unchanged where that would show: if a finite value is beyond 65,504, or if all values of a channel
    are below 2^-14 without being 0.
    """
    greatest = np.where(np.isfinite(texels), np.abs(texels), np.float32(0)).max((1, 2))
    limits = np.finfo(np.float16)
    fits = (greatest == 0) | ((greatest >= limits.smallest_normal) & (greatest <= limits.max))
    return texels.astype(np.float16) if fits.all() else texels


def save_tensors(folder: Path, stem: str, arrays: Mapping[str, np.ndarray]) -> str:
    """Write arrays of any shape to a safetensors file that is named by its stem and content; returns that name."""
    return write_pieces(folder, safetensors.encode(arrays), lambda digest: f"{stem}-{digest}.safetensors")


def write_pieces(folder: Path, pieces: Iterable[bytes | memoryview], name: Callable[[str], str]) -> str:
    """Write pieces to a temporary file and rename it to `name(hash)`; returns that name."""
    digest = hashlib.blake2b(digest_size=12)
    handle, part = tempfile.mkstemp(prefix=part_prefix(), dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            for piece in pieces:
                digest.update(piece)
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(part, 0o644)
        final = name(digest.hexdigest())
        os.replace(part, folder / final)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise
    return final


def _files_of(folder: Path) -> set[str]:
    """Names of the data files of the recording in a folder; none if there is no readable recording."""
    try:
        document = read_json(folder / DOCUMENT)
    except RecordingError:
        return set()
    entries = document["maps"] if isinstance(document.get("maps"), list) else []
    names = [document.get("pictures"), *(entry.get("file") for entry in entries if isinstance(entry, dict))]
    return {name for name in names if isinstance(name, str) and FILE_NAME.fullmatch(name)}


def describe_maps(maps: Maps) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Maps without arrays as JSON values, and the arrays by name.

    The arrays are `<layer>`, the texels (cells, H, W, 4) float32, and `<layer>|<name>`, the extras.
    """
    extras = {"peak": maps.peak, **maps.extras}
    entry = {
        "layer": maps.layer,
        "method": maps.method,
        "channels": maps.channels,
        "colour": maps.colour,
        "frame": maps.frame,
        "labels": list(maps.labels),
        "position": maps.position,
        "positions": maps.positions,
        "axis": maps.axis,
        "channel_numbers": list(maps.channel_numbers),
        "note": maps.note,
        "charts": [*map(describe_chart, maps.charts)],
        "extras": sorted(extras),
    }
    return entry, {maps.layer: maps.texels, **{f"{maps.layer}|{name}": array for name, array in extras.items()}}
