"""PyTorch that is being set up while files are opened and the extension is disabled."""

import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender")

from innerwalk.blender_addon import ui  # noqa: E402
from innerwalk.blender_addon.ui.bridge import python_form  # noqa: E402


class Setup:
    """A setup that does nothing until it is cancelled."""

    state, status, progress, error, ended = "running", "downloading", 0.5, "", False

    def __init__(self, python, folder, options):
        self.folder = folder

    def cancel(self) -> None:
        self.state = "cancelled"

    def wait(self, seconds: float) -> None:
        self.ended = True


@pytest.fixture
def running(tmp_path, monkeypatch):
    """A setup that the operator has started."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    monkeypatch.setattr(python_form, "PythonSetup", Setup)
    monkeypatch.setattr(python_form, "environment_folder", lambda create=False: str(tmp_path))
    ui.register()
    bpy.context.preferences.system.use_online_access = True
    assert bpy.ops.innerwalk.set_up_python() == {"FINISHED"}
    yield python_form._running[0]
    if hasattr(bpy.types, "INNERWALK_OT_set_up_python"):
        ui.unregister()
    python_form._running.clear()


def test_its_end_is_seen_after_another_file_is_opened(running):
    bpy.ops.wm.read_homefile(use_empty=True, load_ui=False)
    assert bpy.app.timers.is_registered(python_form._look)


def test_no_second_one_begins_before_the_first_is_removed(running):
    bpy.ops.innerwalk.cancel_python()
    with pytest.raises(RuntimeError, match="being set up already"):
        bpy.ops.innerwalk.set_up_python()
    running.wait(0)
    assert bpy.ops.innerwalk.set_up_python() == {"FINISHED"}


def test_disabling_the_extension_ends_it(running):
    ui.unregister()
    assert running.state == "cancelled" and running.ended
    assert not bpy.app.timers.is_registered(python_form._look)
