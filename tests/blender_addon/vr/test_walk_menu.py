"""The menu of a walk: what its pages offer, where its items are, and that each does what it says."""

from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from innerwalk.blender_addon import actions  # noqa: E402
from innerwalk.blender_addon.actions.pictures import own_folder  # noqa: E402
from innerwalk.blender_addon.imaging import colour_maps  # noqa: E402
from innerwalk.blender_addon.layout.text_fitting import CAP  # noqa: E402
from innerwalk.blender_addon.live.request_types import Request  # noqa: E402
from innerwalk.blender_addon.live.session import current  # noqa: E402
from innerwalk.blender_addon.properties import METHOD_TAG, NETWORK_NAME  # noqa: E402
from innerwalk.blender_addon.scene.hall import store  # noqa: E402
from innerwalk.blender_addon.scene.hall.build import create_hall  # noqa: E402
from innerwalk.blender_addon.scene.materials import colour_settings  # noqa: E402
from innerwalk.blender_addon.vr.display import menu_layout, menu_pages  # noqa: E402
from innerwalk.blender_addon.vr.display.menu_types import Item, Page  # noqa: E402
from innerwalk.tests.support import OBJECT_RECORDING  # noqa: E402
from innerwalk.torch_bridge import recording as rec  # noqa: E402
from innerwalk.torch_bridge.recording.errors import UnknownName  # noqa: E402


@pytest.fixture
def hall(recorded):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    return create_hall(rec.load(recorded))


class Link:
    """A bridge that is ready, with twelve methods, one of which needs data."""

    state = status = "ready"
    description = {
        "methods": [{"name": "activations", "title": "Activations", "needs": "input"}]
        + [{"name": f"m{k}", "title": f"Method {k}", "needs": "data" if k == 3 else "input"} for k in range(11)],
        "data": [{"name": "objects", "classes": [], "count": 9}, {"name": "photos", "classes": [], "count": 9}],
    }


@pytest.fixture
def bridge(hall, monkeypatch):
    """A hall that follows a network of the bridge."""
    monkeypatch.setattr(current(), "link", Link())
    monkeypatch.setattr(current(), "requests", {})
    hall[NETWORK_NAME] = "tiny"
    return hall


class Walker:
    """Records what items do to the walk."""

    def __init__(self) -> None:
        self.landmarks = [SimpleNamespace(name=name) for name in "abc"]
        self.landmark_index = 1
        self.calls: list[tuple] = []

    def go_to(self, index) -> str:
        self.calls.append(("go_to", index))
        return ""

    def go_to_label(self, name) -> str:
        self.calls.append(("go_to_label", name))
        return ""

    def close_menu(self) -> str:
        self.calls.append(("close_menu",))
        return ""

    def leave(self) -> str:
        self.calls.append(("leave",))
        return ""

    def take_picture(self) -> str:
        self.calls.append(("take_picture",))
        return ""

    def render_pictures(self) -> str:
        self.calls.append(("render_pictures",))
        return ""

    def start_export(self, directory) -> str:
        self.calls.append(("start_export", directory))
        return ""


def by_label(page: Page) -> dict[str, Item]:
    return {item.label: item for item in page.items}


def is_on_board(canvas) -> bool:
    points = canvas.points[:, :2]
    return bool((points >= -1e-6).all() and (points <= np.add((canvas.width, canvas.height), 1e-6)).all())


def page_of(count: int) -> Page:
    return Page("Title", tuple(Item(f"item {k}", act=lambda walk: walk.close_menu()) for k in range(count)))


@pytest.mark.parametrize("count", [0, 1, 8, 9, 10, 15, 40])
def test_every_item_is_hit_at_its_middle_and_no_two_overlap(count):
    page = page_of(count)
    layout = menu_layout.arrange(page)
    assert len(layout.boxes) == count
    for index, ((left, right), (low, high)) in enumerate(layout.boxes):
        assert menu_layout.item_at(page, (left + right) / 2, (low + high) / 2) == index
        assert high - low >= 0.05 and right - left >= 0.2
        assert menu_layout.contains(page, left, low) and menu_layout.contains(page, right, high)
    assert menu_layout.item_at(page, layout.width / 2, layout.height - menu_layout.MARGIN) == -1  # the title
    assert menu_layout.item_at(page, -0.01, 0.05) == -1 and not menu_layout.contains(page, -0.01, 0.05)
    assert menu_layout.size(page) == (layout.width, layout.height)


def test_items_run_from_the_top_and_a_long_page_has_two_columns():
    nine, ten = menu_layout.arrange(page_of(9)).boxes, menu_layout.arrange(page_of(10)).boxes
    assert [box[1] for box in nine] == sorted((box[1] for box in nine), reverse=True)
    assert len({box[0] for box in nine}) == 1 and len({box[0] for box in ten}) == 2
    assert ten[5][0][0] == ten[0][0][1] and ten[5][1] == ten[0][1]


