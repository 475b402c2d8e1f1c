"""The menu of a walk: what it offers, where its entries are, and that each does what it says."""

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from innerwalk.blender_addon import actions  # noqa: E402
from innerwalk.blender_addon.imaging import colour  # noqa: E402
from innerwalk.blender_addon.layout.text_fitting import CAP  # noqa: E402
from innerwalk.blender_addon.live.session import current  # noqa: E402
from innerwalk.blender_addon.properties import METHOD_TAG, NETWORK_NAME  # noqa: E402
from innerwalk.blender_addon.scene.hall import store  # noqa: E402
from innerwalk.blender_addon.scene.hall.build import build  # noqa: E402
from innerwalk.blender_addon.scene.materials import look  # noqa: E402
from innerwalk.blender_addon.vr.display import menu, menu_items  # noqa: E402
from innerwalk.blender_addon.vr.display.menu import Item, Page  # noqa: E402
from innerwalk.torch_bridge import recording as rec  # noqa: E402
from innerwalk.torch_bridge.recording.errors import UnknownName  # noqa: E402

WALKS = {"close", "leave", "next_landmark", "previous_landmark", "landmark"}


@pytest.fixture
def hall(recorded):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    return build(rec.load(recorded))


class Link:
    """A bridge that is ready, with twelve methods, one of which is about data."""

    state, told = "ready", "ready"
    described = {
        "methods": [{"name": "activations", "title": "Activations", "needs": "input"}]
        + [{"name": f"m{k}", "title": f"Method {k}", "needs": "data" if k == 3 else "input"} for k in range(11)],
        "data": [{"name": "objects", "classes": [], "count": 9}, {"name": "photos", "classes": [], "count": 9}],
    }


@pytest.fixture
def bridge(hall, monkeypatch):
    """The hall follows a network of it."""
    monkeypatch.setattr(current(), "link", Link())
    monkeypatch.setattr(current(), "jobs", {})
    hall[NETWORK_NAME] = "tiny"
    return hall


def by_label(page: Page) -> dict[str, Item]:
    return {one.label: one for one in page.items}


def on_board(made) -> bool:
    points = made.points[:, :2]
    return bool((points >= -1e-6).all() and (points <= np.add((made.width, made.height), 1e-6)).all())


def labels(count: int) -> Page:
    return Page("Title", tuple(Item(f"entry {k}", "walk", {"do": "close"}) for k in range(count)))


@pytest.mark.parametrize("count", [0, 1, 8, 9, 10, 15, 40])
def test_every_entry_is_hit_at_its_middle_and_no_two_share_a_place(count):
    page = labels(count)
    there = menu.arrange(page)
    assert len(there.boxes) == count
    for index, ((left, right), (low, high)) in enumerate(there.boxes):
        assert menu.item_at(page, (left + right) / 2, (low + high) / 2) == index
        assert high - low >= 0.05 and right - left >= 0.2
        assert menu.inside(page, left, low) and menu.inside(page, right, high)
    assert menu.item_at(page, there.width / 2, there.height - menu.MARGIN) == -1  # the title
    assert menu.item_at(page, -0.01, 0.05) == -1 and not menu.inside(page, -0.01, 0.05)
    assert menu.size(page) == (there.width, there.height)


def test_the_order_is_read_from_the_top_and_a_long_page_has_two_columns():
    nine, ten = menu.arrange(labels(9)).boxes, menu.arrange(labels(10)).boxes
    assert [one[1] for one in nine] == sorted((one[1] for one in nine), reverse=True)
    assert len({one[0] for one in nine}) == 1 and len({one[0] for one in ten}) == 2
    assert ten[5][0][0] == ten[0][0][1] and ten[5][1] == ten[0][1]


@pytest.mark.parametrize("name", sorted(menu_items.PAGES))
def test_every_page_is_drawn_on_its_board(hall, name):
    page = menu.page(hall, name)
    for pointed in (-1, 0, len(page.items) - 1):
        made = menu.draw(page, pointed)
        assert (made.width, made.height) == pytest.approx(menu.size(page))
        assert on_board(made)


