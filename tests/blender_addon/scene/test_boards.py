"""Boards of several inputs and outputs in a hall: built, shown again in place, stored, hit by rays and rendered."""

from dataclasses import replace

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from mathutils import Vector  # noqa: E402

from innerwalk.blender_addon import actions  # noqa: E402
from innerwalk.blender_addon.actions import clicking  # noqa: E402
from innerwalk.blender_addon.layout import boards, camera_presets  # noqa: E402
from innerwalk.blender_addon.output.figure import render_figure  # noqa: E402
from innerwalk.blender_addon.output.figure_options import FigureOptions  # noqa: E402
from innerwalk.blender_addon.plans.board_contents import mosaic  # noqa: E402
from innerwalk.blender_addon.scene.hall import board_hits, build, ray_hits, store  # noqa: E402
from innerwalk.blender_addon.scene.hall.input_updates import show_recording  # noqa: E402
from innerwalk.blender_addon.scene.hall.relayout import refit_hall  # noqa: E402
from innerwalk.blender_addon.scene.paint.pictures import picture_image, read_pixels  # noqa: E402
from innerwalk.blender_addon.scene.state.data_blocks import _data_blocks  # noqa: E402
from innerwalk.blender_addon.scene.state.parts import find_board, pictured_input  # noqa: E402
from innerwalk.tests.support import endpoint_recordings  # noqa: E402
from innerwalk.tests.support.part_plans import hall_of  # noqa: E402
from innerwalk.tests.support.pictures import read_picture  # noqa: E402
from innerwalk.torch_bridge.recording.errors import UnknownName  # noqa: E402


@pytest.fixture(autouse=True)
def empty_file():
    bpy.ops.wm.read_factory_settings(use_empty=True)


def objects(scene, role: str) -> list:
    return [holder for holder in scene.objects if holder.get("innerwalk_role") == role]


def pixels(scene, role: str, number: int) -> np.ndarray:
    return read_pixels(picture_image(find_board(scene, role, number)))


def data_blocks() -> set[tuple[str, int]]:
    return {(block.id_type, block.session_uid) for block in _data_blocks()}


@pytest.mark.parametrize("name", endpoint_recordings.ALL)
def test_a_hall_has_a_board_for_each_input_and_output(name):
    recording = endpoint_recordings.ALL[name]()
    scene = build.create_hall(recording)
    assert len(objects(scene, "input frame")) == len(recording.inputs)
    assert len(objects(scene, "answer board")) == len(recording.outputs)
    for number, own in enumerate(recording.inputs):
        assert (find_board(scene, "input", number) is not None) == (own.pixels is not None)
        if own.pixels is not None:
            assert np.array_equal(pixels(scene, "input", number), mosaic(own.pixels))


@pytest.mark.parametrize("name", endpoint_recordings.ALL)
def test_a_stored_hall_gives_its_inputs_and_outputs_back(name):
    recording = endpoint_recordings.ALL[name]()
    scene = build.create_hall(recording)
    store.write_appearance(scene, store.read_appearance(scene))  # as when a method is chosen
    refit_hall(scene, store.read_appearance(scene))
    found = store.read_recording(scene)
    for side in ("inputs", "outputs"):
        for before, after in zip(getattr(recording, side), getattr(found, side), strict=True):
            assert replace(before, values=None, pixels=None) == replace(after, values=None, pixels=None)
            for field in ("values", "pixels"):
                old, new = getattr(before, field), getattr(after, field)
                assert (old is None) == (new is None) and (old is None or np.array_equal(old, new)), field


def test_twelve_flows_stand_on_one_board_and_are_all_kept():
    recording = endpoint_recordings.flows(12)
    scene = build.create_hall(recording)
    assert len(objects(scene, "answer board")) == 1
    shown = np.concatenate([own.pixels for own in recording.outputs])
    assert np.array_equal(pixels(scene, "answer", 0), mosaic(shown))
    found = store.read_recording(scene).outputs
    assert [own.name for own in found] == [own.name for own in recording.outputs]
    for before, after in zip(recording.outputs, found, strict=True):
        assert np.array_equal(before.pixels, after.pixels)


def test_another_input_changes_its_board_alone_and_in_place():
    recording = endpoint_recordings.clip()
    scene = build.create_hall(recording)
    before, words = data_blocks(), len(find_board(scene, "input frame", 0).data.vertices)
    tokens, picture = recording.inputs
    shown = replace(picture, pixels=np.full((1, 20, 60, 3), 200, np.uint8), source="wide.png")
    show_recording(scene, replace(recording, inputs=(tokens, shown)))
    assert data_blocks() == before
    assert pixels(scene, "input", 1).shape == (20, 60, 3) and (pixels(scene, "input", 1) == 200).all()
    assert len(find_board(scene, "input frame", 0).data.vertices) == words
    few = endpoint_recordings.token_input("input", "input_ids", ("two", "words"))
    show_recording(scene, replace(recording, inputs=(few, shown)))
    assert 0 < len(find_board(scene, "input frame", 0).data.vertices) < words and data_blocks() == before


