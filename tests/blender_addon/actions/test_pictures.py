"""Pictures from where a person stands: small at once, in full size when asked, made again by their recipe."""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from mathutils import Vector  # noqa: E402

from innerwalk.blender_addon import actions  # noqa: E402
from innerwalk.blender_addon.actions.pictures import take_picture_from  # noqa: E402
from innerwalk.blender_addon.layout.view import View  # noqa: E402
from innerwalk.blender_addon.live.session import current  # noqa: E402
from innerwalk.blender_addon.output.figure import render_figure  # noqa: E402
from innerwalk.blender_addon.output.figure_options import FigureOptions  # noqa: E402
from innerwalk.blender_addon.recipes import read_recipe  # noqa: E402
from innerwalk.blender_addon.scene.hall.build import create_hall  # noqa: E402
from innerwalk.blender_addon.scene.panels import panels  # noqa: E402
from innerwalk.blender_addon.scene.view import region_view  # noqa: E402
from innerwalk.scenes.progress import ProgressBar  # noqa: E402
from innerwalk.scenes.render_recipe import RecipeRun  # noqa: E402
from innerwalk.tests.support.pictures import read_picture  # noqa: E402
from innerwalk.torch_bridge import recording as rec  # noqa: E402
from innerwalk.torch_bridge.recording.errors import SceneError  # noqa: E402

VIEW = View((0.3, -1.0, 1.7), (0.0, 5.0, 1.6), 320, 180, 20.0)


@pytest.fixture
def hall(empty_scene, recorded, tmp_path):
    scene = create_hall(rec.load(recorded))
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "mine.blend"))
    yield scene
    current().forget()


def test_a_small_picture_becomes_large_and_its_recipe_makes_it_again(hall, tmp_path):
    folder, before = tmp_path / "pictures", set(bpy.data.cameras)
    assert take_picture_from(hall, VIEW) == "tiny-1.png is taken; 1 to be rendered in full size"
    assert "2 to be" in take_picture_from(hall, View((0.0, 3.0, 9.0), (0.0, 3.0, 0.0), 200, 200, span=8.0))
    small = read_picture(folder / "tiny-1.png")
    assert small.shape == (270, 480, 3) and not list(folder.glob("*.toml"))
    assert actions.render_pictures(hall).endswith("tiny-2.png and its recipe")
    large = read_picture(folder / "tiny-1.png")
    assert large.shape == (180, 320, 3) and np.ptp(large) > 100
    bpy.ops.wm.save_mainfile()
    for name in ("tiny-1", "tiny-2"):
        run = RecipeRun(read_recipe(folder / f"{name}.toml"), folder, trust=False)
        assert len(list(run.render(tmp_path / "again", ProgressBar(sys.stderr, shown=False)))) == 1
        assert np.array_equal(read_picture(tmp_path / "again" / f"{name}.png"), read_picture(folder / f"{name}.png"))
    assert set(bpy.data.cameras) == before
    with pytest.raises(SceneError, match="no picture is waiting"):
        actions.render_pictures(hall)


def test_a_picture_is_taken_from_where_the_view_stands(hall, tmp_path):
    """A hidden panel changes the pixels that the view projects it to, and no others."""
    panel = panels(hall)["a"]
    whole = read_picture(figure(hall, tmp_path / "whole.png", VIEW))
    panel.hide_render = True
    gone = read_picture(figure(hall, tmp_path / "gone.png", VIEW))
    points = np.array([panel.matrix_world @ Vector(corner) for corner in panel.bound_box])
    box = VIEW.project(points)
    changed = np.argwhere((whole != gone).any(-1))
    low, high = changed.min(0), changed.max(0)
    margin = 3
    assert len(changed) > 100
    assert box[:, 0].min() - margin < low[1] and high[1] < box[:, 0].max() + margin
    assert 180 - box[:, 1].max() - margin < low[0] and high[0] < 180 - box[:, 1].min() + margin


def figure(scene, path: Path, view: View) -> Path:
    options = FigureOptions("camera", (view.width, view.height), 4, eye=view.position, target=view.target, lens=20.0)
    return render_figure(scene, path, options)


def test_a_hall_that_shows_something_else_by_now_keeps_the_small_picture(hall, tmp_path):
    take_picture_from(hall, VIEW)
    actions.show_look(hall, gain=3.0)
    with pytest.raises(SceneError, match="tiny-1.png stays small"):
        actions.render_pictures(hall)
    assert read_picture(tmp_path / "pictures" / "tiny-1.png").shape == (270, 480, 3)
    assert not current().hall(hall.session_uid).pictures


def test_an_unsaved_file_or_no_view_is_one_line(hall, tmp_path, monkeypatch):
    with pytest.raises(SceneError, match="no 3D view is here"):
        actions.take_picture(hall)
    monkeypatch.setattr(actions.pictures, "own_folder", lambda: None)
    with pytest.raises(SceneError, match="save the Blender file first"):
        take_picture_from(hall, VIEW)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"preset": "walk", "eye": (0, 0, 1), "target": (0, 1, 1)}, "preset walk has its own camera"),
        ({"eye": (0, 0, 1)}, "two points such as"),
        ({"eye": (0, 0, 1), "target": (0, 0, 1)}, "must be two points"),
        ({"eye": (0, 0, 1), "target": (0, 1, 1), "lens": -3.0}, "lens and span above 0"),
        ({"eye": (0, 0, float("nan")), "target": (0, 1, 1)}, "points within"),
        ({"lens": 20.0}, "two points such as"),
    ],
)
def test_a_wrong_viewpoint_is_refused(hall, tmp_path, options, said):
    with pytest.raises(SceneError, match=said):
        render_figure(hall, tmp_path / "x.png", FigureOptions(**{"preset": "camera", **options}))


@pytest.mark.parametrize("span", [None, 12.0])
def test_a_3d_view_becomes_a_camera_with_its_field(span):
    """The same point falls on the same share of the picture."""
    view = View((1.0, -3.0, 2.0), (0.5, 6.0, 1.0), 900, 600, 30.0, span)
    projection = np.diag([1.0, 1.5, -1.0, 1.0 if span else 0.0])
    projection[0, 0], projection[1, 1] = (2 / span, 3 / span) if span else (30 / 18, 45 / 18)
    if not span:
        projection[3, 2] = -1.0
    data = SimpleNamespace(
        view_perspective="ORTHO" if span else "PERSP",
        view_matrix=np.linalg.inv(view.matrix()),
        window_matrix=projection,
        is_perspective=span is None,
    )
    found = region_view.region_view(SimpleNamespace(width=900, height=600), data)
    points = np.array([[0.0, 4.0, 1.0], [2.0, 8.0, 3.0]])
    assert (found.width, found.height) == (1920, 1280)
    assert found.project(points)[:, :2] / 1920 == pytest.approx(view.project(points)[:, :2] / 900, abs=1e-6)


def test_looking_straight_down_has_x_to_the_right():
    view = View((1.0, 2.0, 9.0), (1.0, 2.0, 0.0), 100, 100, span=4.0)
    assert view.project(np.array([2.0, 3.0, 0.0]))[:2] == pytest.approx([75.0, 75.0])