def test_words_are_large_enough_and_stay_on_their_entry(monkeypatch):
    """20 pixels of 1/18 degree are 13.5 mm from 0.7 m."""
    seen, words = [], menu.Sketch.words

    def heard(self, body, size, *rest):
        seen.append((body, size, rest[1], self.measure(body, size)))
        return words(self, body, size, *rest)

    monkeypatch.setattr(menu.Sketch, "words", heard)
    page = Page("虎猫" * 80, (Item("x" * 300, "page", {"page": "root"}), Item("虎猫" * 40, "walk", {"do": "close"})))
    made = menu.draw(page, 0)
    assert all(size * CAP >= 0.0135 for _, size, *_ in seen)
    assert on_board(made)
    (left, right), _ = menu.arrange(page).boxes[0]
    assert all(left <= x and x + wide <= right for body, _, x, wide in seen if body[0] in "x虎")


def faces(made, role: str) -> int:
    """Triangles in a colour."""
    tint = made.colours[made.triangles[:, 0], :3]
    return int(np.count_nonzero(np.abs(tint - colour.srgb(colour.THEMES["dark"][role])).max(1) < 1e-6))


def test_the_pointed_entry_is_lit_and_what_is_so_is_marked():
    items = [Item("one", "walk", {}), Item("two", "walk", {}, on=True), Item("three", "walk", {}, enabled=False)]
    page = Page("T", tuple(items))
    plain, lit, off = (menu.draw(page, k) for k in (-1, 0, 2))
    assert faces(plain, "bar") == 2 and faces(lit, "bar") == 4  # a mark; a mark and a rim
    assert faces(plain, "plate2") == 4 and faces(lit, "plate2") == 2
    assert np.array_equal(off.colours, plain.colours)  # what can't be chosen isn't lit


@pytest.mark.parametrize("name", ["", "nowhere", "method x", "root y", "colours 2", "method 0", "\uffff", "方法"])
def test_an_unknown_page_is_told(hall, name):
    with pytest.raises(UnknownName, match="page of the menu"):
        menu.page(hall, name)


def test_all_that_is_offered_can_be_done(bridge):
    for name in (*menu_items.PAGES, "method 2", "channel"):
        for one in menu.page(bridge, name).items:
            if one.action == "walk":
                assert one.given["do"] in WALKS
            elif one.action == "page":
                assert one.enabled is False or menu.page(bridge, one.given["page"])
            else:
                assert callable(getattr(actions, one.action))


def test_without_a_bridge_nothing_is_asked(hall):
    root = by_label(menu.page(hall, "root"))
    assert not root["Ask: no bridge"].enabled and not root["Shelf: no bridge"].enabled
    assert [(one.label, one.enabled) for one in menu.page(hall, "method").items] == [
        ("No bridge to ask", False), ("Back", True),
    ]  # fmt: skip
    assert not by_label(menu.page(hall, "channel"))["Pick a tile first"].enabled


def test_methods_are_paged_and_the_one_that_is_shown_is_marked(bridge):
    first, second = menu.page(bridge, "method"), menu.page(bridge, "method 2")
    assert [one.label for one in first.items] == ["Activations", *(f"Method {k}" for k in range(7)), "More", "Back"]
    assert [one.label for one in second.items] == [*(f"Method {k}" for k in range(7, 11)), "Back"]
    assert first.items[-2].given == {"page": "method 2"} and first.items[-1].given == {"page": "root"}
    assert second.items[-1].given == {"page": "method"}
    assert [one.label for one in first.items if one.on] == ["Activations"]
    asked = by_label(first)
    assert asked["Method 2"].given == {"method": "m2", "data": "", "layers": ["panels"], "channels": []}
    assert asked["Method 3"].given["data"] == "objects"
    with pytest.raises(UnknownName):
        menu.page(bridge, "method 3")


