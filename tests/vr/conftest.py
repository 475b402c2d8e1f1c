"""Walks with a headset and two hands in a window of Blender, by `make test-vr`; what the tests in a window stand on."""

import os

from innerwalk.tests.gui.conftest import package, play

__all__ = ["package", "play"]
collect_ignore_glob = [] if "RIG_ROOT" in os.environ else ["test_*.py"]
