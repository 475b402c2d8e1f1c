"""Saves and loads recordings: a folder with `recording.json` and safetensors files, read by memory map.

    recording.json                    everything but arrays, with the schema of schema.py
    activations-<hash>.safetensors    the maps of a method: tensor `<layer>` is texels (cells, H, W, 4) float32,
                                      `<layer>|peak` (C,) float32, and so on for other extras
    pictures-<hash>.safetensors       `input` and, where there is one, `answer`: (H, W, 3) uint8 sRGB

Data files are named by their content and `recording.json` is replaced last, so that a crash leaves the old recording or
the new one, never a mixture.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from . import safetensors
from .data_model import Maps, Network, Recording
from .errors import RecordingError
from .schema import (
    FORMAT,
    METHOD_NAME,
    SCHEMA,
    JsonFields,
    describe_network,
    describe_prediction,
    parse_maps_entry,
    parse_network,
    parse_prediction,
    read_json,
)

DOCUMENT = "recording.json"
FILE_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}-[0-9a-f]{24}\.safetensors")


def describe(recording: Recording, *, network: bool = True) -> dict[str, Any]:
    """The recording without arrays and maps, as JSON values for `restore`. network: whether the graph is included."""
    return {
        "format": FORMAT,
        "schema": SCHEMA,
        **({"network": describe_network(recording.network)} if network else {}),
        "input": recording.input_name,
        "prediction": describe_prediction(recording.prediction),
        "provenance": recording.provenance,
    }


def restore_network(document: Any, where: str) -> Network:
    """Parse the "network" of a description. Raises RecordingError."""
    return parse_network(JsonFields(document, f"{where}: network"))


def restore(
    document: Mapping[str, Any],
    picture: np.ndarray,
    answer: np.ndarray | None,
    where: str,
    network: Network | None = None,
) -> Recording:
    """Turn a description back into a recording without maps. Raises RecordingError.

    picture, answer: (H, W, 3) uint8 sRGB. network: the graph, if the description doesn't include it.
    """
    fields = JsonFields(document, where)
    return Recording(
        network=network or restore_network(fields.value.get("network"), where),
        input_name=fields.text("input"),
        picture=picture,
        prediction=parse_prediction(fields.object("prediction"), answer),
        provenance=fields.plain("provenance"),
    )


def save(recording: Recording, folder: Path | str, progress: Callable[[float], None] | None = None) -> Path:
    """Write a recording and replace the one in `folder`. Raises RecordingError; then the old one is unchanged.

    progress: called with the share that is written, 0..1.
    """
    folder = Path(folder)
    try:
        with _removed_on_error(folder):
            stale = _files_of(folder)
            document = describe(recording) | _save_arrays(recording, folder, progress or (lambda share: None))
            # file names may have bytes that are no text
            text = json.dumps(document, ensure_ascii=False, indent=1).encode(errors="replace")
            _write(folder, [text], lambda digest: DOCUMENT)
    except OSError as error:
        raise RecordingError(f"{folder}: can't write the recording ({error.strerror or error})") from None
    for name in stale - _files_of(folder):
        (folder / name).unlink(missing_ok=True)
    return folder


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


def _save_arrays(recording: Recording, folder: Path, progress: Callable[[float], None]) -> dict[str, Any]:
    pictures = {"input": recording.picture}
    if recording.prediction.picture is not None:
        pictures["answer"] = recording.prediction.picture
    saved: dict[str, Any] = {"pictures": _save_tensors(folder, "pictures", pictures), "maps": []}
    methods = sorted({method for _, method in recording.all_maps})
    for k, method in enumerate(methods):
        maps = [entry for entry in recording.all_maps.values() if entry.method == method]
        saved["maps"] += _save_method(folder, method, maps)
        progress((k + 1) / len(methods))
    return saved


def _save_method(folder: Path, method: str, all_maps: Iterable[Maps]) -> list[dict[str, Any]]:
    if not METHOD_NAME.fullmatch(method):
        raise RecordingError(f"method {method!r}: names are small letters, digits and _")
    arrays: dict[str, np.ndarray] = {}
    entries = []
    for maps in all_maps:
        entry, arrays_of_maps = describe_maps(maps)
        arrays.update(arrays_of_maps)
        entries.append(entry)
    name = _save_tensors(folder, method, arrays)
    return [entry | {"file": name} for entry in entries]


def _save_tensors(folder: Path, stem: str, arrays: Mapping[str, np.ndarray]) -> str:
    return _write(folder, safetensors.encode(arrays), lambda digest: f"{stem}-{digest}.safetensors")


def _write(folder: Path, pieces: Iterable[bytes | memoryview], name: Callable[[str], str]) -> str:
    """Write pieces to a temporary file and rename it to `name(hash)`; returns that name."""
    digest = hashlib.blake2b(digest_size=12)
    handle, part = tempfile.mkstemp(prefix=".part-", dir=folder)
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


def load(folder: Path | str) -> Recording:
    """Open a recording; its maps are views into memory maps, read when they are used. Raises RecordingError."""
    folder = Path(folder)
    folder = folder.parent if folder.name == DOCUMENT else folder
    document = read_json(folder / DOCUMENT)
    where = str(folder / DOCUMENT)
    fields = JsonFields(document, where)
    opened: dict[str, dict[str, np.ndarray]] = {}
    pictures = _arrays(folder, fields.text("pictures", 255), opened)
    recording = restore(document, _picture(pictures, "input", where), _answer(pictures, where), where)
    entries = fields.items("maps", lambda entry, place: parse_maps_entry(entry, place, recording.network))
    recording.add(
        restore_maps(entry, _arrays(folder, entry["file"], opened), str(folder / entry["file"])) for entry in entries
    )
    return recording


def _arrays(folder: Path, name: str, opened: dict[str, dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    if not FILE_NAME.fullmatch(name):
        raise RecordingError(f"{folder / DOCUMENT}: bad data file name {name!r}")
    if name not in opened:
        opened[name] = safetensors.open_arrays(folder / name)[0]
    return opened[name]


def _answer(pictures: Mapping[str, np.ndarray], where: str) -> np.ndarray | None:
    return _picture(pictures, "answer", where) if "answer" in pictures else None


def _picture(pictures: Mapping[str, np.ndarray], name: str, where: str) -> np.ndarray:
    picture = pictures.get(name)
    is_rgb = picture is not None and picture.ndim == 3 and picture.shape[2] == 3 and picture.dtype == np.uint8
    if picture is None or not is_rgb or not picture.size:
        raise RecordingError(f"{where}: picture {name!r} must be (H, W, 3) uint8, not empty")
    return picture


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
        "extras": sorted(extras),
    }
    return entry, {maps.layer: maps.texels, **{f"{maps.layer}|{name}": array for name, array in extras.items()}}


def restore_maps(entry: Mapping[str, Any], arrays: Mapping[str, np.ndarray], where: str) -> Maps:
    """Turn a description of maps, checked by `parse_maps_entry`, and its arrays back into Maps.

    arrays: named as in `describe_maps`, with texels (cells, H, W, 4) float32. Raises RecordingError.
    """
    values = {name: value for name, value in entry.items() if name not in ("file", "extras")}
    layer, channels, where = entry["layer"], entry["channels"], f"{where}: maps of {entry['layer']!r}"
    texels = _checked_texels(arrays.get(layer), where)
    if len(texels) != (channels if entry["colour"] else -(-channels // 4)):
        raise RecordingError(f"{where}: {len(texels)} cells don't hold {channels} channels")
    names = entry["extras"]
    extras = {name: arrays[key] for name in names if (key := f"{layer}|{name}") in arrays}
    if len(extras) != len(names):
        raise RecordingError(f"{where}: one of {', '.join(names)} is missing")
    if "peak" in extras and (extras["peak"].shape != (channels,) or extras["peak"].dtype != np.float32):
        raise RecordingError(f"{where}: peak must be ({channels},) float32")
    return Maps(texels=texels, extras=extras, **values)


def _checked_texels(texels: np.ndarray | None, where: str) -> np.ndarray:
    is_texels = texels is not None and texels.ndim == 4 and texels.shape[3] == 4 and texels.dtype == np.float32
    if texels is None or not is_texels or not texels.size:
        raise RecordingError(f"{where}: must be (cells, H, W, 4) float32, with no axis of size 0")
    return texels
