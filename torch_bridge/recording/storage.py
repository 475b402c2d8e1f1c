"""Opens recordings: a folder with `recording.json` and safetensors files, read by memory map.

    recording.json                    everything but arrays, with the schema of schema.py
    activations-<hash>.safetensors    the maps of a method: tensor `<layer>` is texels (cells, H, W, 4) float32 or 16,
                                      `<layer>|peak` (C,) float32, and so on for other extras
    pictures-<hash>.safetensors       `input` and, where there is one, `answer`: (H, W, 3) uint8 sRGB; pixels of inputs
                                      and outputs that are others: (n, H, W, 3)

`writing.py` writes these files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from . import safetensors
from .channels import format_channels
from .data_model import LINK_PREFIX, Maps, Network
from .endpoints import MAX_PIXELS, PIXEL_KINDS
from .errors import RecordingError
from .maps_entries import parse_maps_entry
from .recording import Recording
from .schema import JsonFields, parse_endpoints, parse_network, parse_prediction, read_json
from .writing import DOCUMENT, FILE_NAME

PICTURES_RANK = 4
"""Axes of several pictures in one array: (n, H, W, 3)."""
FLOATS = (np.float32, np.float16)
"""What texels are stored as; in memory they are float32."""
EXTRAS: dict[str, tuple[tuple[int | str, ...], type]] = {
    "peak": (("C",), np.float32),
    "values": (("C",), np.float32),
    "flags": (("C",), np.int32),
    "category": (("C",), np.int32),
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
    document: Mapping[str, Any], pictures: Mapping[str, np.ndarray], where: str, network: Network | None = None
) -> Recording:
    """Turn a description back into a recording without maps. Raises RecordingError.

    pictures: (H, W, 3) or (n, H, W, 3) uint8 by name, as `read_pictures` gives them; inputs and outputs whose pixels
    aren't among them get none. network: the graph, if the description doesn't include it.
    """
    fields = JsonFields(document, where)
    network = network or restore_network(fields.value.get("network"), where)
    answer = _one_picture(pictures, "answer", where) if "answer" in pictures else None
    batches = {name: picture if picture.ndim == PICTURES_RANK else picture[None] for name, picture in pictures.items()}
    return Recording(
        network=network,
        input_name=fields.text("input"),
        picture=_one_picture(pictures, "input", where),
        prediction=parse_prediction(fields.object("prediction"), answer),
        provenance=fields.plain("provenance"),
        inputs=parse_endpoints(fields, "input", network, batches),
        outputs=parse_endpoints(fields, "output", network, batches),
    )


def load(folder: Path | str) -> Recording:
    """Open a recording; its maps are views into memory maps, read when they are used. Raises RecordingError.

    Maps that are stored as float16 are read at once, as float32.

    If another replaces it meanwhile, that one is opened.
    """
    folder = Path(folder)
    folder = folder.parent if folder.name == DOCUMENT else folder
    document = read_json(folder / DOCUMENT)
    try:
        return _load(folder, document)
    except RecordingError:
        newer = read_json(folder / DOCUMENT)
        if newer == document:
            raise
        return _load(folder, newer)


def _load(folder: Path, document: dict[str, Any]) -> Recording:
    return restore_files(folder, document, str(folder / DOCUMENT))


def restore_files(folder: Path, document: dict[str, Any], where: str, network: Network | None = None) -> Recording:
    """Open the files of a recording's document, as `load` does. Raises RecordingError.

    network: the graph, if the document doesn't include it.
    """
    fields = JsonFields(document, where)
    opened: dict[str, dict[str, np.ndarray]] = {}
    arrays = _arrays(folder, fields.text("pictures", 255), opened, where)
    recording = restore(document, read_pictures(arrays, where), where, network)
    for endpoint in (*recording.inputs, *recording.outputs):
        if endpoint.kind in PIXEL_KINDS and endpoint.pixels is None:
            raise RecordingError(f"{where}: the pixels of {endpoint.layer!r} are missing; record it again")
    entries = fields.items("maps", lambda entry, place: parse_maps_entry(entry, place, recording.network))
    recording.add(
        restore_maps(entry, _arrays(folder, entry["file"], opened, where), str(folder / entry["file"]))
        for entry in entries
    )
    return recording


def _arrays(folder: Path, name: str, opened: dict[str, dict[str, np.ndarray]], where: str) -> dict[str, np.ndarray]:
    if not FILE_NAME.fullmatch(name):
        raise RecordingError(f"{where}: bad data file name {name!r}")
    if name not in opened:
        opened[name] = safetensors.open_arrays(folder / name)[0]
    return opened[name]


def read_pictures(arrays: Mapping[str, np.ndarray], where: str) -> dict[str, np.ndarray]:
    """Check the pictures of a recording, by name: (H, W, 3) or (n, H, W, 3) uint8 sRGB. Raises RecordingError."""
    for name, picture in arrays.items():
        is_rgb = picture.ndim in (PICTURES_RANK - 1, PICTURES_RANK) and picture.shape[-1] == 3
        if not is_rgb or picture.dtype != np.uint8 or not 0 < picture.size // 3 <= MAX_PIXELS:
            wanted = f"(H, W, 3) or (n, H, W, 3) uint8, with 1 to {MAX_PIXELS:,} pixels"
            raise RecordingError(f"{where}: picture {name!r} must be {wanted}")
    return dict(arrays)


def _one_picture(pictures: Mapping[str, np.ndarray], name: str, where: str) -> np.ndarray:
    picture = pictures.get(name)
    if picture is None or picture.ndim == PICTURES_RANK:
        raise RecordingError(f"{where}: picture {name!r} must be one (H, W, 3) uint8")
    return picture


def restore_maps(entry: Mapping[str, Any], arrays: Mapping[str, np.ndarray], where: str) -> Maps:
    """Turn a description of maps, checked by `parse_maps_entry`, and its arrays back into Maps.

    arrays: named as in `describe_maps`, with texels (cells, H, W, 4), float32 or float16. Raises RecordingError.
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
    maps = Maps(texels=texels, extras=extras, **values)
    for name, array in extras.items():
        _check_extra(name, array, maps.numbers, where)
    return maps


