"""Draws the sheet of activation maximisation in the documentation: channels of early to late layers, and classes.

python -m innerwalk.torch_bridge.synthesis.make_maximisation_sheet docs/synthesis.png

The weights of real networks are searched in INNERWALK_DATA; without it the sheet shows only the network shipped here.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from ..methods import METHODS, parse_parameters
from ..server.allocator import keep_memory
from ..server.config import serve_config
from ..server.loaded_model import LoadedModel
from ..server.priority_lock import PriorityLock

TILE, GAP, MARGIN, HEAD, FOOT = 112, 4, 92, 30, 16
COLUMNS = 8
STILL = {"preset": "fourier2017", "steps": 256}
"""Parameters of pictures that need not be quick."""
PAPER, INK, FAINT = 250, 40, 120


class SheetRow(NamedTuple):
    """Some channels of a layer."""

    label: str
    layer: str
    channels: tuple[int, ...] = ()
    """Channels or classes; () for COLUMNS channels at equal distances."""
    method: str = "maximisation"


class SheetNetwork(NamedTuple):
    """A network and its rows."""

    title: str
    spec: str
    rows: tuple[SheetRow, ...]


CLASSES = (1, 88, 130, 323, 340, 817, 950, 980)
SHIPPED = (
    SheetNetwork(
        "object, the network that comes along: 64 px", "object",
        (
            SheetRow("kernels", "stem.norm", method="weights"), SheetRow("stage 1", "stage1.1:add"),
            SheetRow("stage 2", "stage2.1:add"), SheetRow("stage 3", "stage3.1:add"),
            SheetRow("classes", "fc", tuple(range(6))),
        ),
    ),
)  # fmt: skip
REAL = (
    SheetNetwork(
        "SqueezeNet 1.0, ImageNet: 224 px", "squeezenet1_0={data}/weights/squeezenet1_0_imagenet.safetensors",
        (
            SheetRow("fire 2", "features.3.expand3x3"), SheetRow("fire 5", "features.7.expand3x3"),
            SheetRow("fire 9", "features.12.expand3x3"), SheetRow("classes", "classifier.1", CLASSES),
        ),
    ),
    SheetNetwork(
        "MobileNet V2, ImageNet: 225 px", "mobilenet_v2={data}/weights/mobilenet_v2_imagenet.safetensors",
        (
            SheetRow("block 3", "features.3.conv.3"), SheetRow("block 10", "features.10.conv.3"),
            SheetRow("block 17", "features.17.conv.3"), SheetRow("classes", "classifier.1", CLASSES),
        ),
    ),
)  # fmt: skip
"""Classes: goldfish, macaw, flamingo, monarch, zebra, sports car, orange, volcano."""


def rows_of(net: SheetNetwork, data: str) -> Iterator[tuple[SheetRow, list[np.ndarray], list[str]]]:
    """Yields each row with its pictures (H, W, 3) sRGB 0..1 and their names."""
    [(name, spec)] = serve_config([net.spec.format(data=data)]).networks.items()
    live = LoadedModel(name, spec, torch.device("cpu"), PriorityLock())
    live.record(live.read(live.default_sources), (), lambda maps: None)
    for row in net.rows:
        count = live.run_context.network.layer(row.layer).map_shape[0]
        channels = row.channels or tuple(range(0, count, count // COLUMNS))[:COLUMNS]
        names = live.subject.names.of(count) if row.label == "classes" else [str(number) for number in range(count)]
        yield row, _pictures(live, row, channels), [names[channel] for channel in channels]


def _pictures(live: LoadedModel, row: SheetRow, channels: Sequence[int]) -> list[np.ndarray]:
    """Makes the pictures, or reads the kernels."""
    method, values = METHODS[row.method], STILL if row.method == "maximisation" else {}
    *_, last = live.run_method(method, [row.layer], parse_parameters(method, values), None, channels=channels)
    return list(last.maps[0].data)


def draw(nets: Sequence[SheetNetwork], data: str) -> Image.Image:
    """Draws the whole sheet."""
    heights = [HEAD + len(net.rows) * (TILE + FOOT + GAP) for net in nets]
    sheet = Image.new("RGB", (MARGIN + COLUMNS * (TILE + GAP), sum(heights) + GAP), (PAPER,) * 3)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(15)
    for net, top in zip(nets, np.cumsum([0, *heights[:-1]]).tolist(), strict=True):
        pen.text((MARGIN, top + HEAD - 8), net.title, (INK,) * 3, font, anchor="ls")
        for down, (row, pictures, names) in enumerate(rows_of(net, data)):
            _paste(sheet, top + HEAD + down * (TILE + FOOT + GAP), row, pictures, names)
    return sheet


def _paste(sheet: Image.Image, top: int, row: SheetRow, pictures: Sequence[np.ndarray], names: Sequence[str]) -> None:
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(11)
    pen.text((MARGIN - 3 * GAP, top + TILE // 2), row.label, (INK,) * 3, font, anchor="rm")
    how = Image.Resampling.NEAREST if row.method == "weights" else Image.Resampling.BICUBIC
    for right, (picture, name) in enumerate(zip(pictures, names, strict=True)):
        left = MARGIN + right * (TILE + GAP)
        tile = Image.fromarray((np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8))
        sheet.paste(tile.resize((TILE, TILE), how), (left, top))
        pen.text((left + TILE // 2, top + TILE + FOOT // 2), name, (FAINT,) * 3, font, anchor="mm")


def main(target: Path) -> None:
    """Writes the sheet."""
    torch.set_num_threads(1)
    keep_memory()
    np.finfo(np.float32), np.finfo(np.float64)  # they warn once denormal numbers are zero
    data = os.environ.get("INNERWALK_DATA", "")
    nets = (*SHIPPED, *REAL) if data and Path(data).is_dir() else SHIPPED
    draw(nets, data).quantize(256, dither=Image.Dither.FLOYDSTEINBERG).save(target, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
