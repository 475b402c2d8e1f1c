"""The title board says what the panels show, and follows them in place."""

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from innerwalk.blender_addon import actions  # noqa: E402
from innerwalk.blender_addon.live import hall_requests  # noqa: E402
from innerwalk.blender_addon.properties import ANNOTATION_ATTRIBUTE, DRAWN_CONTENT  # noqa: E402
from innerwalk.blender_addon.scene.dressing.title_caption import shown_caption  # noqa: E402
from innerwalk.blender_addon.scene.hall import update_after_maps  # noqa: E402
from innerwalk.blender_addon.scene.hall.build import create_hall  # noqa: E402
from innerwalk.blender_addon.scene.panels import panels, show_maps  # noqa: E402
from innerwalk.blender_addon.scene.state.parts import find_part  # noqa: E402
from innerwalk.torch_bridge import recording as rec  # noqa: E402


@pytest.fixture
def hall(empty_scene, recorded):
    return create_hall(rec.load(recorded))


def drawn(hall) -> tuple[str, int]:
    """(what the board says, number of its points that are drawn on top)."""
    board = find_part(hall, "title")
    attribute = board.data.attributes.get(ANNOTATION_ATTRIBUTE)
    return board.get(DRAWN_CONTENT, "").split(" [")[0], sum(each.value for each in attribute.data) if attribute else 0


def explain(hall) -> None:
    for id, panel in panels(hall).items():
        values = rec.pack(np.ones((1, 3, 3), np.float32))
        show_maps(panel, rec.Maps(id, "grad_cam", values, 1, frame="input", labels=("Boston bull",)))
    hall_requests.set_method(hall, "grad_cam")
    update_after_maps(hall)


def test_a_new_hall_shows_activations(hall):
    text, points = drawn(hall)
    assert text == "Activations" and points > 50


def test_it_follows_the_method_in_place(hall):
    before, blocks = drawn(hall)[1], len(bpy.data.meshes)
    explain(hall)
    assert shown_caption(hall, "grad_cam") == drawn(hall)[0] == "Grad-CAM for Boston bull"
    assert drawn(hall)[1] > before and len(bpy.data.meshes) == blocks


def test_other_colours_and_themes_keep_it(hall):
    explain(hall)
    for change in ({"gain": 2.0}, {"theme": "paper"}):
        actions.show_look(hall, **change)
        text, points = drawn(hall)
        assert text == "Grad-CAM for Boston bull" and points > 50, change


def test_a_hall_without_its_board_is_left_alone(hall):
    bpy.data.objects.remove(find_part(hall, "title"))
    explain(hall)
