"""Draws the pictures of docs/methods.md: each is the answer of the command that stands above it.

python -m innerwalk.scenes.make_method_pictures docs/methods.md [METHOD ...]
"""

from __future__ import annotations

import argparse
import re
import shlex
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ..blender_addon.imaging.channel_images import Colouring, draw_tile
from ..blender_addon.output.page_png import draw_page
from ..blender_addon.pages.chart import chart_page
from ..blender_addon.pages.page_options import PageOptions
from ..torch_bridge.attribution.heat_sheet import draw_heat
from ..torch_bridge.methods import METHODS
from ..torch_bridge.recording import Maps, Recording
from ..torch_bridge.subject import RecordSpec
from . import ask
from .options.argument_values import record_fields
from .options.parser import parser
from .tables import flags_of, visible_channels

COMMAND = re.compile(r"^innerwalk (ask (?:object|toybox|generator) .*)$", re.M)
WIDTH, TILE, LARGE_TILE, GAP, LINE, TITLE = 664, 104, 156, 6, 14, 24
"""Pixels: the picture's width, a tile's side, that of up to FEW tiles, between tiles, a caption's line, the title."""
SHEET_SIDE, SHEET_WIDTH = 300, 540
"""Pixels: a picture whose shorter side is longer is a sheet with captions of its own; width of a drawn sheet."""
FEW, MOST = 4, 18
"""Tiles of a picture that are large, and most tiles."""
LINES, COLOURS = 3, 128
PAPER, INK, FAINT, BOX = (250, 250, 250), (40, 40, 40), (105, 105, 105), (255, 190, 60)
CHART_PAGE = PageOptions("chart", width=100.0, dpi=137)
"""How charts are drawn."""
LOOK = Colouring("dark", "signed", 1.0)


class CaptionedTile(NamedTuple):
    """A picture and what stands below it."""

    picture: Image.Image
    caption: str


def documented_commands(text: str) -> dict[str, argparse.Namespace]:
    """Returns the options of each `innerwalk ask` command of a shipped network in a text, by method."""
    options = [parser().parse_args(shlex.split(line)) for line in COMMAND.findall(text)]
    return {each.method: each for each in options}


def answer(options: argparse.Namespace) -> Recording:
    """Runs a command, and returns the recording with the method's maps. Raises InnerwalkError."""
    with tempfile.TemporaryDirectory() as scratch:
        spec = RecordSpec(**record_fields(options, Path(scratch)))
        layers, parameters = tuple(options.layers or ("panels",)), dict(options.parameters)
        question = ask.Question(options.method, layers, options.channels, parameters, options.data, "cpu")
        return ask.answer(spec, question, lambda message, share: None)


def draw_answer(recording: Recording, options: argparse.Namespace) -> Image.Image:
    """Draws the maps of the channels with their names; before them the input, if they are of it and no sheet."""
    method, named = METHODS[options.method], list[tuple[Image.Image, str]]()
    all_maps = ask.maps_of(recording, method.name)
    is_sheet = all_maps[0].colour and min(all_maps[0].shape[1:]) > SHEET_SIDE
    if method.needs == "input" and method.name != "maximisation" and not is_sheet and recording.prediction.top:
        _, name, share = recording.prediction.top[0]
        named.append((_image(recording.picture / 255), f"input: {name} {share:.0%}"))
    for maps in all_maps:
        channels = visible_channels(maps, options.channels)
        several = f"{maps.layer}: " if len(all_maps) > 1 else ""
        named += [(_draw(recording, maps, channel), several + _name(maps, channel)) for channel in channels]
    side = LARGE_TILE if len(named) <= FEW else TILE
    charts = dict.fromkeys(chart for maps in all_maps for chart in maps.charts if len(chart.rows) > 1)
    if all(max(maps.shape[1:]) == 1 for maps in all_maps) and charts:
        named = []  # single values, which the chart says better
    tiles = [CaptionedTile(_resized(image, side), caption) for image, caption in named[:MOST]]
    tiles += [CaptionedTile(Image.fromarray(draw_page(chart_page((chart,), CHART_PAGE))), "") for chart in charts]
    layer = "" if len(all_maps) > 1 else f", layer {all_maps[0].layer}"
    return _arrange(f"{method.name}{layer}", tiles)


