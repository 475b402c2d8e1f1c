"""Films of recipes: frames are the hall's pictures, with words, dissolves, dark layers and two halls side by side."""

from dataclasses import replace

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from innerwalk.blender_addon.films import frame_words  # noqa: E402
from innerwalk.blender_addon.output.film_halls import keyed_track  # noqa: E402
from innerwalk.blender_addon.output.hall_files import save_hall  # noqa: E402
from innerwalk.blender_addon.properties import PANEL_LAYER_ID  # noqa: E402
from innerwalk.blender_addon.recipes import parse_recipe  # noqa: E402
from innerwalk.blender_addon.scene.hall.build import create_hall  # noqa: E402
from innerwalk.scenes.film_run import open_film  # noqa: E402
from innerwalk.torch_bridge.recording import Maps, Prediction, SeriesWriter, load, pack  # noqa: E402
from innerwalk.torch_bridge.recording.errors import InputError, SceneError, UnknownName  # noqa: E402

FILM = '[film]\noutput = "film.mp4"\nsize = [160, 90]\nrate = 10\npasses = 2\nprogress = false\n'


@pytest.fixture
def opened(empty_scene, recorded):
    """opened(text) opens the film of a recipe of the small recording."""

    def open_text(shots: str, film: str = FILM):
        text = f'schema = 1\nrecording = "{recorded.name}"\n{film}{shots}'
        return open_film(parse_recipe(text), recorded.parent, trust=False)

    return open_text


def test_a_frame_is_the_picture_of_its_camera(opened, rendered):
    frames = opened('[[shots]]\nkind = "orbit"\nseconds = 2\n')
    assert (frames.frame_count, frames.rate, frames.size) == (20, 10.0, (160, 90))
    picture = frames.render(7)
    assert picture.shape == (90, 160, 4) and picture.dtype == np.uint8 and (picture[..., 3] == 255).all()
    scene = next(scene for scene in bpy.data.scenes if "innerwalk_hall" in scene)
    state = frames.film.at(7)
    assert np.allclose(scene.camera.matrix_world, state.camera, atol=1e-5)
    assert scene.camera.data.lens == pytest.approx(state.lens)
    assert np.abs(rendered(scene, 160, 90) - picture[..., :3]).max() <= 1
    assert np.array_equal(frames.render(3), frames.render(3)) and not np.array_equal(picture, frames.render(19))
    with pytest.raises(IndexError):
        frames.render(20)


def test_a_dissolve_mixes_two_pictures(opened, monkeypatch):
    film = '[[shots]]\nkind = "orbit"\nseconds = 2\n[[shots]]\nkind = "dolly"\nseconds = 2\n'
    frames = opened(film)
    first, second = (frames._with_words(each) for each in (frames.film.at(16).dissolve[0], frames.film.at(16)))
    share = frames.film.at(16).dissolve[1]
    assert 0 < share < 1 and np.abs(first.astype(int) - second).max() > 50
    assert np.abs(frames.render(16) - (first * (1 - share) + second * share)).max() <= 0.51


def test_layers_that_the_pass_has_not_reached_are_dark(opened):
    frames = opened('[[shots]]\nkind = "forward"\nseconds = 6\n')
    frames.render(frames.frame_count - 1)
    scene = next(scene for scene in bpy.data.scenes if "innerwalk_hall" in scene)
    ranges = {
        each[PANEL_LAYER_ID]: tuple(each["innerwalk_range"]) for each in scene.objects if "innerwalk_range" in each
    }
    frames.render(0)
    for each in scene.objects:
        if "innerwalk_range" in each:
            before, now = ranges[each[PANEL_LAYER_ID]], tuple(each["innerwalk_range"])
            assert now[0] == pytest.approx(before[0] / 0.02) and now[2:] == before[2:]


def test_two_halls_stand_side_by_side(opened, recorded):
    frames = opened(f'[[shots]]\nkind = "split"\nbeside = "{recorded.name}"\nseconds = 2\n')
    picture = frames.render(10)
    left, right = picture[:40, 2:78, :3].astype(int), picture[:40, 82:158, :3].astype(int)
    assert np.abs(left - right).mean() < 6 and left.std() > 3
    assert frames.film.at(10).words[0].text == "noise"


def test_a_transparent_film_has_words_over_nothing(opened):
    film = FILM + "transparent = true\n"
    frames = opened('[[shots]]\nkind = "orbit"\nseconds = 2\ntitle = "Into it"\n', film)
    alpha = frames.render(10)[..., 3]
    assert (alpha[:20] == 0).any() and (alpha == 255).any()
    assert ((alpha > 100) & (alpha < 220)).sum() > 100 * frame_words.STRIP  # the strip behind the title


