"""Films as data: how shots follow each other, what a frame shows, and that numbers and words are where they belong."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from innerwalk.blender_addon.films import CameraTrack, Film, FilmHall, Shot, ShotOptions, plan_film
from innerwalk.blender_addon.films.film import FilmWord, FrameState
from innerwalk.blender_addon.films.frame_canvas import FrameCanvas
from innerwalk.blender_addon.films.frame_words import draw_progress, draw_words
from innerwalk.blender_addon.films.tile_numbers import TileNumbers
from innerwalk.blender_addon.layout.camera_presets import is_inside
from innerwalk.blender_addon.layout.view import View
from innerwalk.tests.support import graphs
from innerwalk.torch_bridge.recording import Maps, Network, Prediction, Recording
from innerwalk.torch_bridge.recording.errors import InputError, UnknownName

LAYERS, LINKS = graphs.graph("resnet18")
HALL = FilmHall(graphs.walk("resnet18"), LAYERS, LINKS)
PLAIN = Film((), size=(320, 180), rate=10.0)


def track(count: int, y: float = 0.0) -> CameraTrack:
    positions = np.zeros((count, 3))
    positions[:, 1] = y
    return CameraTrack(positions, np.zeros((count, 2)), np.full(count, 20.0))


def test_a_dissolve_shows_both_shots_and_a_cut_does_not():
    film = Film([Shot("a", track(20)), Shot("b", track(30, 5.0)), Shot("c", track(10, 9.0), "cut")], rate=10.0)
    assert film.starts == (0, 14, 44) and film.frame_count == 54
    assert film.at(13).dissolve is None and film.at(13).camera[1, 3] == 0.0
    shares = [film.at(frame).dissolve[1] for frame in range(14, 20)]
    assert np.allclose(shares, np.arange(1, 7) / 7) and film.at(14).dissolve[0].camera[1, 3] == 0.0
    assert film.at(14).camera[1, 3] == 5.0 and film.at(20).dissolve is None
    assert film.at(43).camera[1, 3] == 5.0 and film.at(44).camera[1, 3] == 9.0 and film.at(44).dissolve is None
    assert (film.at(0).progress, film.at(53).progress) == (0.0, 1.0)
    for frame in (-1, 54):
        with pytest.raises(IndexError):
            film.at(frame)


def test_words_come_and_go_with_their_shot():
    film = Film([Shot("a", track(40), title="Into it", caption="slowly", names=["one"] * 20 + ["two"] * 20)], rate=10.0)
    assert [round(film.at(frame).words[0].opacity, 2) for frame in (0, 2, 10, 38, 39)] == [0.17, 0.5, 1.0, 0.33, 0.17]
    assert [word.text for word in film.at(30).words] == ["Into it", "slowly", "two"]
    long = Film([Shot("a", track(100), title="Into it", caption="slowly")], rate=10.0)
    assert [word.text for word in long.at(70).words] == ["slowly"]


def test_a_tour_names_panels_that_it_sees_in_their_order():
    film = plan_film(HALL, [ShotOptions("tour", seconds=100.0)], PLAIN)
    (shot,) = film.shots
    slots = sorted(HALL.slots.items(), key=lambda pair: pair[1].y)
    named = [name.split("   ")[0] for name, _ in itertools.groupby(shot.names) if name]
    assert named == [layer for layer, _ in slots if layer in named] and len(named) > 0.7 * len(slots)
    for layer, slot in slots:
        frames = [k for k, name in enumerate(shot.names) if name.split("   ")[0] == layer]
        middle = np.array([[*slot.corners(HALL.layout.yaw(slot)).mean(0), (slot.bottom + slot.top) / 2]])
        assert not frames or is_inside(shot.track.view(frames[0], *PLAIN.size), middle), layer


def test_a_shot_of_a_moment_has_a_frame_for_each_end():
    film = plan_film(HALL, [ShotOptions("dolly", seconds=1e-3, layer="layer1.0:add")], PLAIN)
    assert film.frame_count == 2


def test_the_pass_lights_up_layers_in_their_order():
    film = plan_film(HALL, [ShotOptions("forward", seconds=20.0)], PLAIN)
    slots = sorted(HALL.slots.items(), key=lambda pair: pair[1].y)
    dark = [film.at(frame).brightness for frame in (0, 60, 120)]
    assert len(dark[0]) == len(slots) and len(dark[0]) > len(dark[1]) > len(dark[2])
    for now in dark:
        lit = [now.get(layer, 1.0) for layer, _ in slots]
        assert lit == sorted(lit, reverse=True) and min(lit) == pytest.approx(0.02)
    assert not film.at(film.frame_count - 1).brightness


def test_a_series_shows_each_entry_as_long_as_the_others():
    hall = FilmHall(HALL.layout, LAYERS, LINKS, positions=7)
    film = plan_film(hall, [ShotOptions("series", seconds=10.0, first=2, last=6)], PLAIN)
    shown = [film.at(frame).position for frame in range(film.frame_count)]
    assert shown == sorted(shown) and [shown.count(entry) for entry in range(2, 7)] == [20] * 5


@pytest.mark.parametrize(
    ("entry", "error", "says"),
    [
        (ShotOptions("dolly", layer="layer1.0.conv"), UnknownName, "layer1.0.conv1"),
        (ShotOptions("follow"), InputError, "needs its layer"),
        (ShotOptions("split"), InputError, "beside"),
        (ShotOptions("series", last=3), InputError, "a series of 1"),
        (ShotOptions("camera"), InputError, r"\.blend"),
        (ShotOptions("tour", speed=4.0), InputError, "up to 3"),
        (ShotOptions("orbit", seconds=3e4), InputError, "a shot of 300,000 frames; up to 100,000"),
        (ShotOptions("dolly", speed=0.06, seconds=2e4), InputError, "take fewer seconds or more speed"),
        (ShotOptions("dolly", speed=1e-308, seconds=5), InputError, "a speed above 0.05"),
    ],
)
def test_what_a_shot_needs_is_told(entry, error, says):
    with pytest.raises(error, match=says):
        plan_film(HALL, [entry], PLAIN)


def test_a_channel_is_followed_from_its_sources():
    film = plan_film(HALL, [ShotOptions("follow", layer="layer1.0:add")], PLAIN)
    assert [shot.caption for shot in film.shots] == ["from conv1", "from layer1.0.conv2", "layer1.0:add, channel 0"]


def test_pictures_of_the_followed_channel_are_shown_at_the_end():
    made = np.zeros((2, 4, 4, 4), np.float32)
    made[1, ..., 0] = made[1, ..., 3] = 1.0
    network = Network("tiny", tuple(LAYERS), ())
    answer = Prediction("none")
    recording = Recording(network, "x", np.full((4, 4, 3), 100, np.uint8), answer, {}, {})
    recording.add([Maps("layer1.0:add", "maximisation", made, 2, True, channel_numbers=(3, 0))])
    entry = ShotOptions("follow", layer="layer1.0:add", channel=0, pictures=(recording,))
    film = plan_film(HALL, [entry], PLAIN)
    last = film.at(film.frame_count - 1)
    assert last.inset_opacity == 1.0 and film.at(film.starts[2] + 10).inset_opacity == 0.0
    (inset,) = last.insets
    assert inset.caption == "maximisation" and (inset.pixels == [255, 0, 0]).all()
    with pytest.raises(InputError, match="none of channel 1 of layer1.0:add"):
        plan_film(HALL, [replace(entry, channel=1)], PLAIN)


def state(**more) -> FrameState:
    view = View((0, 0, 0), (0, 1, 0), 200, 100, 18.0)  # a metre before it, a metre is 100 pixels
    return FrameState(view.matrix(), 18.0, view, None, {}, (), 0.25, **more)


def test_numbers_stand_in_the_squares_of_their_values():
    film = Film((), size=(200, 100))
    points = np.array([(-0.5, 1.0, 0.0), (0.5, 1.0, 0.25)])
    numbers = TileNumbers(points, ("1.5", "−2"), np.array([False, True]), 0.4)
    pixels = np.full((100, 200, 4), 128, np.uint8)
    pixels[..., 3] = 255
    draw_words(pixels, state(numbers=numbers), film)
    changed = (pixels[..., 0] != 128).astype(float)
    bright, dark = pixels[..., 0] > 150, pixels[..., 0] < 100
    assert bright[40:60, 30:70].any() and dark[15:35, 130:170].any()
    changed[40:60, 30:70] = changed[15:35, 130:170] = 0
    assert not changed.any()
    small = TileNumbers(points, ("1.5", "−2"), np.array([False, True]), 0.04)
    pixels = np.full((100, 200, 4), 128, np.uint8)
    draw_words(pixels, state(numbers=small), film)
    assert (pixels == 128).all()


def test_progress_is_a_line_along_the_lower_edge():
    pixels = np.zeros((540, 960, 4), np.uint8)
    draw_progress(pixels, state(), Film((), size=(960, 540)))
    assert not pixels[:537].any() and (pixels[537:, :240] == [0x4D, 0xA3, 0xFF, 255]).all()
    assert (pixels[537:, 240:, 2] < 128).all()


def test_words_that_are_too_long_are_cut_and_stay_in_the_frame():
    pixels = np.zeros((540, 960, 4), np.uint8)
    shown = state()
    words = (FilmWord("W" * 900, "title", 1.0), FilmWord("layer." * 200, "layer", 1.0))
    draw_words(pixels, FrameState(**{**vars(shown), "words": words}), Film((), size=(960, 540)))
    columns = np.flatnonzero(pixels[..., 3].any(0))
    assert columns[0] >= 10 and columns[-1] <= 950


def test_colours_are_laid_over_transparent_frames_unchanged():
    pixels = np.zeros((4, 6, 4), np.uint8)
    canvas = FrameCanvas(pixels)
    canvas.box(-1, 1.5, 3, 2, "#FF8000", 0.5)
    assert pixels[2, 0].tolist() == [255, 128, 0, 128] and pixels[1, 1].tolist() == [255, 128, 0, 64]
    assert not pixels[:, 2:].any() and not pixels[0].any()
    canvas.picture(np.full((9, 9, 3), 40, np.uint8), 4, -3)
    assert (pixels[:, 4:] == [40, 40, 40, 255]).all()
