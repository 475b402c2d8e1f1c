"""Texts as triangles: glyphs of Blender's own fonts, each read once, so that no font is kept in the file.

Noto Sans CJK costs 0.15 s a glyph (11 MB are unpacked for each), the Latin of Noto Sans Hebrew 0.5 ms: a character is
taken from the first font file that has it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import bpy
import numpy as np

from ...layout.text_fitting import CAP, MONO, Font

FILES: dict[Font, tuple[str, ...]] = {
    "sans": (
        "NotoSansHebrew-Regular",
        "NotoSansMath-Regular",
        "Noto Sans CJK Regular",
        "NotoSansArabic-VariableFont_wdth,wght",
    ),
    "mono": ("DejaVuSansMono", "Noto Sans CJK Regular"),
}
"""By font: names of Blender's font files."""
MATHS = "−→∞"
"""Characters that the first file of the font draws as something else, or not at all."""
ABSENT = "\uffff"
"""A character that is never assigned: every font draws its box for missing characters instead."""


@dataclass(frozen=True)
class TextShape:
    """Triangles of a glyph or a text, as shares of its size, with the origin at the left of the base line."""

    points: np.ndarray
    """(n, 2) float."""
    triangles: np.ndarray
    """(m, 3) int, indices of points."""
    width: float
    """Distance to the next character."""


def text_shape(text: str, font: Font = "sans") -> TextShape:
    """Returns the triangles of a line of text."""
    points, triangles, x, count = [np.zeros((0, 2))], [np.zeros((0, 3), int)], 0.0, 0
    for character in text:
        shape = glyph(character, font)
        points.append(shape.points + (x, 0.0))
        triangles.append(shape.triangles + count)
        x, count = x + shape.width, count + len(shape.points)
    return TextShape(np.concatenate(points), np.concatenate(triangles), x)


def measure(text: str, font: Font = "sans") -> float:
    """Returns the length of a line of text as a share of its size."""
    return sum(glyph(character, font).width for character in text)


@lru_cache(maxsize=4096)
def glyph(character: str, font: Font) -> TextShape:
    """Returns a character from the first file of the font that has it; unprintable ones are spaces."""
    character = character if character.isprintable() else " "
    names = FILES[font][1 if character in MATHS and font == "sans" else 0 :]
    paths = [path for name in names if (path := _folder() / f"{name}.woff2").is_file()]
    for path in paths:
        shape = _read(character, path)
        if character.isspace() or not _same(shape, _read(ABSENT, path)):
            return shape
    return _read(character, paths[0]) if paths else TextShape(np.zeros((0, 2)), np.zeros((0, 3), int), MONO)


def _folder() -> Path:
    return Path(bpy.utils.system_resource("DATAFILES", path="fonts"))


def _same(first: TextShape, second: TextShape) -> bool:
    return first.points.shape == second.points.shape and np.allclose(first.points, second.points, atol=1e-4)


@lru_cache(maxsize=4096)
def _read(character: str, path: Path) -> TextShape:
    """Reads a character, scaled so that a capital is CAP high; its advance is measured from a bar placed after it."""
    points, triangles = _fill(character, path)
    after, alone = _fill(character + "|", path)[0], _fill("|", path)[0]
    scale = CAP / _cap(path)
    return TextShape(points * scale, triangles, float(after[:, 0].max() - alone[:, 0].max()) * scale)


@lru_cache(maxsize=64)
def _cap(path: Path) -> float:
    """Returns the height of a capital in Blender's units; that of the CJK font if a font has none."""
    return float(_fill("H", path)[0][:, 1].max())


def _fill(text: str, path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Returns (n, 2) float points and (m, 3) int triangles of a text in one font file; leaves no data-blocks behind."""
    font = bpy.data.fonts.load(str(path), check_existing=True)
    curve = bpy.data.curves.new("Innerwalk word", "FONT")
    holder = bpy.data.objects.new("Innerwalk word", curve)
    curve.body, curve.font, curve.resolution_u = text, font, 3
    mesh = holder.to_mesh()
    mesh.calc_loop_triangles()
    points, triangles = np.zeros(3 * len(mesh.vertices), np.float32), np.zeros(3 * len(mesh.loop_triangles), np.int32)
    mesh.vertices.foreach_get("co", points)
    mesh.loop_triangles.foreach_get("vertices", triangles)
    holder.to_mesh_clear()
    bpy.data.objects.remove(holder)
    bpy.data.curves.remove(curve)
    return points.reshape(-1, 3)[:, :2].astype(float), triangles.reshape(-1, 3).astype(int)


def forget_fonts() -> None:
    """Removes the fonts that were opened for glyphs and that nothing uses, so that no saved file names them."""
    opened = [font for font in bpy.data.fonts if Path(font.filepath).parent in (_folder(), Path())]
    used = bpy.data.user_map(subset=opened) if opened else {}  # the count of users isn't lowered with a curve
    bpy.data.batch_remove([font for font in opened if not used.get(font)])
