"""A shot keys the hall's camera: between keys it is where the film's camera is, and a person's edit is rendered."""

from dataclasses import replace

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from innerwalk.blender_addon import actions  # noqa: E402
from innerwalk.blender_addon.films import Film, ShotOptions, plan_film  # noqa: E402
from innerwalk.blender_addon.output.film_halls import film_hall_of, keyed_track  # noqa: E402
from innerwalk.blender_addon.output.hall_files import save_hall  # noqa: E402
from innerwalk.blender_addon.properties import LIGHT_FRONT, PANEL_BRIGHTNESS, SERIES_POSITION  # noqa: E402
from innerwalk.blender_addon.recipes import parse_recipe  # noqa: E402
from innerwalk.blender_addon.scene.hall.build import create_hall  # noqa: E402
from innerwalk.blender_addon.scene.hall.series import position_at  # noqa: E402
from innerwalk.blender_addon.scene.panels import panels  # noqa: E402
from innerwalk.blender_addon.scene.state.keyframes import find_curve  # noqa: E402
from innerwalk.scenes.film_run import open_film  # noqa: E402
from innerwalk.torch_bridge.recording import SeriesWriter, load  # noqa: E402
from innerwalk.torch_bridge.recording.errors import InputError, SceneError, UnknownName  # noqa: E402


@pytest.fixture
def hall(empty_scene, recorded):
    scene = create_hall(load(recorded))
    scene.render.fps = 20
    scene.frame_start, scene.frame_end = 1, 50
    return scene


@pytest.mark.parametrize(("kind", "layer"), [("tour", ""), ("orbit", "b"), ("dolly", "a"), ("follow", ":add")])
def test_the_keyed_camera_goes_the_film_s_way(hall, kind, layer):
    line = actions.key_shot(hall, kind, layer, seconds=8.0, first=11)
    shots = plan_film(film_hall_of(hall), [ShotOptions(kind, 8.0, layer=layer or None)], Film((), rate=20.0)).shots
    last = 10 + sum(len(shot.track) for shot in shots)
    assert line == f"{kind}: Camera is keyed from frame 11 to {last}" and hall.frame_end == last
    track = keyed_track(hall).part(10, last)
    positions, lenses = (
        np.concatenate([getattr(shot.track, name) for shot in shots]) for name in ("positions", "lenses")
    )
    assert np.linalg.norm(track.positions - positions, axis=1).max() < 0.05
    assert np.abs(np.log(track.lenses / lenses)).max() < 0.05
    angles = np.concatenate([shot.track.angles for shot in shots])
    assert np.degrees(np.abs(track.angles - angles)).max() < 1.0


def brightness(scene) -> dict[str, float]:
    return {layer: panel.get(PANEL_BRIGHTNESS, 1.0) for layer, panel in panels(scene).items()}


def test_forward_lights_up_layers_as_in_a_recipe(hall):
    """The number that is keyed is how far the light has come, and a person may move its keys."""
    actions.key_shot(hall, "forward", first=11)
    (shot,) = plan_film(film_hall_of(hall), [ShotOptions("forward")], Film((), rate=20.0)).shots
    seen = []
    for frame in range(0, len(shot.track), 7):
        hall.frame_set(11 + frame)
        wanted = shot.lighting.at(frame)
        found = brightness(hall)
        seen.append(min(found.values()))
        assert all(found[layer] == pytest.approx(wanted.get(layer, 1.0), abs=0.05) for layer in found), frame
    assert min(seen) < 0.05 and seen[-1] == 1.0
    (own,) = plan_film(film_hall_of(hall), [ShotOptions("camera")], Film((), rate=20.0)).shots
    assert own.lighting.at(10).keys() == shot.lighting.at(0).keys()
    hall.frame_set(1)
    assert set(brightness(hall).values()) == {1.0}, "before the shot all panels are lit"
    for point in find_curve(hall, LIGHT_FRONT).keyframe_points:
        point.co[1] = -100.0
    hall.frame_set(60)
    assert max(brightness(hall).values()) == pytest.approx(0.02)


