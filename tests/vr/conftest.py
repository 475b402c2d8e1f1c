"""Fixtures of the tests of walks with a headset, which `make test-vr` runs; the same as those in a window."""

import os

from innerwalk.tests.gui.conftest import package, play

__all__ = ["package", "play"]
collect_ignore_glob = [] if "RIG_ROOT" in os.environ else ["test_*.py"]
