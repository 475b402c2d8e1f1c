"""A recipe keeps what a person arranged, and gives it to another hall."""

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from innerwalk.blender_addon import actions  # noqa: E402
from innerwalk.blender_addon.output.hall_files import save_hall  # noqa: E402
from innerwalk.blender_addon.scene.hall import store  # noqa: E402
from innerwalk.blender_addon.scene.hall.build import create_hall  # noqa: E402
from innerwalk.blender_addon.scene.panels import panels  # noqa: E402
from innerwalk.tests.support.pictures import read_picture  # noqa: E402
from innerwalk.torch_bridge import recording as rec  # noqa: E402
from innerwalk.torch_bridge.recording.errors import InputError, SceneError, UnknownName  # noqa: E402


@pytest.fixture
def hall(empty_scene, recorded):
    return create_hall(rec.load(recorded))


def places(scene) -> dict[str, np.ndarray]:
    return {layer: np.array(panel.matrix_world) for layer, panel in panels(scene).items()}


def test_another_hall_gets_what_was_arranged(hall, recorded, tmp_path):
    actions.move(hall, "a", (1.0, 2.0, 0.5))
    actions.scale(hall, "b", 1.5)
    actions.show_look(hall, theme="paper", gain=2.0, normalisation="layer")
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "mine.blend"))
    assert "mine.toml" in actions.save_recipe(hall, tmp_path / "mine.toml")
    other = create_hall(rec.load(recorded))
    actions.move(other, "fc", (3.0, 0.0, 0.0))
    before = places(other)
    assert actions.open_recipe(other, tmp_path / "mine.toml").endswith("2 panels moved")
    appearance = store.read_appearance(other)
    assert appearance == store.read_appearance(hall)
    bpy.context.view_layer.update()
    wanted, found = places(hall), places(other)
    assert all(np.allclose(found[layer], wanted[layer], atol=1e-4) for layer in wanted)
    assert not np.allclose(found["fc"], before["fc"])


def test_a_hall_must_be_in_a_file(hall, tmp_path):
    with pytest.raises(SceneError, match="save the Blender file first"):
        actions.save_recipe(hall, tmp_path / "mine.toml")
    assert not (tmp_path / "mine.toml").exists()


def test_a_recipe_for_another_network_changes_nothing(hall, tmp_path):
    path = tmp_path / "other.toml"
    head = 'schema = 1\nrecording = "x"\n[look]\ntheme = "paper"\n'
    path.write_text(head + "moved = {c = [1,0,0,0, 0,1,0,0, 0,0,1,0, 0,0,0,1]}\n")
    before = places(hall)
    with pytest.raises(UnknownName, match="no panel of layer 'c'"):
        actions.open_recipe(hall, path)
    path.write_text(head + "gian = 2.0\n")
    with pytest.raises(InputError, match="did you mean gain"):
        actions.open_recipe(hall, path)
    assert store.read_appearance(hall).theme == "dark"
    assert all(np.array_equal(place, before[layer]) for layer, place in places(hall).items())


def test_a_recipe_of_a_hall_is_rendered(hall, recorded, tmp_path, capsys):
    from innerwalk.scenes import cli

    save_hall(hall, tmp_path / "mine.blend")
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "mine.blend"))
    (scene,) = store.halls()
    actions.save_recipe(scene, tmp_path / "mine.toml")
    text = (tmp_path / "mine.toml").read_text()
    (tmp_path / "mine.toml").write_text(text.replace("# size = [1920, 1080]", "samples = 1\nsize = [160, 90]"))
    assert cli.main(["render", str(tmp_path / "mine.toml"), "-o", str(tmp_path / "out")]) == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"overview.png", "camera.png"}
    before = read_picture(tmp_path / "out" / "overview.png")
    moved = "[look.moved]\na = [1,0,0,9, 0,1,0,0, 0,0,1,0, 0,0,0,1]\n[[figures]]"
    (tmp_path / "mine.toml").write_text((tmp_path / "mine.toml").read_text().replace("[[figures]]", moved, 1))
    assert cli.main(["render", str(tmp_path / "mine.toml"), "-o", str(tmp_path / "out")]) == 0
    assert not np.array_equal(read_picture(tmp_path / "out" / "overview.png"), before)
