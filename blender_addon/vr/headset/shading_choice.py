"""What a headset is asked to draw: Material Preview, or colours baked into byte textures, by what it can bear."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from ...live.session import current
from ...properties import COLOUR_GAIN, COLOUR_MAP, PANEL_FILL_COUNT, PANEL_GRID, PEAK_WEIGHTS
from ...scene.hall import baked
from ...scene.panels import find, panels
from ...scene.view import view_shading
from ...time_slicing import some
from . import xr

MOVED = 3.0
"""Metres after which it is looked again which panels are near."""
SLICE = 0.0004
"""Seconds of a go that baking takes, or one panel of it."""
PANELS = 8
"""Panels that are looked at at a time: were they filled or laid out since?"""


class Fit:
    """The shading of one walk's session."""

    def __init__(self, scene: bpy.types.Scene, shading: str, budget: int) -> None:
        """budget: bytes of textures. shading: preview, baked, or auto: the first where it fits the budget."""
        self.scene, self.budget = scene.name, budget
        fits = baked.textures_of(scene) <= budget
        self.shading: view_shading.How = (
            "baked" if shading == "baked" or (shading == "auto" and not fits) else "preview"
        )
        self._before: dict[str, Any] = {}
        self._work: Generator[bool, None, bool] | None = None
        self._at = np.full(3, np.inf)
        self._everywhere = False
        """Whether all is as fine as can be wherever the eye is."""
        self._seen: dict[str, object] = {}
        self._layers: list[str] = []

    @property
    def busy(self) -> bool:
        """Whether something is being baked."""
        return self._work is not None

    @property
    def settled(self) -> bool:
        """Whether what was to be baked is."""
        return self.shading == "preview" or (self._work is None and bool(np.isfinite(self._at).all()))

    def keep(self) -> None:
        """Remember the session's shading; Blender gives it that of the 3D view when it starts."""
        self._before = self._shade()

    def enter(self) -> None:
        """The session that has been started has this shading; it is baked once it is known where the eye is."""
        self._shade()

    def _shade(self) -> dict[str, Any]:
        return view_shading.shade(bpy.data.scenes[self.scene], xr.settings().shading, self.shading)

    def leave(self) -> None:
        """Everything as before."""
        view_shading.put_back(xr.settings().shading, self._before)
        scene: bpy.types.Scene | None = bpy.data.scenes.get(self.scene)
        if scene is not None and baked.is_baked(scene):
            baked.unbake(scene)

    def again(self, scene: bpy.types.Scene) -> None:
        """What was baked may be no more, as after undo: it is baked anew."""
        baked.unbake(scene)
        self._work, self._at, self._everywhere = None, np.full(3, np.inf), False

    def look(self, scene: bpy.types.Scene, eye: np.ndarray) -> None:
        """Some of the work, for an eye (4, 4) there; else whether there is any."""
        if self.shading != "baked":
            return
        if self._work is not None:
            self._step(self._work)
        elif self._changed(scene) or (not self._everywhere and np.linalg.norm(eye[:3, 3] - self._at) > MOVED):
            self._at = eye[:3, 3].copy()
            self._work = baked.bake(scene, Matrix(eye.tolist()), self.budget)

    def _step(self, work: Generator[bool, None, bool]) -> None:
        try:
            some(work, SLICE)
        except StopIteration as done:
            self._work, self._everywhere = None, done.value

    def _changed(self, scene: bpy.types.Scene) -> bool:
        """Whether colours or input are others, or one of the next few panels was filled or laid out since."""
        colours = (tuple(np.ravel(scene.get(one, 0.0))) for one in (COLOUR_MAP, COLOUR_GAIN, PEAK_WEIGHTS))
        now: dict[str, object] = {"": (*colours, current().shown.get(scene.session_uid))}
        self._layers = self._layers or [*panels(scene)]
        for layer in self._layers[:PANELS]:
            if (panel := find(scene, layer)) is not None:
                now[layer] = panel.get(PANEL_FILL_COUNT), tuple(panel[PANEL_GRID])
        del self._layers[:PANELS]
        changed = any(self._seen.get(key, value) != value for key, value in now.items())
        self._seen.update(now)
        return changed
