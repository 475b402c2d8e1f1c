"""Exports layers as files that other programs read: pictures, values, a table of statistics, and their provenance.

export.json            what was recorded and how it was coloured; the name of each layer's files; what columns mean
channels.csv           a row for each channel
values.safetensors     the values by layer id, (C, H, W) or (C, H, W, 3) float32, as they are
sheets/<layer>.png     all channels in the colours of the hall, 8 bits
channels/<layer>/<channel>.png   each channel, 16 bits from its smallest to its largest value, which the table holds
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...torch_bridge.recording import Layer, Maps, safetensors
from ...torch_bridge.recording.csv_tables import csv_text
from . import channel_images, statistics
from .channel_images import Colouring

COLUMNS = {
    "layer": "id of the layer",
    "channel": "number of the channel, from 0",
    "label": "what the channel stands for, where the method says so",
    "file": "its picture: value = least + pixel / 65535 * (most - least); values that are not finite are 0 there",
    "height": "values from top to bottom",
    "width": "values from left to right",
    "least": "smallest finite value, in the layer's own unit; nan where there is none",
    "most": "largest finite value",
    "mean": "of the finite values",
    "deviation": "standard deviation of the finite values, divided by their count",
    "peak": "what the hall divides the values of this channel by before it colours them, without the gain",
    "zeros": "share of finite values that are 0, 0 to 1",
    "below": "share of finite values below 0, 0 to 1",
    "sparsity": "share of finite values that are 0 or less: 0 after a ReLU of what is shown, 0 to 1",
    "dead": "1 where no finite value is above 0, else 0",
    "nan": "count of values that are NaN; a hall keeps infinite ones as NaN too",
    "infinite": "count of values that are infinite",
}
FORMAT = "innerwalk export 1"


@dataclass(frozen=True)
class ExportLayer:
    """A layer to export, with its maps."""

    layer: Layer
    maps: Maps
    scales: np.ndarray
    """Divisor of each channel's values in the hall, (C,)."""
    name: str
    """Name of the layer's files."""


def write_export(
    folder: Path, contents: Sequence[ExportLayer], look: Colouring, about: Mapping[str, Any]
) -> Iterator[tuple[str, float]]:
    """Fills an empty folder; yields (current step, share done 0..1) often enough to keep an interface responsive.

    about: JSON values that describe the source of the maps. Raises OSError.
    """
    total, done = sum(content.maps.channels for content in contents) or 1, 0
    with (folder / "channels.csv").open("w", encoding="utf-8", newline="") as file:
        file.write(csv_text([COLUMNS]))
        for content in contents:
            found = statistics.channel_statistics(statistics.channel_rows(content.maps))
            file.write(csv_text(_rows(content, found)))
            for share in _pictures(folder, content, found, look):
                yield content.layer.id, 0.9 * (done + share * content.maps.channels) / total
            done += content.maps.channels
    for piece in _values(contents, folder / "values.safetensors"):
        yield "values", 0.9 + 0.1 * piece
    text = json.dumps(_manifest(contents, look, about), ensure_ascii=False, indent=1)
    (folder / "export.json").write_bytes(text.encode(errors="replace"))


def channel_path(content: ExportLayer, channel: int) -> str:
    """Returns the path of a channel's picture within the export folder, with forward slashes."""
    digits = max(4, len(str(max(content.maps.numbers))))
    return f"channels/{content.name}/{channel:0{digits}d}.png"


def _pictures(folder: Path, content: ExportLayer, found: statistics.Statistics, look: Colouring) -> Iterator[float]:
    """Writes the sheet and each channel; yields the share of the layer that is done."""
    maps = content.maps
    (folder / "channels" / content.name).mkdir(parents=True)
    (folder / "sheets").mkdir(exist_ok=True)
    for _ in _write_pieces(
        folder / "sheets" / f"{content.name}.png", channel_images.encode_sheet(maps, content.scales, look)
    ):
        yield 0.0
    for index, channel in enumerate(maps.numbers):
        values, (low, high) = channel_images.channel_values(maps, index), (found.low[index], found.high[index])
        for _ in _write_pieces(
            folder / channel_path(content, channel), channel_images.encode_channel(values, low, high)
        ):
            yield (index + 1) / maps.channels


def _write_pieces(path: Path, pieces: Iterable[bytes | memoryview]) -> Iterator[None]:
    """Writes a file piece by piece."""
    with path.open("wb") as file:
        for piece in pieces:
            file.write(piece)
            yield


def _values(contents: Sequence[ExportLayer], path: Path) -> Iterator[float]:
    arrays = {content.layer.id: content.maps.data for content in contents}
    pieces = safetensors.encode(arrays, {"method": contents[0].maps.method, "format": FORMAT})
    for number, _ in enumerate(_write_pieces(path, pieces)):
        yield number / len(arrays)


def _rows(content: ExportLayer, found: statistics.Statistics) -> Iterator[list[object]]:
    maps, (_, height, width) = content.maps, content.maps.shape
    columns = (
        found.low,
        found.high,
        found.mean,
        found.deviation,
        content.scales,
        found.share_of_zeros,
        found.share_below,
        found.sparsity,
        found.dead.astype(int),
        found.nan,
        found.infinite,
    )
    numbers = zip(*(column.tolist() for column in columns), strict=True)
    labels = maps.labels or [""] * maps.channels
    for channel, label, row in zip(maps.numbers, labels, numbers, strict=True):
        yield [content.layer.id, channel, label, channel_path(content, channel), height, width, *row]


def _manifest(contents: Sequence[ExportLayer], look: Colouring, about: Mapping[str, Any]) -> dict[str, Any]:
    layers = [
        {
            "layer": content.layer.id,
            "name": content.name,
            "operation": content.layer.kind,
            "note": content.layer.note,
            "shows": content.maps.place,
            "maps_note": content.maps.note,
            "shape": list(content.maps.shape),
            "channel_numbers": list(content.maps.numbers),
            "colour": content.maps.colour,
            "parameters": content.layer.parameters,
        }
        for content in contents
    ]
    colours = {"theme": look.theme, "colour_map": look.colour_map, "gain": look.gain}
    return {"format": FORMAT, **about, "colours": colours, "columns": COLUMNS, "layers": layers}
