"""The laws of cameras hold for every shot in halls of every kind: speed, turning, jerk, no roll, room, what is seen."""

import itertools
import math

import numpy as np
import pytest

from innerwalk.blender_addon.films import (
    CameraLimits,
    Film,
    FilmHall,
    Pose,
    ShotOptions,
    panel_distances,
    plan_track,
)
from innerwalk.blender_addon.films.catmull_rom import curve_through
from innerwalk.blender_addon.films.film_hall import panel_corners
from innerwalk.blender_addon.films.film_plan import plan_shots
from innerwalk.blender_addon.films.shots import walking
from innerwalk.blender_addon.films.shots.walking import LONGEST, answer_pose
from innerwalk.blender_addon.films.sight import hidden_points, hidden_share, panel_points
from innerwalk.blender_addon.films.tile_numbers import tile_view
from innerwalk.blender_addon.layout.boards import answer_boards, input_boards, title_board
from innerwalk.blender_addon.layout.camera_presets import is_inside
from innerwalk.blender_addon.layout.hall_model import Slot
from innerwalk.blender_addon.layout.view import View
from innerwalk.tests.support import graphs

SIZE, RATE = (960, 540), 25.0
PLAIN = Film((), size=SIZE, rate=RATE)
NAMES = ("resnet18", "squeezenet1_0", "vit_b_16", "inception_v3", "resnet152", "u_net", "two_streams", "one panel",
         "2048 channels", "vectors", "wide maps", "tall maps", "dense", "many inputs", "apart")  # fmt: skip
MOST_ACCELERATION, MOST_JERK = 3.0, 9.0
"""m/s² and m/s³ at 1.4 m/s; shots of a few seconds start more quickly."""


def hall(name: str) -> FilmHall:
    layers, links = graphs.graph(name)
    return FilmHall(graphs.walk(name), layers, links)


