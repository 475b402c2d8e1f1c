"""The render engine of halls: draws them with OpenGL as Cycles would, in a fraction of its time."""

from .engine_probe import eevee_works, hall_engine_works
from .render_engine import (
    ENGINE,
    NOT_DRAWN,
    HallRenderEngine,
    KeptPicture,
    pictures_kept,
    register_engine,
    unregister_engine,
)
from .saved_engines import cycles_named, name_cycles, restore_engines

__all__ = [
    "ENGINE",
    "NOT_DRAWN",
    "HallRenderEngine",
    "KeptPicture",
    "cycles_named",
    "eevee_works",
    "hall_engine_works",
    "name_cycles",
    "pictures_kept",
    "register_engine",
    "restore_engines",
    "unregister_engine",
]