@pytest.mark.parametrize("name", sorted(menu_pages.PAGES))
def test_every_page_is_drawn_on_its_board(hall, name):
    page = menu_pages.page(hall, name)
    for pointed in (-1, 0, len(page.items) - 1):
        canvas = menu_layout.draw(page, pointed)
        assert (canvas.width, canvas.height) == pytest.approx(menu_layout.size(page))
        assert is_on_board(canvas)


def test_text_is_large_enough_and_stays_within_its_item(monkeypatch):
    """20 pixels of 1/18 degree are 13.5 mm from 0.7 m."""
    drawn, add_text = [], menu_layout.Canvas.text

    def record(self, text, size, *rest):
        drawn.append((text, size, rest[1], self.measure(text, size)))
        return add_text(self, text, size, *rest)

    monkeypatch.setattr(menu_layout.Canvas, "text", record)
    page = Page("虎猫" * 80, (Item("x" * 300, opens="root"), Item("虎猫" * 40, act=lambda walk: walk.close_menu())))
    canvas = menu_layout.draw(page, 0)
    assert all(size * CAP >= 0.0135 for _, size, *_ in drawn)
    assert is_on_board(canvas)
    (left, right), _ = menu_layout.arrange(page).boxes[0]
    assert all(left <= x and x + width <= right for text, _, x, width in drawn if text[0] in "x虎")


def triangle_count(canvas, role: str) -> int:
    """Number of triangles in a colour."""
    colours = canvas.colours[canvas.triangles[:, 0], :3]
    return int(np.count_nonzero(np.abs(colours - colour_maps.srgb(colour_maps.THEMES["dark"][role])).max(1) < 1e-6))


def test_the_pointed_item_is_highlighted_and_the_current_setting_is_marked():
    act = Walker.close_menu
    items = [Item("one", act=act), Item("two", act=act, on=True), Item("three", act=act, enabled=False)]
    page = Page("T", tuple(items))
    plain, lit, off = (menu_layout.draw(page, k) for k in (-1, 0, 2))
    assert triangle_count(plain, "bar") == 2 and triangle_count(lit, "bar") == 4  # a mark; a mark and a rim
    assert triangle_count(plain, "plate2") == 4 and triangle_count(lit, "plate2") == 2
    assert np.array_equal(off.colours, plain.colours)  # a disabled item isn't highlighted


@pytest.mark.parametrize("name", ["", "nowhere", "method x", "root y", "colours 2", "method 0", "\uffff", "方法"])
def test_an_unknown_page_is_an_error(hall, name):
    with pytest.raises(UnknownName, match="page of the menu"):
        menu_pages.page(hall, name)


def test_every_item_that_is_enabled_does_something(bridge):
    """It opens a page that exists, changes the hall by an action, or acts on the walk: exactly one of them."""
    for name in (*menu_pages.PAGES, "method 2", "channel"):
        for item in menu_pages.page(bridge, name).items:
            kinds = [bool(item.opens), item.edit is not None, item.act is not None]
            assert sum(kinds) == 1 or (sum(kinds) == 0 and not item.enabled), item
            if item.opens:
                assert menu_pages.page(bridge, item.opens)
            if item.edit is not None:
                function = item.edit.func if isinstance(item.edit, partial) else item.edit
                assert function is getattr(actions, function.__name__)
            if item.act is not None:
                walker = Walker()
                assert isinstance(item.act(walker), str) and len(walker.calls) == 1


def test_items_of_the_walk_move_and_end_it(hall):
    walker, root = Walker(), by_label(menu_pages.page(hall, "root"))
    for label in ("Next place", "Previous place", "End walk", "Close menu"):
        root[label].act(walker)
    assert walker.calls == [("go_to", 2), ("go_to", 0), ("leave",), ("close_menu",)]


def test_without_a_bridge_nothing_can_be_asked(hall):
    root = by_label(menu_pages.page(hall, "root"))
    assert not root["Ask: no bridge"].enabled and not root["Shelf: no bridge"].enabled
    items = menu_pages.page(hall, "method").items
    assert [(item.label, item.enabled) for item in items] == [("No bridge connected", False), ("Back", True)]
    assert not by_label(menu_pages.page(hall, "channel"))["Select a tile first"].enabled


def test_methods_are_paged_and_the_one_that_is_shown_is_marked(bridge):
    first, second = menu_pages.page(bridge, "method"), menu_pages.page(bridge, "method 2")
    assert [item.label for item in first.items] == ["Activations", *(f"Method {k}" for k in range(7)), "More", "Back"]
    assert [item.label for item in second.items] == [*(f"Method {k}" for k in range(7, 11)), "Back"]
    assert first.items[-2].opens == "method 2" and first.items[-1].opens == "root"
    assert second.items[-1].opens == "method"
    assert [item.label for item in first.items if item.on] == ["Activations"]
    items = by_label(first)
    assert items["Method 2"].edit.func is actions.ask_method
    assert items["Method 2"].edit.keywords == {"method": "m2", "data": "", "layers": ["panels"], "channels": []}
    assert items["Method 3"].edit.keywords["data"] == "objects"
    with pytest.raises(UnknownName):
        menu_pages.page(bridge, "method 3")


