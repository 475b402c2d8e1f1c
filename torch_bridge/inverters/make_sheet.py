"""What the layers of the default network still know of one picture, as a contact sheet.

python -m innerwalk.torch_bridge.inverters.make_sheet docs/inversion.png
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from .. import concepts
from ..server.ask import ask
from .train import LAYERS

TILE, GAP, MARGIN, HEAD = 128, 6, 120, 22
PAPER, INK = 250, 60
TITLES = ("the picture", "first layer", "stage 1", "stage 2", "stage 3", "classes")
WAYS: dict[str, tuple[str, dict[str, Any]]] = {"regularised": ("inversion", {}), "UpconvNet": ("upconvnet", {})} | {
    name: ("upconvnet", {"features": how})
    for name, how in (
        ("… least half less", "drop_least"), ("… random half less", "dropout"), ("… signs alone", "binarise"),
        ("… top half less", "drop_top"),
    )
}  # fmt: skip
"""By row: the method and its parameters."""


def sheet(index: int) -> Image.Image:
    """A row for each way, a column for each layer; last, pictures by the prior that make each class fire."""
    model, names = concepts.load("object")
    picture = concepts.picture(index)
    given = torch.from_numpy(picture.copy()).permute(2, 0, 1)[None].float() / 127.5 - 1
    known: dict[str, Any] = {"layers": LAYERS, "classes": names, "mean": [0.5] * 3, "std": [0.5] * 3}
    rows = {}
    for name, (method, parameters) in WAYS.items():
        maps = ask(model, given, method, **known, **parameters).all_maps
        rows[name] = [picture / 255, *(maps[layer, method].data[0] for layer in LAYERS)]
    drawn = ask(model, given, "dgn_am", **known | {"layers": ["fc"]}).maps("fc", "dgn_am")
    whole = _sheet(rows | {"DGN-AM": list(drawn.data)})
    _words(whole, [*rows, "DGN-AM"], names)
    return whole


def _sheet(rows: Mapping[str, Sequence[np.ndarray]]) -> Image.Image:
    width, height = MARGIN + len(TITLES) * (TILE + GAP), HEAD + len(rows) * (TILE + GAP) + HEAD
    whole = Image.new("RGB", (width, height), (PAPER,) * 3)
    for down, (name, tiles) in enumerate(rows.items()):
        top = HEAD + down * (TILE + GAP) + (HEAD if name == "DGN-AM" else 0)
        for right, tile in enumerate(tiles):
            small = Image.fromarray((np.clip(tile, 0, 1) * 255 + 0.5).astype(np.uint8))
            whole.paste(small.resize((TILE, TILE), Image.Resampling.NEAREST), (MARGIN + right * (TILE + GAP), top))
    return whole


def _words(whole: Image.Image, rows: Sequence[str], classes: Sequence[str]) -> None:
    pen, font, last = ImageDraw.Draw(whole), ImageFont.load_default(), len(rows) - 1
    for down, name in enumerate(rows):
        middle = HEAD + down * (TILE + GAP) + (HEAD if down == last else 0) + TILE // 2
        pen.text((MARGIN - GAP, middle), name, (INK,) * 3, font, anchor="rm")
    for heads, top in ((TITLES, 0), (classes, HEAD + last * (TILE + GAP))):
        for right, name in enumerate(heads):
            pen.text((MARGIN + right * (TILE + GAP) + TILE // 2, top + HEAD // 2), name, (INK,) * 3, font, anchor="mm")


def main(target: Path) -> None:
    """Write the sheet of the documentation."""
    torch.set_num_threads(1)
    sheet(concepts.DEFAULT_INDEX).quantize(256, dither=Image.Dither.NONE).save(target, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
