"""Draws the sheet of the method evidence: the data's best pictures for some channels beside a made picture for each.

python -m innerwalk.torch_bridge.concepts.make_evidence_sheet docs/evidence.png
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ..data import open_data
from ..methods import METHODS, parse_parameters
from ..models.device import choose_device
from ..recording import Maps, flag_names
from ..server.config import serve_config
from ..server.loaded_model import LoadedModel
from ..server.priority_lock import PriorityLock
from .make_concepts_sheet import PAPER
from .vocabulary import CONCEPTS

ROWS = {
    "stem.norm": (1, 3, 7, 10),
    "stage1.1:add": (2, 9, 12, 16),
    "stage2.1:add": (3, 8, 14, 16),
    "stage3.1:add": (0, 4, 5, 8),
    "fc": (0, 1, 2, 5),
}
"""Layers from the first to the classes, a row each, and the channels to show."""
HEIGHT, WIDTH, GAP, MARGIN, FOOT = 132, 268, 8, 88, 18
"""Size of a tile, gap between tiles, room for a row's name on the left, and for a caption; pixels."""
INK, FAINT, WARNING = (40, 40, 40), (105, 105, 105), (190, 60, 20)
"""sRGB 0..255 of names, of captions, and of captions of what is beyond data."""


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


def draw_rows(rows: Mapping[str, Maps]) -> Image.Image:
    """Draws a row for each layer: its name, and its channels' pictures with their values below."""
    columns, down = max(len(ROWS[layer]) for layer in rows), HEIGHT + FOOT + GAP
    sheet = Image.new("RGB", (MARGIN + columns * (WIDTH + GAP) - GAP, len(rows) * down - GAP), (PAPER,) * 3)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(12)
    for y, (layer, maps) in enumerate(rows.items()):
        pen.text((MARGIN - GAP, y * down + HEIGHT // 2), layer, INK, font, anchor="rm")
        for x, channel in enumerate(ROWS[layer]):
            tile = (np.clip(maps.data[maps.index(channel)], 0, 1) * 255 + 0.5).astype(np.uint8)
            place = MARGIN + x * (WIDTH + GAP), y * down
            sheet.paste(Image.fromarray(tile).resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS), place)
            caption, colour = _caption(maps, channel)
            pen.text((place[0], place[1] + HEIGHT + FOOT // 2), caption, colour, font, anchor="lm")
    return sheet


def _caption(maps: Maps, channel: int) -> tuple[str, tuple[int, int, int]]:
    place = maps.index(channel)
    name = CONCEPTS["object"][channel] if maps.layer == "fc" else f"channel {channel}"
    text = f"{name}: {maps.extras['values'][place]:.3g} in data, {maps.extras['reached'][place]:.3g} made"
    flags = ", ".join(flag_names(int(maps.extras["flags"][place])))
    return (f"{text}: {flags}", WARNING) if flags else (text, FAINT)


def main(target: Path, maker: str = "maximisation", count: int = 2000) -> None:
    """Writes the sheet. maker: the method that makes pictures; count: pictures of the validation split to search."""
    parameters = {"maker": maker, "count": count}
    maps = {layer: compute_evidence(layer, channels, parameters) for layer, channels in ROWS.items()}
    draw_rows(maps).quantize(256, dither=Image.Dither.NONE).save(target, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
