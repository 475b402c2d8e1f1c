"""Draws a direction of a layer: where a picture lies along it, a picture made for it, classes, and pictures of data."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from ..attribution.explained_maps import enlarge
from ..attribution.heat_sheet import INK, MARKED, PAPER, TILE, HeatTile, draw_heat, draw_sheet, to_tile
from ..data import DataSet
from ..method_support.data_set_pass import DataSetPass
from ..method_support.maximisation_parameters import MaximisationParameters
from ..method_support.maximisation_run import MaximisationRun
from ..method_support.method import MethodContext, Step
from .class_sensitivity import ClassSensitivity
from .linear_probe import LinearProbe

COLUMNS = 3
"""Tiles in a row, and pictures of the data that are shown of those furthest along the direction, and against it."""
BAR, NAME, MOST_BARS = 5, 14, 8
"""Height of a class's bar and of its name above it, pixels; most classes in the chart."""
FAINT_COLOUR, TRACK_COLOUR = (110, 112, 118), (40, 42, 46)
"""sRGB 0..255: bars of classes that may be chance, and what is left of any bar."""


class DrawnPicture(NamedTuple):
    """A picture and where each of its positions lies along a direction."""

    picture: np.ndarray
    """(H, W, 3) sRGB 0..1."""
    projection: np.ndarray
    """(h, w) float32: projection of the layer's values less the probe's threshold, in units of the layer."""
    name: str = ""
    """Its class."""

    def tile(self, where: str) -> HeatTile:
        """Returns the picture with the projection over it; a layer of single numbers has the caption only."""
        caption = f"{where}: {float(self.projection.mean()):+.3g}", self.name
        if self.projection.size == 1:
            return HeatTile(to_tile(self.picture), caption)
        heat = enlarge(torch.from_numpy(self.projection), self.picture.shape[:2]).numpy()
        return HeatTile(draw_heat(self.picture, heat), caption)


def project(maps: np.ndarray, probe: LinearProbe) -> np.ndarray:
    """(C, h, w) values of a layer -> (h, w) float32: how far each position is on the concept's side of the probe."""
    return (np.tensordot(probe.direction, maps.astype(np.float64), 1) - probe.threshold).astype(np.float32)


def make_picture(
    context: MethodContext, layer: str, probe: LinearProbe, steps: int, seed: int
) -> Generator[Step, None, np.ndarray]:
    """Makes the picture that lies furthest along a direction: (H, W, 3) sRGB 0..1. Raises InputError or ModelError."""
    weights = probe.direction[list(context.selected_channels(layer))]
    parameters = MaximisationParameters(
        "direction", steps=steps, weights=",".join(map(repr, weights.tolist())), seed=seed
    )
    picture = np.zeros((1, 1, 3), np.float32)
    for step in MaximisationRun(context, parameters, layer).steps():
        for maps in step.maps:
            picture = maps.data[0]
        yield replace(step, maps=())
    return picture


def draw_data(
    context: MethodContext,
    data: DataSet,
    layer: str,
    probe: LinearProbe,
    indices: Sequence[int],
    names: Sequence[str],
) -> list[DrawnPicture]:
    """Runs some pictures of a data set, with the names of their classes, as far as a layer and returns them, in this
    order. Raises ModelError."""
    found = dict[int, DrawnPicture]()
    for batch in DataSetPass(replace(context, data=data), [layer], "a direction").batches(indices):
        for index, picture, maps in zip(batch.indices.tolist(), batch.pictures, batch.maps[layer], strict=True):
            pixels = np.broadcast_to(np.atleast_3d(picture) / np.float32(255), (*picture.shape[:2], 3))
            found[index] = DrawnPicture(pixels, project(maps.cpu().numpy(), probe))
    return [found[index]._replace(name=name) for index, name in zip(indices, names, strict=True)]


def draw_direction(
    current: DrawnPicture,
    preferred: np.ndarray | None,
    classes: Sequence[ClassSensitivity],
    along: Sequence[DrawnPicture],
    against: Sequence[DrawnPicture],
    tested: str,
) -> np.ndarray:
    """Draws the sheet of a direction -> (H, W, 3) float32 sRGB 0..1.

    preferred: the picture made for it, (H, W, 3) sRGB 0..1, if there is one. tested: says which pictures were tested.
    """
    first = [current.tile("this picture")]
    if preferred is not None:
        first.append(HeatTile(to_tile(preferred), ("made picture",)))
    if classes:
        first.append(HeatTile(draw_classes(classes), ("score rises; line: by chance", tested)))
    rows = [[each.tile(name) for each in part] for name, part in (("most", along), ("least", against)) if part]
    return draw_sheet([first, *rows])


def draw_classes(classes: Sequence[ClassSensitivity]) -> np.ndarray:
    """Draws a bar for the share of each class, below its name -> (TILE, TILE, 3) uint8.

    Those that are more than chance come first and stand out; a line crosses the bar at the share along random splits.
    """
    canvas = Image.new("RGB", (TILE, TILE), PAPER)
    pen, font = ImageDraw.Draw(canvas), ImageFont.load_default(11)
    ordered = sorted(classes, key=lambda each: (each.p_value, -each.share))[:MOST_BARS]
    for row, each in enumerate(ordered):
        top, marked = row * (NAME + BAR + 1) + NAME, each.is_significant(len(classes))
        pen.rectangle((0, top, TILE - 1, top + BAR - 1), TRACK_COLOUR)
        if each.share > 0:
            box = (0, top, round(each.share * (TILE - 1)), top + BAR - 1)
            pen.rectangle(box, MARKED if marked else FAINT_COLOUR)
        middle = round(each.random_share * (TILE - 1))
        pen.line((middle, top - 1, middle, top + BAR), INK)
        pen.text((0, top - NAME // 2), each.name, MARKED if marked else INK, font, anchor="lm")
        pen.text((TILE - 1, top - NAME // 2), f"{each.share:.0%}", MARKED if marked else INK, font, anchor="rm")
    return np.asarray(canvas)
