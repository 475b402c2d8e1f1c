"""The script of Templates > Python: where it is opened, what it imports, and that it runs as it stands."""

import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from innerwalk.blender_addon.scripting import Hall, bridges  # noqa: E402
from innerwalk.blender_addon.ui import script_template  # noqa: E402
from innerwalk.tests.support import live_halls as live  # noqa: E402
from innerwalk.tests.support.pictures import read_picture  # noqa: E402
from innerwalk.torch_bridge import client  # noqa: E402


@pytest.fixture
def text() -> bpy.types.Text:
    """The text that the operator has opened."""
    live.empty_file()
    with live.registered():
        bpy.ops.innerwalk.open_template()
        (text,) = bpy.data.texts
        yield text


class Entries:
    """A layout that notes the operators that are drawn."""

    def __init__(self):
        self.layout, self.operators = self, []

    def operator(self, name: str) -> None:
        self.operators.append(name)

    def separator(self) -> None:
        self.operators.append("")


def test_the_entry_is_in_the_menu_but_not_in_its_submenus():
    menu, context = Entries(), type("Context", (), {})
    script_template.draw_template(menu, context)
    context.path_menu_directory = "/templates_py/UI"
    script_template.draw_template(menu, context)
    assert menu.operators == ["", "innerwalk.open_template"]


def test_nothing_is_left_in_the_menu():
    before = list(bpy.types.TEXT_MT_templates_py._dyn_ui_initialize())
    with live.registered():
        assert len(bpy.types.TEXT_MT_templates_py._dyn_ui_initialize()) == len(before) + 1
    assert list(bpy.types.TEXT_MT_templates_py._dyn_ui_initialize()) == before


def test_it_imports_this_installation(text, monkeypatch):
    assert "\nfrom innerwalk.blender_addon.scripting import Hall\n" in text.as_string()
    monkeypatch.setattr(script_template, "EXTENSION_ID", "bl_ext.user_default.innerwalk")
    bpy.ops.innerwalk.open_template()
    assert "\nfrom bl_ext.user_default.innerwalk.blender_addon.scripting import Hall\n" in bpy.data.texts[1].as_string()
    assert "from ." not in bpy.data.texts[1].as_string()


def test_it_runs_as_it_stands(text, torch_python, tmp_path, monkeypatch):
    monkeypatch.setattr(bridges, "find_python", lambda: torch_python)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "mine.blend"))
    (text,) = bpy.data.texts
    script = compile(text.as_string(), text.name, "exec")
    exec(script, {"__name__": "__main__"})
    exec(script, {"__name__": "__main__"})
    hall, again = Hall.all()
    assert live.equal(live.texels(hall.scene), live.texels(again.scene))
    with live.bridge() as bridge:
        job = live.job_maps(bridge, bridge.start("object", "grad_cam", inputs=[client.item("object", 7)]))
    shown = live.texels(hall.scene)
    assert (shown["stage3.1:add"] == job["stage3.1:add"]).all() and shown["stage3.1:add"].any()
    assert hall.selected.layer == "stage3.1:add" and hall["stage1.0.conv1"].object.hide_render
    assert hall.appearance.gain == 1.5
    assert read_picture(tmp_path / "hall.png").std() > 10
    assert (tmp_path / "object_hall.blend").is_file()
    Hall.leave_bridge()