def _checked_texels(texels: np.ndarray | None, where: str) -> np.ndarray:
    is_texels = texels is not None and texels.ndim == 4 and texels.shape[3] == 4 and texels.dtype in FLOATS
    if texels is None or not is_texels or not texels.size:
        raise RecordingError(f"{where}: must be (cells, H, W, 4) float32 or float16, with no axis of size 0")
    return texels.astype(np.float32, copy=False)


def _check_extra(name: str, array: np.ndarray, channels: Sequence[int], where: str) -> None:
    """Raises RecordingError for an extra that `Maps` documents, of another shape or dtype or about other channels.

    channels: numbers of those that have a map.
    """
    kind = LINK_PREFIX if name.startswith(LINK_PREFIX) else name
    if kind not in EXTRAS:
        return
    sizes, dtype = EXTRAS[kind]
    shape = tuple(len(channels) if size == "C" else size for size in sizes)
    is_alike = array.ndim == len(shape) and all(
        size in ("n", found) for size, found in zip(shape, array.shape, strict=True)
    )
    if not is_alike or array.dtype != dtype:
        raise RecordingError(f"{where}: {name} must be ({', '.join(map(str, shape))}) {np.dtype(dtype)}")
    if kind in (LINK_PREFIX, "boxes") and not _are_about(array, channels):
        raise RecordingError(f"{where}: {name} must be finite, and about channels {format_channels(channels)}")


def _are_about(rows: np.ndarray, channels: Sequence[int]) -> bool:
    """Whether rows (n, columns) are finite numbers that begin with one of the channels."""
    return bool(np.isfinite(rows).all() and np.isin(rows[:, 0], channels).all())