def test_a_keyed_camera_is_rendered_as_a_person_has_left_it(empty_scene, recorded, tmp_path):
    scene = create_hall(load(recorded))
    holder = scene.camera
    for frame, y in ((1, -3.0), (11, 0.0)):
        holder.location.y = y
        holder.keyframe_insert("location", frame=frame)
    scene.frame_start, scene.frame_end = 1, 11
    save_hall(scene, tmp_path / "mine.blend")
    recipe = parse_recipe(f'schema = 1\nrecording = "mine.blend"\n{FILM}[[shots]]\nkind = "camera"\n')
    frames = open_film(recipe, tmp_path, trust=False)
    assert frames.frame_count == 11
    places = [frames.film.at(frame).camera[1, 3] for frame in range(11)]
    assert places[0] == pytest.approx(-3.0) and places[5] == pytest.approx(-1.5) and places[10] == pytest.approx(0.0)
    assert frames.render(5).std() > 3


def test_a_keyed_camera_of_more_frames_than_a_film_has_is_refused(empty_scene, recorded):
    scene = create_hall(load(recorded))
    scene.camera.keyframe_insert("location", frame=1)
    scene.frame_end = 300_000
    with pytest.raises(SceneError, match="has 300,000 frames; a film has 1 to 100,000"):
        keyed_track(scene)


def test_a_series_changes_maps_answers_and_pictures_while_the_camera_moves(empty_scene, recorded, tmp_path, rendered):
    first = load(recorded)
    rng = np.random.default_rng(3)
    with SeriesWriter(tmp_path / "clip", "frame", 12.0) as writer:
        for k, name in enumerate(("cat", "dog", "owl")):
            shares = ((2 - k, name, 0.9 - 0.3 * k), (k, "other", 0.05))
            entry = replace(first, prediction=Prediction("classes", shares), all_maps={})
            entry.add(
                Maps(maps.layer, maps.method, pack(rng.normal(size=maps.shape)), maps.channels)
                for maps in first.all_maps.values()
            )
            writer.add(f"frame {k}", entry)
    text = f'schema = 1\nrecording = "clip"\n{FILM}[[shots]]\nkind = "series"\nseconds = 3\n'
    text += '[[shots]]\nkind = "orbit"\nseconds = 1\njoin = "cut"\n'
    frames = open_film(parse_recipe(text), tmp_path, trust=False)
    shown = [frames.film.at(frame).position for frame in range(30)]
    assert shown == [0] * 10 + [1] * 10 + [2] * 10
    scene = next(scene for scene in bpy.data.scenes if "innerwalk_hall" in scene)
    for frame in (0, 29, 15, 4):
        picture = frames.render(frame)[..., :3].astype(int)
        fresh = rendered(scene, 160, 90)
        inset = np.abs(fresh - picture).max(-1) > 1
        assert not inset[:, :120].any() and inset[:40, 125:].any(), frame  # the input in the upper right corner
    same_camera = frames.film.at(29).view
    state = replace(frames.film.at(0), view=same_camera)
    difference = np.abs(frames._with_words(state).astype(int) - frames.render(29))[:, :120]
    assert difference.max() > 100
    frames.render(29)
    later = frames.render(35)  # of a shot that is about no series
    frames.render(0)
    assert np.array_equal(frames.render(35), later)


def test_an_entry_of_half_the_values_is_darker(empty_scene, recorded, tmp_path):
    """Colours have one scale over the whole series, so that brightness doesn't jump back to the same for each entry."""
    first = load(recorded)
    with SeriesWriter(tmp_path / "fade", "noise") as writer:
        for share in (1.0, 0.25):
            entry = replace(first, all_maps={})
            entry.add(replace(maps, texels=maps.texels * share, extras={}) for maps in first.all_maps.values())
            writer.add(f"{share}", entry)
    text = f'schema = 1\nrecording = "fade"\n{FILM}[[shots]]\nkind = "series"\nseconds = 2\n'
    frames = open_film(parse_recipe(text), tmp_path, trust=False)
    views = replace(frames.film.at(0), view=frames.film.at(10).view), frames.film.at(10)
    bright, dim = (frames._with_words(state)[:, :120, :3].astype(int) for state in views)
    assert (bright - dim).max() > 40 and bright.std() > 1.2 * dim.std()


def test_what_is_wrong_with_a_film_is_told(opened):
    with pytest.raises(InputError, match=r"no film; add \[film\]"):
        opened("", "")
    with pytest.raises(UnknownName, match="fc"):
        opened('[[shots]]\nkind = "dolly"\nlayer = "fcc"\n')