def test_what_is_lit_is_brighter_and_colours_keep_the_light(hall, rendered):
    actions.key_shot(hall, "forward", seconds=8.0)
    hall.frame_set(1)
    dark = rendered(hall, 160, 90).astype(int)
    actions.show_look(hall, gain=1.0)
    assert max(brightness(hall).values()) < 0.05 and np.abs(rendered(hall, 160, 90) - dark).max() < 1
    find_curve(hall, LIGHT_FRONT).keyframe_points[0].co[1] = 100.0
    hall.frame_set(2), hall.frame_set(1)
    lit = rendered(hall, 160, 90).astype(int)
    assert (lit - dark).max() > 40 and lit.std() > dark.std()


def test_a_shot_over_a_pass_lights_all_panels(hall):
    actions.key_shot(hall, "forward", seconds=4.0)
    actions.key_shot(hall, "orbit", seconds=4.0)
    for frame in (1, 40, 80):
        hall.frame_set(frame)
        assert set(brightness(hall).values()) == {1.0}


def test_a_series_is_keyed_with_its_camera(hall, recorded, tmp_path):
    with pytest.raises(SceneError, match="has no series; open one"):
        actions.key_shot(hall, "series")
    with SeriesWriter(tmp_path / "s", "frame") as writer:
        for k in range(3):
            writer.add(f"frame {k}", replace(load(recorded), input_name=f"input {k}"))
    actions.open_series(hall, tmp_path / "s")
    assert actions.key_shot(hall, "series", seconds=3.0, first=11) == "series: Camera is keyed from frame 11 to 70"
    assert [position_at(hall, frame) for frame in (11, 30, 31, 50, 51, 70)] == [0, 0, 1, 1, 2, 2]
    points = [tuple(point.co) for point in find_curve(hall, SERIES_POSITION).keyframe_points]
    assert points == [(11, 0), (31, 1), (51, 2)]
    (own,) = plan_film(film_hall_of(hall), [ShotOptions("camera")], Film((), rate=20.0)).shots
    assert own.positions[30:] == (1,) * 20 + (2,) * 20


def test_two_halls_are_keyed_in_step_and_rendered_side_by_side(hall, recorded, tmp_path):
    with pytest.raises(InputError, match="name of a second hall in this file: there is none"):
        actions.key_shot(hall, "split")
    other = create_hall(load(recorded))
    line = actions.key_shot(hall, "split", seconds=4.0, first=1)
    assert line == f"split: Camera and that of {other.name} are keyed from frame 1 to 80"
    with pytest.raises(UnknownName, match="second hall"):
        actions.key_shot(hall, "split", beside="gone")
    ways = [keyed_track(scene) for scene in (hall, other)]
    assert np.allclose(ways[0].positions[:80], ways[1].positions[:80], atol=0.01)
    other.camera.location.x += 0.5
    for scene, name in ((hall, "left.blend"), (other, "right.blend")):
        save_hall(scene, tmp_path / name)
    text = 'schema = 1\nrecording = "left.blend"\n[film]\noutput = "f.mp4"\nsize = [160, 90]\npasses = 1\n'
    text += '[[shots]]\nkind = "camera"\nbeside = "right.blend"\n'
    frames = open_film(parse_recipe(text), tmp_path, trust=False)
    assert frames.frame_count == 80
    state = frames.film.at(79)
    assert state.beside is not None and np.allclose(state.beside.position, state.view.position, atol=0.01)
    picture = frames.render(79)
    assert picture.shape == (90, 160, 4) and np.abs(picture[:, :80].astype(int) - picture[:, 80:]).mean() < 3


def test_a_later_shot_follows_an_earlier_one(hall):
    actions.key_shot(hall, "orbit", seconds=2.0)
    before = keyed_track(hall)
    actions.key_shot(hall, "dolly", "a", seconds=3.0, first=41)
    whole = keyed_track(hall)
    assert len(before) == 40 and len(whole) == 100 and hall.frame_start == 1
    assert np.allclose(whole.positions[:40], before.positions, atol=1e-4)
    actions.key_shot(hall, "orbit", seconds=2.0, first=41)
    assert np.allclose(keyed_track(hall).positions[40:], before.positions, atol=1e-4)


def test_what_cannot_be_keyed_is_told(hall):
    with pytest.raises(UnknownName, match="dolly"):
        actions.key_shot(hall, "doly")
    with pytest.raises(UnknownName, match="fc"):
        actions.key_shot(hall, "dolly", "fcc")
    with pytest.raises(SceneError, match="no 3D view shows the hall"):
        actions.preview_film(hall)