def test_a_method_about_data_needs_some(bridge, monkeypatch):
    monkeypatch.setattr(Link, "described", Link.described | {"data": []})
    assert not by_label(menu.page(bridge, "method"))["Method 3"].enabled
    assert by_label(menu.page(bridge, "method"))["Method 2"].enabled
    assert not by_label(menu.page(bridge, "root"))["Shelf: no data set"].enabled


def test_the_channel_that_is_looked_at_is_asked_about(bridge):
    assert not by_label(menu.page(bridge, "root"))["Ask: pick a tile first"].enabled
    actions.select(bridge, "b", 3)
    assert by_label(menu.page(bridge, "root"))["Ask about channel"].given == {"page": "channel"}
    page = menu.page(bridge, "channel")
    assert page.title == "Channel 3 of b 1/2" and "Activations" not in by_label(page)
    assert by_label(page)["Method 0"].given == {"method": "m0", "data": "", "layers": ["b"], "channels": [3]}


def test_a_running_job_can_be_cancelled(bridge):
    bridge[METHOD_TAG] = "work 1"
    current().jobs["work 1"] = {"state": "running"}
    assert by_label(menu.page(bridge, "root"))["Cancel job"].action == "cancel_method"
    current().jobs["work 1"] = {"state": "done"}
    assert "Cancel job" not in by_label(menu.page(bridge, "root"))


def test_the_shelf_is_drawn_again_with_the_next_seed(bridge):
    assert by_label(menu.page(bridge, "root"))["Resample shelf"].given == {
        "data": "objects", "seed": 0, "of_class": "",
    }  # fmt: skip
    bridge["innerwalk_shelf"] = '{"set": "photos", "class": "owl", "seed": 4, "indices": [1]}'
    assert by_label(menu.page(bridge, "root"))["Resample shelf"].given == {
        "data": "photos", "seed": 5, "of_class": "owl",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "label", "part", "value"),
    [
        ("colours", "Ember colours", "ramp", "ember"), ("colours", "Paper hall", "theme", "paper"),
        ("normalise", "One peak for all", "normalisation", "network"), ("gain", "× 4", "gain", 4.0),
    ],
)  # fmt: skip
def test_colours_are_changed_and_marked(hall, name, label, part, value):
    item = by_label(menu.page(hall, name))[label]
    assert not item.on
    getattr(actions, item.action)(hall, **item.given)
    assert look.told(hall)[part] == value
    assert by_label(menu.page(hall, name))[label].on


def test_the_gain_is_told(hall):
    actions.show_look(hall, gain=3.0)
    page = menu.page(hall, "gain")
    assert page.title == "Gain × 3" and not any(one.on for one in page.items)


def test_layout_and_blocks(hall):
    root = by_label(menu.page(hall, "root"))
    assert not root["Collapse all blocks"].enabled and not root["Expand all blocks"].enabled  # it has no blocks
    actions.move(hall, "a", (0, 0, 1))
    item = root["Reset layout"]
    getattr(actions, item.action)(hall, **item.given)
    assert not store.moved(hall)


def test_blocks_of_the_demo():
    bpy.ops.wm.read_factory_settings(use_empty=True)
    actions.open_demo()
    (hall,) = store.halls()
    for label, other in (("Collapse all blocks", "Expand all blocks"), ("Expand all blocks", "Collapse all blocks")):
        root = by_label(menu.page(hall, "root"))
        assert root[label].enabled and not root[other].enabled
        getattr(actions, root[label].action)(hall, **root[label].given)


def test_places_are_those_of_the_plan(hall):
    items = menu.page(hall, "places").items
    assert items[0] == Item("Entrance", "walk", {"do": "landmark", "name": "Entrance"})
    assert [one.label for one in items][-2:] == ["Answer", "Back"]


def test_exports_go_beside_the_file(hall, tmp_path):
    assert not by_label(menu.page(hall, "root"))["Export: save the file"].enabled
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "hall.blend"))
    (scene,) = store.halls()
    item = by_label(menu.page(scene, "root"))["Export hall"]
    assert item.given == {"directory": str(tmp_path)}
    assert "tiny" in getattr(actions, item.action)(scene, **item.given)
    assert (tmp_path / "tiny").is_dir()
