"""Updates between a person's actions happen in place: no data-block appears or vanishes without an undo step."""

from dataclasses import replace

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender")

from innerwalk.blender_addon.scene import panels  # noqa: E402
from innerwalk.blender_addon.scene.hall import store  # noqa: E402
from innerwalk.blender_addon.scene.hall.build import create_hall  # noqa: E402
from innerwalk.blender_addon.scene.hall.input_updates import show_recording  # noqa: E402
from innerwalk.blender_addon.scene.paint.pictures import picture_image, picture_size  # noqa: E402
from innerwalk.blender_addon.scene.panels.values import is_colour, is_vector  # noqa: E402
from innerwalk.blender_addon.scene.state.data_blocks import _data_blocks  # noqa: E402
from innerwalk.tests.support import OBJECT_RECORDING  # noqa: E402
from innerwalk.torch_bridge.recording import Maps, load  # noqa: E402

LAYER = "stage1.0.conv2"


@pytest.fixture
def recording():
    return load(OBJECT_RECORDING)


@pytest.fixture
def hall(recording):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    return create_hall(recording)


def data_blocks() -> set[tuple[str, int]]:
    return {(block.id_type, block.session_uid) for block in _data_blocks()}


def of_role(scene, role):
    return next(holder for holder in scene.objects if holder.get("innerwalk_role") == role)


def other(recording, height: int, width: int):
    """A recording of another picture, wider or taller, with another prediction."""
    pixels = np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)
    answer = replace(recording.prediction, top=((1, "a much longer name than before", 0.75), (0, "b", 0.25)))
    return replace(recording, picture=pixels, input_name=f"other {height}", prediction=answer)


def maps_of(kind: str, channels: int = 24) -> Maps:
    cells, side = (channels if kind == "colour" else -(-channels // 4)), {"bars": 1, "scalar": 8, "colour": 5}[kind]
    texels = np.random.default_rng(1).uniform(size=(cells, side, side, 4)).astype(np.float32)
    return Maps(LAYER, kind, texels, channels, colour=kind == "colour")


def test_showing_another_input_and_prediction(hall, recording):
    before = data_blocks()
    for new in (other(recording, 40, 90), other(recording, 90, 40), other(recording, 200, 200)):
        show_recording(hall, new)
        assert data_blocks() == before
        holder, frame = of_role(hall, "input"), of_role(hall, "input frame")
        assert tuple(picture_image(holder).size) == new.picture.shape[1::-1]
        assert max(picture_size(holder)) == pytest.approx(2.2)
        assert picture_size(holder)[0] / picture_size(holder)[1] == pytest.approx(
            new.picture.shape[1] / new.picture.shape[0]
        )
        assert np.array_equal(store.read_without_maps(hall).picture, new.picture)
        assert store.read_description(hall).prediction.top == new.prediction.top
        inside = frame.matrix_basis.inverted() @ holder.matrix_basis
        assert tuple(inside.translation) == pytest.approx((0, 0, 0.02), abs=1e-6)
    assert len(of_role(hall, "answer board").data.vertices) > 100


def test_the_input_frame_returns_to_its_place(hall, recording):
    at = of_role(hall, "input").matrix_basis.copy()
    show_recording(hall, other(recording, 40, 90))
    assert (of_role(hall, "input").matrix_basis.translation - at.translation).length > 0.1
    show_recording(hall, recording)
    assert (of_role(hall, "input").matrix_basis.translation - at.translation).length < 1e-5


def test_another_prediction_is_drawn(hall, recording):
    board = of_role(hall, "answer board")
    count = len(board.data.vertices)
    show_recording(hall, other(recording, 64, 64))
    assert len(board.data.vertices) != count
    show_recording(hall, recording)
    assert len(board.data.vertices) == count


@pytest.mark.parametrize("kinds", [("scalar", "bars", "scalar"), ("bars", "colour", "bars"), ("colour", "scalar")])
def test_maps_of_other_sizes_and_kinds(hall, kinds):
    before, panel = data_blocks(), panels.panel_of(hall, LAYER)
    for kind in kinds:
        maps = maps_of(kind)
        panels.show_maps(panel, maps)
        assert data_blocks() == before
        assert (is_vector(panel), is_colour(panel)) == (kind == "bars", kind == "colour")
        assert np.array_equal(store.read_maps(panel, LAYER, kind).texels, maps.texels)


def test_undo_after_new_inputs_and_methods(hall, recording):
    """Regression: undo met a dangling pointer to a deleted board, and Blender crashed."""
    name = hall.name

    def now():
        return bpy.data.scenes[name]

    def came(number: int) -> None:
        show_recording(now(), other(recording, 40 + number, 90 - number))
        panel = panels.panel_of(now(), LAYER)
        panels.show_maps(panel, maps_of(("scalar", "colour", "bars")[number % 3]))
        now().view_layers[0].update()

    for number in range(4):
        now()["number"] = number
        bpy.ops.ed.undo_push(message=f"step {number}")
        came(number)
    for way, number in (
        (bpy.ops.ed.undo, 2),
        (bpy.ops.ed.undo, 1),
        (bpy.ops.ed.redo, 2),
        (bpy.ops.ed.undo, 1),
        (bpy.ops.ed.undo, 0),
    ):
        assert way() == {"FINISHED"}
        assert now()["number"] == number
        came(number)
        kind = ("scalar", "colour", "bars")[number % 3]
        shown = store.read_maps(panels.panel_of(now(), LAYER), LAYER, kind)
        assert np.array_equal(shown.texels, maps_of(kind).texels)
        assert store.read_without_maps(now()).picture.shape[:2] == (40 + number, 90 - number)
