"""Opens recordings: a folder with `recording.json` and safetensors files, read by memory map.

    recording.json                    everything but arrays, with the schema of schema.py
    activations-<hash>.safetensors    the maps of a method: tensor `<layer>` is texels (cells, H, W, 4) float32,
                                      `<layer>|peak` (C,) float32, and so on for other extras
    pictures-<hash>.safetensors       `input` and, where there is one, `answer`: (H, W, 3) uint8 sRGB

`writing.py` writes these files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from . import safetensors
from .data_model import LINK_PREFIX, Maps, Network
from .errors import RecordingError
from .recording import Recording
from .schema import JsonFields, parse_maps_entry, parse_network, parse_prediction, read_json
from .writing import DOCUMENT, FILE_NAME

EXTRAS: dict[str, tuple[tuple[int | str, ...], type]] = {
    "peak": (("C",), np.float32),
    "values": (("C",), np.float32),
    "flags": (("C",), np.int32),
    "boxes": (("n", 6), np.float32),
    "curve": (("C", "n"), np.float32),
    "samples": ((2,), np.int32),
    LINK_PREFIX: (("n", 3), np.float32),
}
"""Name of an extra of `Maps` -> its shape, of C channels and any number n, and its dtype."""


def save(recording: Recording, folder: Path | str, progress: Callable[[float], None] | None = None) -> Path:
    """Write a recording: the same as its own `save`. Raises RecordingError; then the old one is unchanged."""
    return recording.save(folder, progress)


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


def load(folder: Path | str) -> Recording:
    """Open a recording; its maps are views into memory maps, read when they are used. Raises RecordingError."""
    folder = Path(folder)
    folder = folder.parent if folder.name == DOCUMENT else folder
    document = read_json(folder / DOCUMENT)
    where = str(folder / DOCUMENT)
    fields = JsonFields(document, where)
    opened: dict[str, dict[str, np.ndarray]] = {}
    pictures = _arrays(folder, fields.text("pictures", 255), opened)
    recording = restore(document, read_picture(pictures, "input", where), _answer(pictures, where), where)
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
    return read_picture(pictures, "answer", where) if "answer" in pictures else None


def read_picture(pictures: Mapping[str, np.ndarray], name: str, where: str) -> np.ndarray:
    """The picture of a name, (H, W, 3) uint8 sRGB. Raises RecordingError if it is missing or of another kind."""
    picture = pictures.get(name)
    is_rgb = picture is not None and picture.ndim == 3 and picture.shape[2] == 3 and picture.dtype == np.uint8
    if picture is None or not is_rgb or not picture.size:
        raise RecordingError(f"{where}: picture {name!r} must be (H, W, 3) uint8, not empty")
    return picture


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
    for name, array in extras.items():
        _check_extra(name, array, channels, where)
    return Maps(texels=texels, extras=extras, **values)


def _checked_texels(texels: np.ndarray | None, where: str) -> np.ndarray:
    is_texels = texels is not None and texels.ndim == 4 and texels.shape[3] == 4 and texels.dtype == np.float32
    if texels is None or not is_texels or not texels.size:
        raise RecordingError(f"{where}: must be (cells, H, W, 4) float32, with no axis of size 0")
    return texels


def _check_extra(name: str, array: np.ndarray, channels: int, where: str) -> None:
    """Raises RecordingError for an extra that `Maps` documents, of another shape or dtype or about other channels."""
    kind = LINK_PREFIX if name.startswith(LINK_PREFIX) else name
    if kind not in EXTRAS:
        return
    sizes, dtype = EXTRAS[kind]
    shape = tuple(channels if size == "C" else size for size in sizes)
    is_alike = array.ndim == len(shape) and all(
        size in ("n", found) for size, found in zip(shape, array.shape, strict=True)
    )
    if not is_alike or array.dtype != dtype:
        raise RecordingError(f"{where}: {name} must be ({', '.join(map(str, shape))}) {np.dtype(dtype)}")
    if kind in (LINK_PREFIX, "boxes") and not _are_about(array, channels):
        raise RecordingError(f"{where}: {name} must be finite, and about channels 0 to {channels - 1}")


def _are_about(rows: np.ndarray, channels: int) -> bool:
    """Whether rows (n, columns) are finite numbers that begin with one of so many channels."""
    return bool(np.isfinite(rows).all() and ((rows[:, 0] >= 0) & (rows[:, 0] < channels)).all())
