"""Saved files name Cycles as the engine of halls, because Blender without Innerwalk knows no other that shows them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import bpy

from ...properties import SHOWN_BY_ENGINE
from .render_engine import ENGINE


def name_cycles() -> None:
    """Names Cycles as the engine of all scenes that Innerwalk's renders, before the file is saved."""
    for scene in bpy.data.scenes:
        if SHOWN_BY_ENGINE in scene and scene.is_editable:
            del scene[SHOWN_BY_ENGINE]
        if scene.render.engine == ENGINE:
            scene.render.engine, scene[SHOWN_BY_ENGINE] = "CYCLES", True


def restore_engines() -> None:
    """Gives scenes back the engine that `name_cycles` has taken from them."""
    for scene in bpy.data.scenes:
        if SHOWN_BY_ENGINE in scene and scene.is_editable:
            del scene[SHOWN_BY_ENGINE]
            scene.render.engine = ENGINE


@contextmanager
def cycles_named() -> Iterator[None]:
    """Names Cycles as the engine of all scenes inside the block, which writes a file."""
    name_cycles()
    try:
        yield
    finally:
        restore_engines()
