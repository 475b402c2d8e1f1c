"""`innerwalk open` shows a hall in a Blender that doesn't have the extension."""

import shutil
from pathlib import Path

from innerwalk.scenes.window.open_window import AT_START


def test_the_hall_stands_at_its_entrance(package: Path, play):
    shutil.copy(AT_START, package.parent)
    result = play("opens_recording")
    assert result["shading"] == "RENDERED"
