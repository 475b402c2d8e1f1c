"""A shot keys the hall's camera: between keys it is where the film's camera is, and a person's edit is rendered."""

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from innerwalk.blender_addon import actions  # noqa: E402
from innerwalk.blender_addon.films import Film, ShotOptions, plan_film  # noqa: E402
from innerwalk.blender_addon.output.film_halls import film_hall_of, keyed_track  # noqa: E402
from innerwalk.blender_addon.scene.hall.build import create_hall  # noqa: E402
from innerwalk.torch_bridge.recording import load  # noqa: E402
from innerwalk.torch_bridge.recording.errors import SceneError, UnknownName  # noqa: E402


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
