"""Draws the sheet of the method evidence: the data's best pictures for some channels beside a made picture for each.

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
from .make_concepts_sheet import PAPER

ROWS = {
    "stem.norm": (1, 3, 7, 10),
    "stage1.1:add": (2, 9, 12, 16),
    "stage2.1:add": (3, 8, 14, 16),
    "stage3.1:add": (0, 4, 5, 8),
    "fc": (0, 1, 2, 5),
}
"""Layers from the first to the classes, a row each, and the channels to show."""
HEIGHT, WIDTH, GAP = 132, 268, 10
"""Size of a tile and gap between tiles, in pixels."""


def compute_evidence(layer: str, channels: Sequence[int], parameters: Mapping[str, Any]) -> Maps:
    """Returns the final maps of the method evidence for the shipped network. Raises InnerwalkError.

    parameters: the method's parameters by name.
    """
    [(name, spec)] = serve_config(["object"]).networks.items()
    model = LoadedModel(name, spec, choose_device("cpu"), PriorityLock())
    model.record(model.read(model.default_sources), (), lambda maps: None)
    method, data = METHODS["evidence"], open_data("concepts:object")
    steps = list(model.run_method(method, [layer], parse_parameters(method, parameters), data, channels=channels))
    return next(step.maps[0] for step in reversed(steps) if step.maps)


def draw_tiles(rows: Sequence[Sequence[np.ndarray]]) -> np.ndarray:
    """Draws rows of tiles, each (H, W, 3) sRGB 0..1 of any size, at one size; returns (H, W, 3) uint8 sRGB."""
    columns = max(map(len, rows))
    sheet = np.full((len(rows) * (HEIGHT + GAP) - GAP, columns * (WIDTH + GAP) - GAP, 3), PAPER, np.uint8)
    for y, row in enumerate(rows):
        for x, tile in enumerate(row):
            picture = Image.fromarray((np.clip(tile, 0, 1) * 255 + 0.5).astype(np.uint8))
            resized = picture.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
            sheet[y * (HEIGHT + GAP) :, x * (WIDTH + GAP) :][:HEIGHT, :WIDTH] = np.asarray(resized)
    return sheet


def main(target: Path, maker: str = "maximisation", count: int = 2000) -> None:
    """Writes the sheet. maker: the method that makes pictures; count: pictures of the validation split to search."""
    parameters = {"maker": maker, "count": count}
    maps = {layer: compute_evidence(layer, channels, parameters) for layer, channels in ROWS.items()}
    rows = [[maps[layer].data[maps[layer].index(channel)] for channel in row] for layer, row in ROWS.items()]
    Image.fromarray(draw_tiles(rows)).quantize(256, dither=Image.Dither.NONE).save(target, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
