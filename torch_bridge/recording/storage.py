"""A recording on disk: a folder with `recording.json` and safetensors files, read by memory map.

    recording.json                    everything but arrays; the schema is told in schema.py
    activations-<hash>.safetensors    a method's maps: tensor `<layer>` holds texels (cells, H, W, 4) float32,
                                      `<layer>|peak` (C,) float32, and so on for other extras
    pictures-<hash>.safetensors       `input` and, where there is one, `answer`: (H, W, 3) uint8 sRGB

Files are named by their content and `recording.json` is replaced last, so that a crash leaves the old recording or the
new one, never a mixture.
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
from .errors import RecordingError
from .model import (
    Maps,
    Network,
    Recording,
)
from .schema import (
    FORMAT,
    METHOD_NAME,
    SCHEMA,
    Fields,
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
    """Everything but arrays and maps, as JSON values; `restore` turns it back. network: whether it is told too."""
    return {
        "format": FORMAT,
        "schema": SCHEMA,
        **({"network": describe_network(recording.network)} if network else {}),
        "input": recording.input_name,
        "prediction": describe_prediction(recording.prediction),
        "provenance": recording.provenance,
    }


def restore_network(document: Any, where: str) -> Network:
    """What `describe` gives as "network", checked. Raises RecordingError."""
    return parse_network(Fields(document, f"{where}: network"))


def restore(
    document: Mapping[str, Any], picture: np.ndarray, answer: np.ndarray | None, where: str,
    network: Network | None = None,
) -> Recording:  # fmt: skip
    """What `describe` gave, as a recording without maps. Pictures: (H, W, 3) uint8. Raises RecordingError.

    network: where the document doesn't tell it, because it is known.
    """
    fields = Fields(document, where)
    return Recording(
        network=network or restore_network(fields.value.get("network"), where),
        input_name=fields.text("input"),
        picture=picture,
        prediction=parse_prediction(fields.object("prediction"), answer),
        provenance=fields.plain("provenance"),
    )


def save(recording: Recording, folder: Path | str, progress: Callable[[float], None] | None = None) -> Path:
    """Write a recording, replacing the one in `folder`. Raises RecordingError; then the old one is still whole."""
    folder = Path(folder)
    try:
        with _all_or_nothing(folder):
            stale = _files_of(folder)
            document = describe(recording) | _save_arrays(recording, folder, progress or (lambda share: None))
            text = json.dumps(document, ensure_ascii=False, indent=1).encode(errors="replace")  # names of odd files
            _write(folder, [text], lambda digest: DOCUMENT)
    except OSError as error:
        raise RecordingError(f"{folder}: can't write the recording ({error.strerror or error})") from None
    for name in stale - _files_of(folder):
        (folder / name).unlink(missing_ok=True)
    return folder


@contextmanager
def _all_or_nothing(folder: Path) -> Iterator[None]:
    """Make a folder where there is none; what came into it before something failed is taken out again."""
    made = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    before = set(os.listdir(folder))
    try:
        yield
    except BaseException:
        for name in set(os.listdir(folder)) - before - _files_of(folder):
            if FILE_NAME.fullmatch(name):
                (folder / name).unlink(missing_ok=True)
        if made and not os.listdir(folder):
            folder.rmdir()
        raise


def _save_arrays(recording: Recording, folder: Path, progress: Callable[[float], None]) -> dict[str, Any]:
    pictures = {"input": recording.picture}
    if recording.prediction.picture is not None:
        pictures["answer"] = recording.prediction.picture
    saved: dict[str, Any] = {"pictures": _save_tensors(folder, "pictures", pictures), "maps": []}
    methods = sorted({method for _, method in recording.all_maps})
    for k, method in enumerate(methods):
        maps = [one for one in recording.all_maps.values() if one.method == method]
        saved["maps"] += _save_method(folder, method, maps)
        progress((k + 1) / len(methods))
    return saved


def _save_method(folder: Path, method: str, maps: Iterable[Maps]) -> list[dict[str, Any]]:
    if not METHOD_NAME.fullmatch(method):
        raise RecordingError(f"method {method!r}: names are small letters, digits and _")
    arrays, entries = {}, []
    for one in maps:
        entry, held = describe_maps(one)
        arrays.update(held)
        entries.append(entry)
    name = _save_tensors(folder, method, arrays)
    return [entry | {"file": name} for entry in entries]


def _save_tensors(folder: Path, stem: str, arrays: Mapping[str, np.ndarray]) -> str:
    return _write(folder, safetensors.encode(arrays), lambda digest: f"{stem}-{digest}.safetensors")


def _write(folder: Path, pieces: Iterable[bytes | memoryview], name: Callable[[str], str]) -> str:
    """Write pieces beside the place and move them there under the name that their hash gives, all or nothing."""
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
    """Data files that the recording in a folder names; none where there is no readable one."""
    try:
        document = read_json(folder / DOCUMENT)
    except RecordingError:
        return set()
    entries = document["maps"] if isinstance(document.get("maps"), list) else []
    names = [document.get("pictures"), *(entry.get("file") for entry in entries if isinstance(entry, dict))]
    return {name for name in names if isinstance(name, str) and FILE_NAME.fullmatch(name)}


def load(folder: Path | str) -> Recording:
    """Open a recording: maps are views into memory maps, nothing is read until it is used. Raises RecordingError."""
    folder = Path(folder)
    folder = folder.parent if folder.name == DOCUMENT else folder
    document = read_json(folder / DOCUMENT)
    where, fields = str(folder / DOCUMENT), Fields(document, str(folder / DOCUMENT))
    opened: dict[str, dict[str, np.ndarray]] = {}
    pictures = _arrays(folder, fields.text("pictures", 255), opened)
    recording = restore(document, _picture(pictures, "input", where), _answer(pictures, where), where)
    entries = fields.items("maps", lambda item, at: parse_maps_entry(item, at, recording.network))
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
    found = pictures.get(name)
    if found is None or found.dtype != np.uint8 or found.ndim != 3 or found.shape[2] != 3 or 0 in found.shape:
        raise RecordingError(f"{where}: picture {name!r} must be (H, W, 3) uint8")
    return found


def describe_maps(one: Maps) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Everything but arrays as JSON values, and the arrays: texels as `<layer>`, extras as `<layer>|<name>`."""
    extras = {"peak": one.peak, **one.extras}
    entry = {"layer": one.layer, "method": one.method, "channels": one.channels, "colour": one.colour}
    arrays = {one.layer: one.texels, **{f"{one.layer}|{name}": array for name, array in extras.items()}}
    return entry | {"frame": one.frame, "labels": list(one.labels), "extras": sorted(extras)}, arrays


