"""The pages of a walk's menu about what channels detect, a series and other halls, and what their items do."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from mathutils import Matrix, Vector  # noqa: E402

from innerwalk.blender_addon import actions  # noqa: E402
from innerwalk.blender_addon.actions import clicking, comparing  # noqa: E402
from innerwalk.blender_addon.live.hall_requests import set_method  # noqa: E402
from innerwalk.blender_addon.live.session import current  # noqa: E402
from innerwalk.blender_addon.naming.categories import CATEGORIES  # noqa: E402
from innerwalk.blender_addon.properties import (  # noqa: E402
    ABLATED_CHANNELS,
    BESIDE_ROLE,
    NETWORK_NAME,
    OBJECT_ROLE,
    PANEL_CONCEPTS,
)
from innerwalk.blender_addon.scene.hall import ray_hits, series  # noqa: E402
from innerwalk.blender_addon.scene.hall.build import create_hall  # noqa: E402
from innerwalk.blender_addon.scene.hall.ray_hits import Hit  # noqa: E402
from innerwalk.blender_addon.scene.panels import panel_of, show_maps, world_matrix  # noqa: E402
from innerwalk.blender_addon.time_slicing import run_all  # noqa: E402
from innerwalk.blender_addon.vr import hand_actions, outlines, scene_landmarks, walk, walk_drawing  # noqa: E402
from innerwalk.blender_addon.vr.display import card_content, menu_pages  # noqa: E402
from innerwalk.blender_addon.vr.display.menu_types import Item, Page  # noqa: E402
from innerwalk.torch_bridge import recording as rec  # noqa: E402
from innerwalk.torch_bridge.recording import SeriesWriter  # noqa: E402


@pytest.fixture
def hall(recorded):
    """Two channels of a detect rings, and one of b something blue."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = create_hall(rec.load(recorded))
    bpy.context.window.scene = scene
    for layer, rows in (("a", [(1, "ring", 0.31, "shape"), (3, "ring", 0.2, "shape")]), ("b", [(2, "blue", 0.1, "")])):
        panel_of(scene, layer)[PANEL_CONCEPTS] = json.dumps(rows)
    return scene


@pytest.fixture
def ready(hall, monkeypatch):
    """A bridge is ready, and the hall follows a network of it."""
    link = SimpleNamespace(state="ready", status="ready", description={"methods": [], "data": [], "networks": []})
    monkeypatch.setattr(current(), "link", link)
    hall[NETWORK_NAME] = "tiny"
    return hall


class Body:
    """Keeps where it stands."""

    def __init__(self) -> None:
        self.place: tuple = ()

    def eye(self) -> np.ndarray:
        return np.eye(4)

    def stand(self, position, yaw=None) -> None:
        self.place = (*position, yaw)


@pytest.fixture
def walking(hall):
    return walk.Walk(hall, Body(), ("left", "right"))


def items(scene, name: str) -> dict[str, Item]:
    page: Page = menu_pages.page(scene, name)
    return {item.label: item for item in page.items}


def test_labels_are_listed_by_category(hall):
    assert items(hall, "root")["Labels"].opens == "labels"
    first, second = menu_pages.page(hall, "labels").items[:-1]
    assert (first.label, second.label) == ("other (1)", "shape (1)")
    page = menu_pages.page(hall, second.opens)
    assert page.title == "shape" and [item.label for item in page.items] == ["ring (2)", "Back"]
    assert page.items[-1].opens == "labels"
    actions.select(hall, "a", 3)
    assert items(hall, second.opens)["ring (2)"].on


def test_many_labels_are_paged_within_their_category(hall):
    rows = [(k % 5, f"thing {k:02}", 0.1, "shape") for k in range(5)]
    for layer in ("a", "b"):
        panel_of(hall, layer)[PANEL_CONCEPTS] = json.dumps([(k, f"{layer} {name}", *more) for k, name, *more in rows])
    first, second = menu_pages.page(hall, "category:0"), menu_pages.page(hall, "category:0 2")
    assert len(first.items) == 10 and first.items[-2].opens == "category:0 2" and first.items[-1].opens == "labels"
    assert [item.label for item in second.items] == ["b thing 03 (1)", "b thing 04 (1)", "Back"]
    assert second.items[-1].opens == "category:0"


