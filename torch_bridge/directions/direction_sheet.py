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
BAR, MOST_BARS = 18, 8
"""Height of a class in the chart, pixels; most classes in it."""
BAR_COLOUR, FAINT_COLOUR = (128, 56, 28), (70, 72, 78)
"""sRGB 0..255: bars of classes that are told from chance, and of the others."""


class DrawnPicture(NamedTuple):
    """A picture and where each of its positions lies along a direction."""

    picture: np.ndarray
    """(H, W, 3) sRGB 0..1."""
    projection: np.ndarray
    """(h, w) float32: projection of the layer's values less the probe's threshold, in units of the layer."""

    def tile(self, name: str) -> HeatTile:
        """Returns the picture with the projection over it; a layer of single numbers has the caption only."""
        mean = f"{float(self.projection.mean()):+.3g}"
        if self.projection.size == 1:
            return HeatTile(to_tile(self.picture), (name, mean))
        heat = enlarge(torch.from_numpy(self.projection), self.picture.shape[:2]).numpy()
        return HeatTile(draw_heat(self.picture, heat), (name, mean))


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
    context: MethodContext, data: DataSet, layer: str, probe: LinearProbe, indices: Sequence[int]
) -> list[DrawnPicture]:
    """Runs some pictures of a data set as far as a layer and returns them, in this order. Raises ModelError."""
    found = dict[int, DrawnPicture]()
    for batch in DataSetPass(replace(context, data=data), [layer], "a direction").batches(indices):
        for index, picture, maps in zip(batch.indices.tolist(), batch.pictures, batch.maps[layer], strict=True):
            pixels = np.broadcast_to(np.atleast_3d(picture) / np.float32(255), (*picture.shape[:2], 3))
            found[index] = DrawnPicture(pixels, project(maps.cpu().numpy(), probe))
    return [found[index] for index in indices]


def draw_direction(
    current: DrawnPicture,
    preferred: np.ndarray | None,
    classes: Sequence[ClassSensitivity],
    along: Sequence[DrawnPicture],
    against: Sequence[DrawnPicture],
) -> np.ndarray:
    """Draws the sheet of a direction -> (H, W, 3) float32 sRGB 0..1.

    preferred: the picture made for it, (H, W, 3) sRGB 0..1, if there is one.
    """
    first = [current.tile("this picture")]
    if preferred is not None:
        first.append(HeatTile(to_tile(preferred), ("made picture",)))
    if classes:
        first.append(HeatTile(draw_classes(classes), ("score rises: share", "line: random splits")))
    rows = [[each.tile(name) for each in part] for name, part in (("along", along), ("against", against)) if part]
    return draw_sheet([first, *rows])


def draw_classes(classes: Sequence[ClassSensitivity]) -> np.ndarray:
    """Draws a bar for the share of each class -> (TILE, TILE, 3) uint8; those told from chance stand out, first."""
    canvas = Image.new("RGB", (TILE, TILE), PAPER)
    pen, font = ImageDraw.Draw(canvas), ImageFont.load_default(12)
    ordered = sorted(classes, key=lambda each: (each.p_value, -each.share))[:MOST_BARS]
    for row, each in enumerate(ordered):
        top, marked = row * (BAR + 2), each.is_significant(len(classes))
        if each.share > 0:
            box = (0, top, round(each.share * (TILE - 1)), top + BAR - 1)
            pen.rectangle(box, BAR_COLOUR if marked else FAINT_COLOUR)
        middle = round(each.random_share * (TILE - 1))
        pen.line((middle, top, middle, top + BAR - 1), INK)
        pen.text((4, top + BAR // 2), f"{each.name} {each.share:.2f}", MARKED if marked else INK, font, anchor="lm")
    return np.asarray(canvas)
