"""The sheet of the documentation: what the data says channels answer to, beside what was made for them.

python -m innerwalk.torch_bridge.concepts.make_evidence_sheet docs/evidence.png
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ..data import open_data
from ..methods import METHODS, parse_parameters
from ..models.device import choose_device
from ..recording import Maps
from ..server.config import serve_config
from ..server.loaded_model import LoadedModel
from ..server.priority_lock import PriorityLock
from .make_sheet import LIGHT

ROWS = {
    "stem.norm": (1, 3, 7, 10), "stage1.1:add": (2, 9, 12, 16), "stage2.1:add": (3, 8, 14, 16),
    "stage3.1:add": (0, 4, 5, 8), "fc": (0, 1, 2, 5),
}  # fmt: skip
"""A layer a row, from the first to the classes, and the channels that are shown of it."""
HEIGHT, WIDTH, GAP = 132, 268, 10
"""Pixels of a tile, and between tiles."""


def evidence_of(layer: str, channels: Sequence[int], asked: Mapping[str, Any]) -> Maps:
    """The method's last maps for the shipped network; asked: its parameters by name. Raises InnerwalkError."""
    [(name, spec)] = serve_config(["object"]).networks.items()
    live = LoadedModel(name, spec, choose_device("cpu"), PriorityLock())
    live.record(live.read(live.default_sources), (), lambda maps: None)
    method = METHODS["evidence"]
    pictures = open_data("concepts:object")
    steps = list(live.run_method(method, [layer], parse_parameters(method, asked), pictures, channels=channels))
    return next(step.maps[0] for step in reversed(steps) if step.maps)


def sheet(rows: Sequence[Sequence[np.ndarray]]) -> np.ndarray:
    """Rows of tiles (H, W, 3) sRGB 0..1 -> (H, W, 3) uint8, all tiles of one size."""
    columns = max(map(len, rows))
    whole = np.full((len(rows) * (HEIGHT + GAP) - GAP, columns * (WIDTH + GAP) - GAP, 3), LIGHT, np.uint8)
    for y, row in enumerate(rows):
        for x, tile in enumerate(row):
            picture = Image.fromarray((np.clip(tile, 0, 1) * 255 + 0.5).astype(np.uint8))
            fitted = picture.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
            whole[y * (HEIGHT + GAP) :, x * (WIDTH + GAP) :][:HEIGHT, :WIDTH] = np.asarray(fitted)
    return whole


def main(target: Path, maker: str = "maximisation", count: int = 2000) -> None:
    """Write the sheet: pictures of the validation split, none of anybody else's."""
    asked = {"maker": maker, "count": count}
    found = {layer: evidence_of(layer, channels, asked) for layer, channels in ROWS.items()}
    rows = [[found[layer].data[channel] for channel in channels] for layer, channels in ROWS.items()]
    Image.fromarray(sheet(rows)).quantize(256, dither=Image.Dither.NONE).save(target, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