def test_without_labels_halls_and_series_nothing_is_offered(recorded):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = create_hall(rec.load(recorded))
    assert not {"Labels", "Series", "Compare"} & items(scene, "root").keys()
    for name in ("labels", "category:0", "category:7", "series", "compare"):
        first, back = menu_pages.page(scene, name).items
        assert not first.enabled and back.label == "Back"


def test_a_label_leads_to_its_channels_one_after_the_other(hall, walking):
    walking.menu = SimpleNamespace()
    for channel in (1, 3, 1):
        assert "ring" in items(hall, "category:1")["ring (2)"].act(walking)
        assert tuple(actions.selected(hall)) == ("a", channel) and walking.menu is None
    assert items(hall, "root")["Next ring"].act(walking) and actions.selected(hall).channel == 3
    x, y, yaw = walking.body.place
    panel = panel_of(hall, "a")
    towards = world_matrix(panel) @ Vector((0.3, 0.3, 0)) - Vector((x, y, 0))
    ahead, normal = Matrix.Rotation(yaw, 3, "Z") @ Vector((0, 1, 0)), world_matrix(panel).to_3x3() @ Vector((0, 0, 1))
    assert ahead.dot(towards.normalized()) > 0.5 and ahead.dot(normal.normalized()) == pytest.approx(-1, abs=1e-5)


def test_the_concept_of_the_selected_channel_can_be_ablated(ready):
    assert not any(label.startswith("Ablate") for label in items(ready, "root"))
    actions.select(ready, "a", 1)
    edit = items(ready, "root")["Ablate ring (2)"].edit
    assert edit.func is actions.ablate_concept and edit.keywords == {"concept": "ring"}
    ready[ABLATED_CHANNELS] = '{"a": [1, 3], "b": [0]}'
    root = items(ready, "root")
    assert root["Restore 3 channels"].edit is actions.restore_channels
    assert not any(label.startswith("Ablate") for label in root)


def test_damaged_ablations_leave_the_menu_open(ready):
    ready["innerwalk_ablated"] = '{"stem": "all"}'
    damaged = [item for name, item in items(ready, "root").items() if "innerwalk_ablated" in name]
    assert len(damaged) == 1 and not damaged[0].enabled


def test_without_a_bridge_no_concept_can_be_ablated(hall):
    actions.select(hall, "a", 1)
    assert not any(label.startswith(("Ablate", "Restore")) for label in items(hall, "root"))


def test_a_series_is_stepped_through(hall, recorded, tmp_path):
    with SeriesWriter(tmp_path / "s", "epoch") as writer:
        for k in (0, 4, 12):
            writer.add(f"epoch {k}", rec.load(recorded))
    series.open_series(hall, tmp_path / "s")
    assert items(hall, "root")["Series"].opens == "series"
    assert not items(hall, "series")["Earlier"].enabled
    for step, title in (("Later: epoch 4", "epoch 4, 2 of 3"), ("Later: epoch 12", "epoch 12, 3 of 3")):
        items(hall, "series")[step].edit(hall)
        assert menu_pages.page(hall, "series").title == title
    shown = items(hall, "series")
    assert not shown["Later"].enabled and shown["epoch 12"].on and not shown["epoch 0"].on
    shown["epoch 0"].edit(hall)
    assert menu_pages.page(hall, "series").title == "epoch 0, 1 of 3"
    (tmp_path / "s" / "series.json").unlink()
    (first, back) = menu_pages.page(hall, "series").items
    assert not first.enabled and "series.json" in first.label and back.label == "Back"


# Two halls


@pytest.fixture
def pair(hall, recorded):
    """The hall, and another one beside it."""
    other = create_hall(rec.load(recorded))
    bpy.context.window.scene = hall
    items(hall, "compare")[f"Beside {other.name}"].edit(hall)
    return hall, other


def beside(hall) -> bpy.types.Object:
    return next(holder for holder in hall.objects if holder.get(OBJECT_ROLE) == BESIDE_ROLE)


def test_another_hall_is_set_beside_and_removed(pair):
    hall, other = pair
    assert comparing.halls_beside(hall) == {other: beside(hall)}
    shown = items(hall, "compare")
    assert shown[f"Beside {other.name}"].on and not shown[f"Minus {other.name}"].on
    shown["Remove other hall"].edit(hall)
    assert comparing.halls_beside(hall) == {} and "Remove other hall" not in items(hall, "compare")


