"""Words as triangles: glyphs of Blender's own fonts, each read once, so that no font is kept in the file.

Noto Sans CJK costs 0.15 s a glyph (11 MB are unpacked for each), the Latin of Noto Sans Hebrew 0.5 ms: a character is
taken from the first font of its family that has it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import bpy
import numpy as np

from ...layout.text_fitting import CAP, MONO, Font

FAMILIES: dict[Font, tuple[str, ...]] = {
    "sans": (
        "NotoSansHebrew-Regular",
        "NotoSansMath-Regular",
        "Noto Sans CJK Regular",
        "NotoSansArabic-VariableFont_wdth,wght",
    ),
    "mono": ("DejaVuSansMono", "Noto Sans CJK Regular"),
}
MATHS = "−→∞"
"""Drawn as something else, or not at all, by the first font of the family."""
ABSENT = "\uffff"
"""Never assigned: every font draws its "not there" box for it."""


@dataclass(frozen=True)
class Shape:
    """Triangles of a glyph or of a word, in units of `size`, its origin at the left of the base line."""

    points: np.ndarray
    """(n, 2) float."""
    triangles: np.ndarray
    """(m, 3) int."""
    width: float
    """How far the next character stands."""


def word(body: str, family: Font = "sans") -> Shape:
    """The triangles of a line of text."""
    points, triangles, x, count = [np.zeros((0, 2))], [np.zeros((0, 3), int)], 0.0, 0
    for character in body:
        shape = glyph(character, family)
        points.append(shape.points + (x, 0.0))
        triangles.append(shape.triangles + count)
        x, count = x + shape.width, count + len(shape.points)
    return Shape(np.concatenate(points), np.concatenate(triangles), x)


def width(body: str, family: Font = "sans") -> float:
    """Length of a line of text, in units of `size`."""
    return sum(glyph(character, family).width for character in body)


def fit(body: str, room: float, size: float, family: Font = "sans") -> float:
    """`size`, or less where the line would be longer than `room`."""
    return min(size, room / max(width(body, family), 1e-6))


@lru_cache(maxsize=4096)
def glyph(character: str, family: Font) -> Shape:
    """One character from the first font of the family that has it; a space for those that say nothing."""
    character = character if character.isprintable() else " "
    names = FAMILIES[family][1 if character in MATHS and family == "sans" else 0 :]
    fonts = [path for name in names if (path := _folder() / f"{name}.woff2").is_file()]
    for path in fonts:
        shape = _read(character, path)
        if character.isspace() or not _same(shape, _read(ABSENT, path)):
            return shape
    return _read(character, fonts[0]) if fonts else Shape(np.zeros((0, 2)), np.zeros((0, 3), int), MONO)


def _folder() -> Path:
    return Path(bpy.utils.system_resource("DATAFILES", path="fonts"))


def _same(one: Shape, other: Shape) -> bool:
    return one.points.shape == other.points.shape and np.allclose(one.points, other.points, atol=1e-4)


@lru_cache(maxsize=4096)
def _read(character: str, path: Path) -> Shape:
    """A character as Blender fills it, scaled so that a capital is CAP high. Its width shows in a bar set after it."""
    points, triangles = _fill(character, path)
    after, alone = _fill(character + "|", path)[0], _fill("|", path)[0]
    scale = CAP / _cap(path)
    return Shape(points * scale, triangles, float(after[:, 0].max() - alone[:, 0].max()) * scale)


@lru_cache(maxsize=64)
def _cap(path: Path) -> float:
    """Height of a capital in Blender's units; that of the CJK font where a font has none."""
    return float(_fill("H", path)[0][:, 1].max())


def _fill(body: str, path: Path) -> tuple[np.ndarray, np.ndarray]:
    """(n, 2) points and (m, 3) triangles of a line in one font file; leaves nothing behind in the file."""
    font = bpy.data.fonts.load(str(path), check_existing=True)
    curve = bpy.data.curves.new("Innerwalk word", "FONT")
    holder = bpy.data.objects.new("Innerwalk word", curve)
    curve.body, curve.font, curve.resolution_u = body, font, 3
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
    """Remove the fonts that were opened for glyphs and that nothing uses, so that no saved file names them."""
    opened = [font for font in bpy.data.fonts if Path(font.filepath).parent in (_folder(), Path())]
    used = bpy.data.user_map(subset=opened) if opened else {}  # the count of users isn't lowered with a curve
    bpy.data.batch_remove([font for font in opened if not used.get(font)])