def restore_maps(entry: Mapping[str, Any], arrays: Mapping[str, np.ndarray], where: str) -> Maps:
    """What `describe_maps` gave, the entry checked by `parse_maps_entry`, as Maps. Raises RecordingError."""
    given = {name: value for name, value in entry.items() if name not in ("file", "extras")}
    where, layer, names = f"{where}: maps of {given['layer']!r}", given["layer"], entry["extras"]
    texels = arrays.get(layer)
    if texels is None or texels.dtype != np.float32 or texels.ndim != 4 or texels.shape[3] != 4 or not texels.size:
        raise RecordingError(f"{where}: must be (cells, H, W, 4) float32, none of them 0")
    if len(texels) != (given["channels"] if given["colour"] else -(-given["channels"] // 4)):
        raise RecordingError(f"{where}: {len(texels)} cells don't hold {given['channels']} channels")
    extras = {name: arrays[key] for name in names if (key := f"{layer}|{name}") in arrays}
    if len(extras) != len(names):
        raise RecordingError(f"{where}: one of {', '.join(names)} is missing")
    if "peak" in extras and (extras["peak"].shape != (given["channels"],) or extras["peak"].dtype != np.float32):
        raise RecordingError(f"{where}: peak must be ({given['channels']},) float32")
    return Maps(texels=texels, extras=extras, **given)