def _name(maps: Maps, channel: int) -> str:
    label = maps.labels[maps.index(channel)] if maps.labels else ""
    if label and not label.startswith(("+", "-")):  # it names what the map is of
        return label
    return ": ".join(filter(None, (f"channel {channel}", label, flags_of(maps, channel))))


def _draw(recording: Recording, maps: Maps, channel: int) -> Image.Image:
    """Draws a map: colours as they are, values over the input's positions on the input, others in a hall's colours."""
    place = maps.index(channel)
    if maps.colour or maps.frame != "input" or min(maps.shape[1:]) == 1:
        return _image(draw_tile(maps, place, float(maps.peak[place]), LOOK))
    heat = Image.fromarray(np.ascontiguousarray(maps.data[place], np.float32))
    size = recording.picture.shape[1], recording.picture.shape[0]
    image = Image.fromarray(draw_heat(recording.picture / 255, np.asarray(heat.resize(size, Image.Resampling.BICUBIC))))
    image = image.resize((LARGE_TILE, LARGE_TILE), Image.Resampling.LANCZOS)
    for box in maps.extras.get("boxes", ()):
        if int(box[0]) == channel:
            ImageDraw.Draw(image).rectangle([float(end) * (LARGE_TILE - 1) for end in box[1:5]], outline=BOX)
    return image


def _image(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray((np.clip(pixels, 0, 1) * 255 + 0.5).astype(np.uint8))


def _resized(image: Image.Image, side: int) -> Image.Image:
    """Brings a picture to a tile's height, its values as squares if they are few, and a sheet to the whole width."""
    if min(image.size) > SHEET_SIDE:
        share = min(SHEET_WIDTH / image.width, 1)
        return image.resize((round(image.width * share), round(image.height * share)), Image.Resampling.LANCZOS)
    across = round(side * image.width / image.height)
    return image.resize((across, side), Image.Resampling.LANCZOS if image.height >= 48 else Image.Resampling.NEAREST)


def _arrange(title: str, tiles: Sequence[CaptionedTile]) -> Image.Image:
    """Places tiles in rows below the title."""
    font, head, rows = ImageFont.load_default(11), ImageFont.load_default(14), list(_rows(tiles))
    lines = [[_wrap(tile, font) for tile in row] for row in rows]
    heights = [
        max(tile.picture.height for tile in row) + LINE * max(map(len, texts)) + GAP
        for row, texts in zip(rows, lines, strict=True)
    ]
    width = max(sum(tile.picture.width + GAP for tile in row) - GAP for row in rows)
    sheet = Image.new("RGB", (max(width, round(head.getlength(title)) + GAP), TITLE + sum(heights)), PAPER)
    pen, top = ImageDraw.Draw(sheet), TITLE
    pen.text((0, TITLE // 2), title, INK, head, anchor="lm")
    for row, texts, height in zip(rows, lines, heights, strict=True):
        left = 0
        for tile, own in zip(row, texts, strict=True):
            sheet.paste(tile.picture, (left, top))
            for number, text in enumerate(own):
                pen.text((left, top + tile.picture.height + LINE * (number + 0.5) + 1), text, FAINT, font, anchor="lm")
            left += tile.picture.width + GAP
        top += height
    return sheet


def _rows(tiles: Sequence[CaptionedTile]) -> Iterator[list[CaptionedTile]]:
    row: list[CaptionedTile] = []
    for tile in tiles:
        if row and sum(each.picture.width + GAP for each in row) + tile.picture.width > WIDTH:
            yield row
            row = []
        row.append(tile)
    yield row


def _wrap(tile: CaptionedTile, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> list[str]:
    """Breaks a caption into at most LINES lines of its tile's width."""
    lines = [""]
    for word in tile.caption.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font.getlength(longer) > tile.picture.width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines if len(lines) <= LINES else [*lines[: LINES - 1], f"{lines[LINES - 1]} …"]


def main(text: Path, methods: Sequence[str]) -> None:
    """Writes NAME.png for each command of the text, or for those of some methods, into the folder named like it."""
    folder = text.with_suffix("")
    folder.mkdir(exist_ok=True)
    for name, options in documented_commands(text.read_text("utf-8")).items():
        if not methods or name in methods:
            picture = draw_answer(answer(options), options)
            picture.quantize(COLOURS, dither=Image.Dither.NONE).save(folder / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