def test_a_mosaic_of_more_slices_is_read_back():
    recording = endpoint_recordings.volumes()
    scene = build.create_hall(recording)
    scan = np.random.default_rng(0).integers(0, 255, (30, 8, 8, 3), np.uint8)
    show_recording(scene, replace(recording, inputs=(replace(recording.inputs[0], pixels=scan), *recording.inputs[1:])))
    assert np.array_equal(store.read_without_maps(scene).inputs[0].pixels, scan)


def test_a_description_is_read_once_for_each_input():
    """The sidebar and a walk ask for it each time they are drawn."""
    scene = build.create_hall(endpoint_recordings.clip())
    first = store.read_description(scene)
    assert store.read_description(scene) is first
    show_recording(scene, replace(endpoint_recordings.clip(), input_name="another"))
    assert store.read_description(scene).input_name == "another" != first.input_name


def test_slices_turn_to_the_next_axis_and_after_three_turns_return():
    scan = endpoint_recordings.volumes().inputs[0].pixels
    scene = build.create_hall(endpoint_recordings.volumes())
    assert actions.turn_slices(scene, "scan") == "scan: slices along axis 1"
    turned = store.read_without_maps(scene).inputs[0].pixels
    assert np.array_equal(turned, scan.transpose(1, 2, 0, 3))
    assert np.array_equal(turned[7], scan[:, 7].transpose(1, 0, 2))
    assert store.read_description(scene).inputs[0].axis == 1
    actions.turn_slices(scene)
    assert actions.turn_slices(scene, "scan").endswith("axis 0")
    assert np.array_equal(store.read_without_maps(scene).inputs[0].pixels, scan)
    with pytest.raises(UnknownName, match="mel"):
        actions.turn_slices(scene, "mel")


@pytest.mark.parametrize("stored", [[10**9, 3], [-1, 2], [5, 0], "many", [2.5, 1.0], [12]])
def test_a_hostile_mosaic_is_one_picture(stored):
    scene = build.create_hall(endpoint_recordings.volumes())
    picture_image(find_board(scene, "input", 0))["innerwalk_mosaic"] = stored
    assert len(store.read_without_maps(scene).inputs[0].pixels) == 1


@pytest.mark.parametrize("number", ["x", -5, 10**6, 1.5])
def test_hostile_numbers_of_boards_are_no_boards(number):
    scene = build.create_hall(endpoint_recordings.clip())
    find_board(scene, "input", 1)["innerwalk_board_number"] = number
    assert store.read_without_maps(scene).inputs[1].pixels is None or number in ("x", 1.5)
    assert pictured_input(scene) is not None


def aim(scene, number: int):
    scene.view_layers[0].update()
    board = boards.input_boards(hall_of(endpoint_recordings.clip()))[number]
    middle = Vector(board.corners().mean(0))
    eye = middle + Vector(np.cross(*board.axes)) * 1.5
    return ray_hits.pick(scene, scene.view_layers[0].depsgraph, eye, middle - eye)


def test_a_ray_finds_the_input_that_it_aims_at():
    scene = build.create_hall(endpoint_recordings.clip())
    for number, name in enumerate(("input_ids", "pixel_values")):
        hit = aim(scene, number)
        assert hit.role == "input" and board_hits.hit_argument(scene, hit) == name
        assert board_hits.hit_input(scene, hit).kind == ("tokens", "picture")[number]


def test_a_held_picture_can_be_placed_on_a_picture_alone():
    scene = build.create_hall(endpoint_recordings.clip())
    assert not clicking.has_effect(scene, aim(scene, 1))
    scene["innerwalk_held"] = 0
    assert clicking.has_effect(scene, aim(scene, 1)) and not clicking.has_effect(scene, aim(scene, 0))


def test_maps_of_the_input_lie_over_the_picture_and_not_over_words():
    scene = build.create_hall(endpoint_recordings.clip())
    assert pictured_input(scene) == find_board(scene, "input", 1)


def test_boards_are_rendered_with_their_contents(tmp_path):
    recording, size = endpoint_recordings.clip(), (480, 270)
    options = FigureOptions(preset="entrance", size=size, samples=1)
    image = read_picture(render_figure(recording, tmp_path / "entrance.png", options)).astype(int)
    hall = hall_of(recording)
    view = camera_presets.entrance(hall, *size)

    def colour(board, x: float, y: float) -> np.ndarray:
        """sRGB of a place on a board, as shares from its lower left corner."""
        corners = board.corners()
        point = corners[0] + (corners[1] - corners[0]) * x + (corners[3] - corners[0]) * y
        column, row = view.project(point[None])[0, :2].astype(int)
        return image[size[1] - 1 - row, column, :3]

    words, picture = boards.input_boards(hall)
    blue, yellow = colour(picture, 0.1, 0.9), colour(picture, 0.9, 0.1)
    assert blue[2] > 100 > blue[0] and blue[1] < 100
    assert yellow[0] > 150 and yellow[1] > 150 and yellow[2] < 150
    strip = np.array([colour(words, x, 0.62) for x in np.linspace(0.03, 0.97, 60)])
    assert strip.max() > 150 and np.median(strip) < 60  # light words on dark boards
