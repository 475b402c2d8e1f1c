"""The frames of a film as pixels: halls as the cameras see them, with the film's words over them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import bpy
import numpy as np

from ...torch_bridge.recording import Series
from ..films.film import Film, FrameState, Inset
from ..films.frame_words import draw_progress, draw_words
from ..layout.view import View
from ..scene.engine import KeptPicture
from ..scene.hall.series import show_position
from ..scene.materials.object_colours import dim_panels
from ..scene.state.parts import hall_collection
from ..scene.view import camera, render


class FilmFrames:
    """Renders any frame of a film, in any order; the same frame has the same pixels with the same driver."""

    def __init__(
        self,
        scene: bpy.types.Scene,
        film: Film,
        beside: Sequence[bpy.types.Scene] = (),
        series: Series | None = None,
    ) -> None:
        """Sets the scenes' render settings, and gives them a camera.

        beside: the second halls of split shots. series: that the hall has opened, if the film shows one.
        """
        self.film, self._scene, self._beside, self._series = film, scene, beside, series
        self._kept: dict[str, KeptPicture] = {}
        engine = render.default_engine()
        for each in (scene, *beside):
            render.set_render_settings(each, *film.size, film.passes, engine, film.transparent)
            each.camera = bpy.data.objects.new("Film", bpy.data.cameras.new("Film"))  # a person's own may be keyed
            hall_collection(each).objects.link(each.camera)

    @property
    def frame_count(self) -> int:
        """Number of frames."""
        return self.film.frame_count

    @property
    def rate(self) -> float:
        """Frames a second."""
        return self.film.rate

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.film.size

    def render(self, frame: int) -> np.ndarray:
        """Returns a frame, counted from 0: (H, W, 4) uint8 sRGB with straight alpha, top row first.

        Raises IndexError for a frame that the film doesn't have, or SceneError.
        """
        state = self.film.at(frame)
        picture = self._with_words(state)
        if state.dissolve is not None:
            before, share = state.dissolve
            picture = _mixed(self._with_words(before), picture, share)
        if self.film.shows_progress:
            draw_progress(picture, state, self.film)
        return picture

    def _with_words(self, state: FrameState) -> np.ndarray:
        """Returns the picture of a state with its words, (H, W, 4) uint8 sRGB."""
        self._prepare(state)
        if state.position is not None and self._series is not None:
            shown = Inset(self._series.labels[state.position], self._series.load(state.position).picture)
            state = replace(state, insets=(shown,), inset_opacity=1.0)
        picture = self._picture(self._scene, state.view)
        if state.beside is not None:
            picture = np.concatenate([picture, self._picture(self._beside[state.second_hall], state.beside)], 1)
        draw_words(picture, state, self.film)
        return picture

    def _prepare(self, state: FrameState) -> None:
        """Lets the hall show what a state says; of a series, the first entry where a shot is about another thing."""
        if self._series is not None:
            show_position(self._scene, state.position or 0)
        dim_panels(self._scene, state.brightness)

    def _picture(self, scene: bpy.types.Scene, view: View) -> np.ndarray:
        """Returns what a camera sees of a hall, (H, W, 4) uint8 sRGB."""
        camera.point_camera(scene.camera, view)
        scene.render.resolution_x, scene.render.resolution_y = view.width, view.height
        return render.render_pixels(scene, self._kept.setdefault(scene.name, KeptPicture()))


def _mixed(first: np.ndarray, second: np.ndarray, share: float) -> np.ndarray:
    """Returns two pictures (H, W, 4) uint8 mixed, `share` of the second."""
    return np.rint(first * (1 - share) + second * share).astype(np.uint8)
