"""The frames of a film as whole spheres for two eyes, for headsets and players of 360° video; by Cycles, and slow.

The engine of halls can't draw them: each column of such a picture is seen from another place of the head.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from ...torch_bridge.recording import Series
from ...torch_bridge.recording.errors import SceneError
from ..films.film import Film, FrameState
from ..layout.view import View
from ..scene.engine import KeptPicture
from ..scene.state.parts import hall_collection
from ..scene.view import render
from ..scene.view.camera import CLIP
from .film_frames import FilmFrames

EYES = 0.064
"""Metres between the eyes."""
POLES = (60.0, 75.0)
"""Degrees above and below the horizon between which the eyes come together, so that nothing is twisted at the poles."""


class PanoramaFrames(FilmFrames):
    """Renders any frame as two equirectangular pictures, the left eye's above the right eye's, without words."""

    def __init__(self, scene: bpy.types.Scene, film: Film, series: Series | None = None) -> None:
        """Sets the scene's render settings and gives it a camera. Raises SceneError for a film of another shape."""
        width, height = film.size
        if width != height or width % 4:
            raise SceneError(
                f"a 360° film of {width} × {height} pixels can't be made; it is square, such as 4096 × 4096"
            )
        super().__init__(scene, replace(film, shows_progress=False), (), series)
        render.set_render_settings(scene, width, height // 2, film.passes, "cycles", film.transparent)
        scene.cycles.use_adaptive_sampling = False
        scene.render.use_persistent_data = True  # images stay from frame to frame
        self._camera = _add_camera(scene)
        _show_both_eyes(scene)

    def _with_words(self, state: FrameState) -> np.ndarray:
        """Returns the picture of a state, (H, W, 4) uint8 sRGB; words have no place on a sphere."""
        self._prepare(state)
        return self._picture(self._scene, state.view)

    def _picture(self, scene: bpy.types.Scene, view: View) -> np.ndarray:
        """Returns what is around a camera, (H, W, 4) uint8 sRGB. It looks ahead, level, so that the floor is level."""
        ahead = np.subtract(view.target, view.position)
        turn = Matrix.Rotation(math.atan2(-ahead[0], ahead[1]), 4, "Z") @ Matrix.Rotation(math.pi / 2, 4, "X")
        self._camera.matrix_world = Matrix.Translation(view.position) @ turn
        scene.camera = self._camera
        return render.render_pixels(scene, KeptPicture())


def _add_camera(scene: bpy.types.Scene) -> bpy.types.Object:
    lens: Any = bpy.data.cameras.new("Panorama")
    lens.type, lens.clip_start, lens.clip_end = "PANO", *CLIP
    sphere = lens if hasattr(lens, "panorama_type") else lens.cycles  # Blender 4.5 has it among those of Cycles
    sphere.panorama_type = "EQUIRECTANGULAR"
    eyes = lens.stereo
    eyes.use_spherical_stereo, eyes.convergence_mode, eyes.pivot = True, "PARALLEL", "CENTER"
    eyes.interocular_distance, eyes.use_pole_merge = EYES, True
    eyes.pole_merge_angle_from, eyes.pole_merge_angle_to = map(math.radians, POLES)
    holder = bpy.data.objects.new("Panorama", lens)
    hall_collection(scene).objects.link(holder)
    return holder


def _show_both_eyes(scene: bpy.types.Scene) -> None:
    """Lets renders write both eyes into one file, top to bottom."""
    settings, stated = scene.render, scene.render.image_settings
    settings.use_multiview, settings.views_format = True, "STEREO_3D"
    stated.views_format = "STEREO_3D"
    stated.stereo_3d_format.display_mode = "TOPBOTTOM"
    stated.stereo_3d_format.use_squeezed_frame = False