def test_the_tour_goes_through_both_halls(pair):
    hall, other = pair
    found = scene_landmarks.hall_landmarks(hall)
    own, theirs = found[: len(found) // 2], found[len(found) // 2 :]
    shift = beside(hall).location
    for first, second in zip(own, theirs, strict=True):
        assert second.name == f"{other.name}: {first.name}" and second.yaw == pytest.approx(first.yaw)
        assert np.subtract(second.position, first.position) == pytest.approx(shift.xy, abs=1e-5)
    beside(hall).rotation_euler.z, beside(hall).location = np.pi / 2, (0, 0, 0)
    bpy.context.view_layer.update()
    turned = scene_landmarks.hall_landmarks(hall)[len(own)]
    assert turned.position == pytest.approx((-own[0].position[1], own[0].position[0]), abs=1e-5)
    assert turned.yaw == pytest.approx(own[0].yaw + np.pi / 2)


def pointed(hall, channel: int) -> Hit:
    """What a ray to a tile of layer a of the hall beside hits."""
    (other,) = comparing.halls_beside(hall)
    panel = panel_of(other, "a")
    low, _, high, _ = outlines.tile_corners(panel, channel)
    matrix = beside(hall).matrix_world @ world_matrix(panel)
    place = matrix @ Vector((*np.add(low, high) / 2, 0))
    normal = (matrix.to_3x3() @ Vector((0, 0, 1))).normalized()
    hit = ray_hits.pick(hall, ray_hits.evaluated_depsgraph(hall), place + 0.3 * normal, -normal)
    assert hit is not None and (Vector(hit.position) - place).length < 1e-3
    return hit


def test_a_click_on_either_hall_selects_the_channel_in_both(pair):
    hall, other = pair
    bpy.context.view_layer.update()
    line = clicking.ON_CLICK["panel"](hall, pointed(hall, 3))
    assert line == f"{other.name}: a, channel 3"
    assert tuple(actions.selected(hall)) == tuple(actions.selected(other)) == ("a", 3)
    facts = dict(comparing.beside_facts(hall))
    assert float(facts[f"Peak in {other.name}"]) > 0 and f"{other.name} · 3" not in facts
    panel_of(other, "a")[PANEL_CONCEPTS] = '[[3, "ring", 0.25, "shape"]]'
    assert dict(comparing.beside_facts(hall))[f"{other.name} · 3"] == "ring .25 (shape)"
    own = panel_of(hall, "a")
    line = clicking.ON_CLICK["panel"](hall, Hit("panel", "a", 1, object=own.name))
    assert line == "a, channel 1, ring .31 (shape)" and tuple(actions.selected(other)) == ("a", 1)


def test_a_channel_of_zeros_or_without_a_map_in_the_other_hall_is_no_error(pair):
    hall, other = pair
    values = np.zeros((2, 3, 3), np.float32)
    show_maps(panel_of(other, "a"), rec.Maps("a", "saliency", rec.pack(values), 2, channel_numbers=(1, 3)))
    for channel, peaks in ((3, ["0"]), (2, [])):
        actions.select(hall, "a", channel)
        assert [text for name, text in comparing.beside_facts(hall) if name.startswith("Peak")] == peaks


def test_outlines_and_names_are_of_the_hall_that_is_pointed_at(pair):
    hall, other = pair
    bpy.context.view_layer.update()
    panel_of(other, "a")[PANEL_CONCEPTS] = '[[3, "star", 0.25, "shape"]]'
    hit = pointed(hall, 3)
    outline = outlines.outline_of(hall, hit)
    middle = outline.matrix @ Vector(np.mean(outline.points, 0).tolist())
    assert (middle - Vector(hit.position)).length < 0.02
    assert walk_drawing.label_text(hall, hit).startswith("star .25 (shape)\na · 3 · (")


def test_the_selected_tile_is_marked_in_both(pair):
    hall, other = pair
    assert outlines.selection_marks(hall) == []
    actions.select(hall, "a", 1)
    actions.select(other, "b", 2)
    own, theirs = outlines.selection_marks(hall)
    assert (own.panel, theirs.panel) == (panel_of(hall, "a").name, panel_of(other, "b").name)
    expected = world_matrix(beside(hall)) @ world_matrix(panel_of(other, "b"))
    assert np.allclose(theirs.matrix(), expected) and np.allclose(own.matrix(), world_matrix(panel_of(hall, "a")))
    bpy.data.objects.remove(beside(hall))
    assert theirs.matrix() is None and own.matrix() is not None


def test_a_panel_of_the_other_hall_is_not_gripped(pair, walking):
    hall, _ = pair
    bpy.context.view_layer.update()
    hand = walking.hands["left"]
    hand.hit = pointed(hall, 3)
    hand_actions.perform(walking, hand, "grip")
    assert hand.grip is None


def test_the_hand_that_opens_the_menu_hands_the_card_over(walking):
    assert walking.card_hand == "left"
    hand_actions.perform(walking, walking.hands["left"], "menu")
    assert walking.card_hand == "right" and walking.menu is not None


def test_the_menu_takes_a_brush_and_the_trigger_paints(ready, walking, monkeypatch):
    current().link.description["networks"], current().link.in_process = [{"name": "tiny"}], False
    painted = []
    monkeypatch.setattr(clicking, "paint_at", lambda scene, *spot: painted.append(spot) or "painted")
    actions.select(ready, "a", 1)
    found = items(ready, "root")
    assert (
        found["Brush: ablate ring"].edit(ready)
        == "brush: ablate 2 channels of a; paint on a tile or the generated picture"
    )
    assert "Brush: insert ring" not in items(ready, "root") and found["Brush: insert ring"].closes
    hand = walking.hands["left"]
    hand.hit = Hit("panel", "b", 0, (0.25, 0.75), object=panel_of(ready, "b").name)
    hand_actions.perform(walking, hand, "pick")
    assert painted == [(0.25, 0.75)] and walking.message == "painted"
    assert walking.card_hand == "right", "the card would cover what the left hand paints on"
    assert actions.selected(ready).layer == "a"
    items(ready, "root")["Put brush away"].edit(ready)
    hand_actions.perform(walking, hand, "pick")
    assert len(painted) == 1 and actions.selected(ready).layer == "b"


def test_a_unit_is_named_by_words_used_before_and_a_category(hall):
    actions.select(hall, "a", 0)
    actions.name_unit(hall, "lamp", "object", rater="Ann")
    assert items(hall, "root")["Name unit"].opens == "name"
    assert [*items(hall, "name")] == ["lamp", "blue", "ring", "Back"]
    words = items(hall, items(hall, "name")["lamp"].opens)
    assert [*words] == [*(name.capitalize() for name in CATEGORIES), "Back"] and words["Back"].opens == "name"
    actions.select(hall, "b", 1)
    assert words["Scene"].edit(hall).startswith("b, channel 1: lamp (scene) by ")
    assert "Remove lamp" in items(hall, "name")
    assert [*items(hall, "word:99")] == ["No such word", "Back"]


def test_pictures_that_do_not_fit_are_marked_by_the_menu(hall):
    actions.select(hall, "a", 0)
    assert [*items(hall, "misfits")] == ["Show top images first", "Back"]
    set_method(hall, "top_images")
    assert items(hall, "name")["Pictures that don't fit"].opens == "misfits"
    items(hall, "misfits")["Picture 2"].edit(hall)
    assert [own.label for own in items(hall, "misfits").values() if own.on] == ["Picture 2: doesn't fit"]
    assert [*items(hall, "misfits")][-2:] == ["Picture 9", "Back"], "all nine on one page"


def test_the_card_darkens_pictures_that_do_not_fit_and_says_the_name(hall, monkeypatch):
    set_method(hall, "top_images")
    actions.select(hall, "a", 0)
    before = card_content.content_key(hall)
    whole = run_all(card_content.read_content(SimpleNamespace(scene=hall)))
    actions.mark_misfit(hall, 2)
    marked = run_all(card_content.read_content(SimpleNamespace(scene=hall)))
    assert dict(marked.facts)["Don't fit"] == "2" and "Don't fit" not in dict(whole.facts)
    keys = [before, card_content.content_key(hall)]
    actions.name_unit(hall, "lamp", "object", rater="Ann")
    assert len({*keys, card_content.content_key(hall)}) == 3
    named = run_all(card_content.read_content(SimpleNamespace(scene=hall)))
    assert dict(named.facts)["Named"].startswith("lamp (object)")


def test_only_the_numbered_pictures_are_darkened():
    sheet = np.ones((6, 9, 4), np.float32)
    dark = card_content.dim_pictures(sheet, 6, [2, 6])[..., 0] < 1
    assert dark[:3, 3:6].all() and dark[3:, 6:].all() and dark.sum() == 18
