"""What follows when panels were filled: all that is drawn of their maps beside the tiles."""

from __future__ import annotations

import bpy

from .. import panels
from ..dressing import input_overlay
from ..panels import annotations as marks
from ..panels import channel_links


def refresh(scene: bpy.types.Scene, pixel: float = 0.0) -> None:
    """After the last panel was filled: peaks, marks, beams, what is laid over the input. No data-block comes or goes.

    pixel: metres of one, where a figure is seen from outside.
    """
    panels.refresh(scene)
    marks.renew(scene)
    channel_links.renew(scene, pixel)
    input_overlay.renew(scene)
