"""Opens a bundled film in this process, and renders its frames."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

import bpy
import numpy as np

from ...blender_addon.recipes import read_recipe
from ...blender_addon.scene.view import render
from ..interrupt import signals_deferred
from .frame_folder import FrameFacts, encode_frame


class RenderedFilm(Protocol):
    """A film that is open in Blender."""

    @property
    def frame_count(self) -> int:
        """Number of frames."""

    @property
    def rate(self) -> float:
        """Frames a second."""

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""

    def render(self, frame: int) -> np.ndarray:
        """Returns a frame, counted from 0: (H, W, 4) uint8 sRGB, straight alpha, row 0 on top."""


@dataclass(frozen=True)
class BundledFilm:
    """An open film and its hash."""

    frames: RenderedFilm
    film: str


def open_bundled_film(recipe: Path, film: str) -> BundledFilm:
    """Opens the film of a recipe that names recordings only. film: hash of what it shows. Raises InnerwalkError."""
    from ..film_run import open_film

    return BundledFilm(open_film(read_recipe(recipe), recipe.parent, False), film)


def render_frame(film: BundledFilm, frame: int) -> bytes:
    """Returns a frame, counted from 1, as a PNG file that says of which film it is and what has rendered it."""
    lines: list[str] = []
    with render.status_lines(lines.append):
        pixels = film.frames.render(frame - 1)
    drivers = [match[1] for match in map(render.DRIVER.search, lines) if match]
    renderer = (
        f"Innerwalk {version('innerwalk')}, Blender {bpy.app.version_string}, {drivers[-1] if drivers else 'Cycles'}"
    )
    return encode_frame(pixels, FrameFacts(film.film, renderer))


def render_here(film: BundledFilm, frames: Sequence[int]) -> Generator[tuple[int, bytes], None, None]:
    """Yields frames and their PNG files, rendered in this process."""
    for frame in frames:
        with signals_deferred():  # a KeyboardInterrupt inside Blender's callbacks is printed there, and lost
            png = render_frame(film, frame)
        yield frame, png