def options(shown: FilmHall) -> list[ShotOptions]:
    layer = list(shown.slots)[len(shown.slots) // 2]
    return [
        ShotOptions("tour"),
        ShotOptions("tour", seconds=20.0, speed=3.0),
        ShotOptions("forward", seconds=20.0),
        ShotOptions("orbit"),
        ShotOptions("orbit", layer=layer),
        ShotOptions("dolly"),
        ShotOptions("dolly", layer=layer),
        ShotOptions("dolly", layer=layer, seconds=8.0),
        ShotOptions("follow", layer=layer),
        ShotOptions("series"),
    ]


@pytest.mark.parametrize("name", NAMES)
def test_cameras_move_slowly_and_smoothly_and_keep_away_from_panels(name):
    shown = hall(name)
    for entry in options(shown):
        for shot in plan_shots(shown, entry, PLAIN):
            what, track = f"{name} {entry}", shot.track
            velocity = np.diff(track.positions, axis=0) * RATE
            acceleration = np.diff(velocity, axis=0) * RATE
            jerk = np.diff(acceleration, axis=0) * RATE
            yaw, pitch = track.angles.T
            ahead = np.stack([-np.sin(yaw) * np.cos(pitch), np.cos(yaw) * np.cos(pitch), np.sin(pitch)], 1)
            turning = np.degrees(np.linalg.norm(np.diff(ahead, axis=0), axis=1)) * RATE
            matrices = np.array([track.matrix(frame) for frame in range(0, len(track), 20)])
            assert np.allclose(matrices[:, :3, 2], -ahead[::20]) and np.allclose(
                matrices[:, :3, 3], track.positions[::20]
            )
            assert fastest(velocity) <= entry.speed * 1.02, what
            assert turning.max() <= (14.2 if entry.kind == "orbit" else 12.2), what
            assert fastest(acceleration) <= MOST_ACCELERATION * entry.speed / 1.4, what
            assert fastest(jerk) <= MOST_JERK * entry.speed / 1.4, what
            assert np.abs(matrices[:, 2, 0]).max() < 1e-9 and matrices[:, 2, 1].min() > 0, what  # no roll
            assert panel_distances(shown.layout, track.positions[::5]).min() >= 0.4, what


def fastest(rows: np.ndarray) -> float:
    return float(np.linalg.norm(rows, axis=1).max())


@pytest.mark.parametrize("name", NAMES)
def test_what_a_shot_is_about_is_in_the_picture(name):
    shown = hall(name)
    tour = plan_shots(shown, ShotOptions("tour"), PLAIN)
    before = [*input_boards(shown.layout), title_board(shown.layout)]
    seen = np.concatenate([board.corners() for board in before])
    assert is_inside(tour[0].track.view(0, *SIZE), seen)
    answers = np.concatenate([board.corners() for board in answer_boards(shown.layout)])
    assert is_inside(tour[-1].track.view(-1, *SIZE), answers)
    assert sum(len(shot.track) for shot in tour) <= LONGEST * RATE
    layer = list(shown.slots)[len(shown.slots) // 2]
    slot = shown.slots[layer]
    panel = panel_corners(shown.layout, slot)
    (orbit,) = plan_shots(shown, ShotOptions("orbit", layer=layer), PLAIN)
    assert all(is_inside(orbit.track.view(frame, *SIZE), panel) for frame in range(0, len(orbit.track), 20))
    eyes = orbit.track.positions[[0, len(orbit.track) // 2, -1]]
    assert max(hidden_share(shown.layout, eye, slot) for eye in eyes) <= 0.1
    (dolly,) = plan_shots(shown, ShotOptions("dolly", layer=layer), PLAIN)
    tile = tile_view(shown, slot, None)
    later = range(len(dolly.track) // 2, len(dolly.track), 10)
    assert all(is_inside(dolly.track.view(frame, *SIZE), tile.centre[None]) for frame in later)
    x, y, _ = dolly.track.view(-1, *SIZE).project(tile.centre)
    assert abs(x - SIZE[0] / 2) < 2 and abs(y - SIZE[1] / 2) < 2


@pytest.mark.parametrize("name", graphs.names())
def test_a_whole_tour_sees_each_panel_past_those_before_it(name, monkeypatch):
    """At least 90 % of it, at a frame where it is as tall as a tenth of the picture or as wide as a fifth."""
    monkeypatch.setattr(walking, "LONGEST", 1e6)
    shown = hall(name)
    (shot,) = plan_shots(shown, ShotOptions("tour"), Film((), size=SIZE, rate=8.0))
    views = [shot.track.view(frame, *SIZE) for frame in range(len(shot.track))]
    for layer, slot in shown.slots.items():
        assert best_share(shown, slot, views) >= 0.9, f"{layer} of {name}"


def test_a_walk_straight_ahead_hides_panels_that_a_tour_shows():
    shown = hall("resnet18")
    (shot,) = plan_shots(shown, ShotOptions("forward", seconds=60.0), Film((), size=SIZE, rate=4.0))
    views = [shot.track.view(frame, *SIZE) for frame in range(len(shot.track))]
    assert np.median([best_share(shown, slot, views) for slot in shown.layout.panels]) < 0.75


def best_share(shown: FilmHall, slot: Slot, views: list[View]) -> float:
    """The share of a panel that is seen from the best camera, of those in whose picture it is large enough."""
    near = [view for view in views if slot.y - 7.0 < view.position[1] < slot.y]
    hidden = hidden_points(shown.layout, np.array([view.position for view in near]), slot)
    points, shares = panel_points(shown.layout, slot), [0.0]
    for view, covered in zip(near, hidden, strict=True):
        x, y, depth = view.project(points).T
        seen = (x >= 0) & (x <= SIZE[0]) & (y >= 0) & (y <= SIZE[1]) & (depth > 0) & ~covered
        if np.ptp(y) > SIZE[1] / 10 or np.ptp(x) > SIZE[0] / 5:
            shares.append(float(seen.mean()))
    return max(shares)


def test_the_names_of_halves_are_above_the_answers():
    shown = hall("squeezenet1_0")
    view = answer_pose(shown.layout, (480, 540))
    boards = np.concatenate([board.corners(0.4) for board in answer_boards(shown.layout)])
    tops = View(view.position, view.target, 480, 540, view.lens).project(boards)[:, 1]
    assert 540 - tops.max() > 0.1 * 540


def test_a_long_hall_is_cut_before_gates():
    shown = hall("resnet152")
    tour = plan_shots(shown, ShotOptions("tour"), PLAIN)
    gates = [stage.start for stage in shown.layout.stages]
    begins = [float(shot.track.positions[0, 1]) for shot in tour]
    assert len(tour) > 3 and begins == sorted(begins)
    assert any(math.isclose(begin, gate - 3.0, abs_tol=1.6) for begin in begins[1:] for gate in gates)


@pytest.mark.parametrize("kind", ["tour", "forward"])
def test_pieces_of_a_walk_show_nothing_twice(kind):
    shown = hall("squeezenet1_0")
    pieces = plan_shots(shown, ShotOptions(kind, seconds=30.0), PLAIN)
    ways = [shot.track.positions[:, 1] for shot in pieces]
    assert len(ways) > 2 and sum(map(len, ways)) == 30 * RATE
    assert all(before[-1] <= after[0] for before, after in itertools.pairwise(ways))


def test_the_way_takes_as_long_as_its_limits_ask_for():
    """14 m at 1.4 m/s take 10 s, and starting and stopping 2 s more."""
    poses = [Pose((0, y, 1.7), (0, y + 10, 1.7), 20.0) for y in (0.0, 5.0, 14.0)]
    track = plan_track(poses, 30.0)
    assert len(track) == 12 * 30 + 1
    assert np.allclose(track.positions[[0, -1], 1], [0, 14]) and np.allclose(track.positions[180, 1], 7.0, atol=0.01)
    slow = plan_track(poses, 30.0, seconds=22.0)
    assert len(slow) == 660 and np.isclose(np.diff(slow.positions[300:360, 1]).max() * 30, 0.7, rtol=0.01)
    late = plan_track(poses, 30.0, seconds=6.0)
    assert len(late) == 180 and np.isclose(late.positions[-1, 1], 14.0) and late.positions[0, 1] > 8.0
    moving = plan_track(poses, 30.0, CameraLimits(starts_at_rest=False, ends_at_rest=False))
    assert np.allclose(np.diff(moving.positions[:, 1]) * 30, 1.4, rtol=0.02)


def test_a_turn_takes_its_time():
    """90° at 12° a second take 7.5 s, and starting and stopping 2 s more; a long lens turns more slowly."""
    turn = [Pose((0, 0, 1.7), (0, 10, 1.7), 20.0), Pose((0, 0, 1.7), (10, 0, 1.7), 20.0)]
    assert abs(len(plan_track(turn, 30.0)) / 30 - 9.5) < 1.2  # the target's way is straight, so that it nears
    assert len(plan_track([Pose(p.position, p.target, 200.0) for p in turn], 30.0)) > 5 * len(plan_track(turn, 30.0))


def test_curves_pass_through_their_points_without_cusps():
    points = np.array([(0, 0, 0), (10, 0, 0), (10, 0.5, 0), (10, 12, 0)], float)
    curve = curve_through(points)
    assert np.allclose(curve[[0, 96, 192, 288]], points)
    steps = np.diff(curve, axis=0)
    angles = np.sum(steps[1:] * steps[:-1], 1) / np.linalg.norm(steps[1:], axis=1) / np.linalg.norm(steps[:-1], axis=1)
    assert angles.min() > 0.9 and curve[:, 0].max() < 10.6
    assert np.allclose(curve_through(points[[0, 1]])[:, 1:], 0)
    assert np.allclose(curve_through(np.zeros((3, 3))), 0)