def test_a_method_that_needs_data_is_disabled_without_any(bridge, monkeypatch):
    monkeypatch.setattr(Link, "description", Link.description | {"data": []})
    assert not by_label(menu_pages.page(bridge, "method"))["Method 3"].enabled
    assert by_label(menu_pages.page(bridge, "method"))["Method 2"].enabled
    assert not by_label(menu_pages.page(bridge, "root"))["Shelf: no data set"].enabled


def test_methods_can_be_asked_about_the_selected_channel(bridge):
    assert not by_label(menu_pages.page(bridge, "root"))["Ask: select a tile first"].enabled
    actions.select(bridge, "b", 3)
    assert by_label(menu_pages.page(bridge, "root"))["Ask about channel"].opens == "channel"
    page = menu_pages.page(bridge, "channel")
    assert page.title == "Channel 3 of b 1/2" and "Activations" not in by_label(page)
    assert by_label(page)["Method 0"].edit.keywords == {"method": "m0", "data": "", "layers": ["b"], "channels": [3]}


def test_a_running_job_can_be_cancelled(bridge):
    bridge[METHOD_TAG] = "work 1"
    current().requests["work 1"] = Request(job={"state": "running"})
    assert by_label(menu_pages.page(bridge, "root"))["Cancel job"].edit is actions.cancel_method
    current().requests["work 1"] = Request(job={"state": "done"})
    assert "Cancel job" not in by_label(menu_pages.page(bridge, "root"))


def test_the_shelf_is_filled_again_with_the_next_seed(bridge):
    edit = by_label(menu_pages.page(bridge, "root"))["Resample shelf"].edit
    assert edit.func is actions.draw_shelf and edit.keywords == {"data": "objects", "seed": 0, "of_class": ""}
    bridge["innerwalk_shelf"] = '{"set": "photos", "class": "owl", "seed": 4, "indices": [1]}'
    edit = by_label(menu_pages.page(bridge, "root"))["Resample shelf"].edit
    assert edit.keywords == {"data": "photos", "seed": 5, "of_class": "owl"}


@pytest.mark.parametrize(
    ("name", "label", "part", "value"),
    [
        ("colours", "Ember colours", "colour_map", "ember"),
        ("colours", "Paper hall", "theme", "paper"),
        ("normalise", "Whole network", "normalisation", "network"),
        ("gain", "× 4", "gain", 4.0),
    ],
)
def test_colours_are_changed_and_marked(hall, name, label, part, value):
    item = by_label(menu_pages.page(hall, name))[label]
    assert not item.on
    item.edit(hall)
    assert colour_settings.read_scene_colours(hall)[part] == value
    assert by_label(menu_pages.page(hall, name))[label].on


def test_the_gain_is_in_the_title(hall):
    actions.show_look(hall, gain=3.0)
    page = menu_pages.page(hall, "gain")
    assert page.title == "Gain × 3" and not any(item.on for item in page.items)


def test_layout_and_blocks(hall):
    root = by_label(menu_pages.page(hall, "root"))
    assert not root["Collapse all blocks"].enabled and not root["Expand all blocks"].enabled  # it has no blocks
    actions.move(hall, "a", (0, 0, 1))
    root["Reset layout"].edit(hall)
    assert not store.manual_moves(hall)


def test_blocks_of_a_recording():
    bpy.ops.wm.read_factory_settings(use_empty=True)
    actions.import_recording(OBJECT_RECORDING)
    (hall,) = store.halls()
    for label, other in (("Collapse all blocks", "Expand all blocks"), ("Expand all blocks", "Collapse all blocks")):
        root = by_label(menu_pages.page(hall, "root"))
        assert root[label].enabled and not root[other].enabled
        root[label].edit(hall)


def test_places_are_those_of_the_plan(hall):
    items, walker = menu_pages.page(hall, "places").items, Walker()
    assert items[0].label == "Entrance" and [item.label for item in items][-2:] == ["Answer", "Back"]
    for item in items[:-1]:
        item.act(walker)
    assert walker.calls == [("go_to", index) for index in range(len(items) - 1)]


def test_exports_go_beside_the_file(hall, tmp_path):
    assert not by_label(menu_pages.page(hall, "root"))["Export: save the file first"].enabled
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "hall.blend"))
    (scene,) = store.halls()
    walker = Walker()
    by_label(menu_pages.page(scene, "root"))["Export hall"].act(walker)
    assert walker.calls == [("start_export", tmp_path)]
    assert "tiny" in actions.export_hall(scene, walker.calls[0][1])
    assert (tmp_path / "tiny").is_dir()


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), ValueError("no extension")])
def test_without_a_folder_to_write_to_the_menu_asks_for_a_saved_file(hall, monkeypatch, error):
    def refuse(*args, **options):
        raise error

    monkeypatch.setattr(bpy.utils, "extension_path_user", refuse)
    assert own_folder() is None
