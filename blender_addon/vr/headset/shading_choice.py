"""The shading of a headset's session: Material Preview, or colours baked into textures if the hall is too large."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from ...live.session import current
from ...properties import COLOUR_GAIN, COLOUR_MAP, PANEL_FILL_COUNT, PANEL_GRID, PEAK_WEIGHTS
from ...scene.hall import baking
from ...scene.panels import find_panel, panels
from ...scene.view import view_shading
from ...time_slicing import run_for
from . import xr

REBAKE_DISTANCE = 3.0
"""Metres that the eye moves before panels are baked again, finer the nearer they are."""
SLICE_SECONDS = 0.0004
"""Seconds for baking in each tick; one panel may take longer."""
PANELS_PER_CHECK = 8
"""Number of panels that each check looks at for new values or another grid."""


class ShadingChoice:
    """The shading of one walk's session."""

    def __init__(self, scene: bpy.types.Scene, shading: str, budget: int) -> None:
        """budget: bytes of textures. shading: preview, baked, or auto, which is preview if it fits the budget."""
        self.scene_name, self.budget = scene.name, budget
        fits = baking.source_image_bytes(scene) <= budget
        is_baked = shading == "baked" or (shading == "auto" and not fits)
        self.mode: view_shading.ShadingMode = "baked" if is_baked else "preview"
        self._saved: dict[str, Any] = {}
        self._work: Generator[bool, None, bool] | None = None
        self._position = np.full(3, np.inf)
        """(3,) position of the eye for which the panels were baked, in the world; infinite before that."""
        self._is_finest = False
        """Whether all panels have their full resolution, wherever the eye is."""
        self._state: dict[str, object] = {}
        self._unchecked: list[str] = []

    @property
    def busy(self) -> bool:
        """Whether baking is running."""
        return self._work is not None

    @property
    def settled(self) -> bool:
        """Whether all that has to be baked is baked."""
        return self.mode == "preview" or (self._work is None and bool(np.isfinite(self._position).all()))

    def save(self) -> None:
        """Saves the session's shading, which Blender replaces by that of the 3D view when the session starts."""
        self._saved = self._shade()

    def enter(self) -> None:
        """Sets the shading of the session that has started; baking begins once the eye's position is known."""
        self._shade()

    def _shade(self) -> dict[str, Any]:
        return view_shading.set_shading(bpy.data.scenes[self.scene_name], xr.settings().shading, self.mode)

    def leave(self) -> None:
        """Restores the session's shading and removes what was baked."""
        view_shading.restore_shading(xr.settings().shading, self._saved)
        scene: bpy.types.Scene | None = bpy.data.scenes.get(self.scene_name)
        if scene is not None and baking.is_baked(scene):
            baking.unbake(scene)

    def rebake(self, scene: bpy.types.Scene) -> None:
        """Removes what was baked and bakes it again, for example after undo."""
        baking.unbake(scene)
        self._work, self._position, self._is_finest = None, np.full(3, np.inf), False

    def update(self, scene: bpy.types.Scene, eye: np.ndarray) -> None:
        """Runs a slice of baking, or starts it if something changed or the eye moved; eye: (4, 4), to world."""
        if self.mode != "baked":
            return
        if self._work is not None:
            self._run_slice(self._work)
        elif self._has_changed(scene) or (not self._is_finest and self._has_moved(eye)):
            self._position = eye[:3, 3].copy()
            self._work = baking.bake(scene, Matrix(eye.tolist()), self.budget)

    def _has_moved(self, eye: np.ndarray) -> bool:
        return bool(np.linalg.norm(eye[:3, 3] - self._position) > REBAKE_DISTANCE)

    def _run_slice(self, work: Generator[bool, None, bool]) -> None:
        try:
            run_for(work, SLICE_SECONDS)
        except StopIteration as done:
            self._work, self._is_finest = None, done.value

    def _has_changed(self, scene: bpy.types.Scene) -> bool:
        """Returns whether colours, input, or values or grid of one of the next few panels have changed."""
        colours = (tuple(np.ravel(scene.get(key, 0.0))) for key in (COLOUR_MAP, COLOUR_GAIN, PEAK_WEIGHTS))
        state: dict[str, object] = {"": (*colours, current().hall(scene.session_uid).shown)}
        self._unchecked = self._unchecked or [*panels(scene)]
        for layer in self._unchecked[:PANELS_PER_CHECK]:
            if (panel := find_panel(scene, layer)) is not None:
                state[layer] = panel.get(PANEL_FILL_COUNT), tuple(panel[PANEL_GRID])
        del self._unchecked[:PANELS_PER_CHECK]
        changed = any(self._state.get(key, value) != value for key, value in state.items())
        self._state.update(state)
        return changed
