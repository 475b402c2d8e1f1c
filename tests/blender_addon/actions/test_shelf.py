"""The shelf: pictures of a data set on a desk in the hall, taken and placed into the input's frame."""

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from mathutils import Vector  # noqa: E402

from innerwalk.blender_addon import actions  # noqa: E402
from innerwalk.blender_addon.live.session import current  # noqa: E402
from innerwalk.blender_addon.plans import shelf_desk  # noqa: E402
from innerwalk.blender_addon.properties import HELD_PICTURE_ROLE, OBJECT_ROLE, SHELF_TEXT_ROLE  # noqa: E402
from innerwalk.blender_addon.scene.hall import ray_hits, shelf_pictures, store  # noqa: E402
from innerwalk.blender_addon.scene.paint import pictures  # noqa: E402
from innerwalk.tests.support import live_halls as live  # noqa: E402
from innerwalk.torch_bridge import client  # noqa: E402
from innerwalk.torch_bridge.recording.errors import InputError, UnknownName  # noqa: E402


@pytest.fixture(scope="module")
def bridge(torch_python, tmp_path_factory):
    with live.registered():
        live.start(torch_python, {"object": live.OBJECT}, {"objects": "concepts:object"}, tmp_path_factory.mktemp("b"))
        with live.bridge() as bridge:
            yield bridge


@pytest.fixture
def hall(bridge):
    live.empty_file()
    current().error = ""
    return live.built("object")


def laid(scene) -> list[np.ndarray]:
    """Pictures on the shelf, in order."""
    found = shelf_pictures.pictures_by_number(scene)
    assert list(sorted(found)) == list(range(len(found)))
    return [pictures.read_pixels(pictures.picture_image(found[index])) for index in range(len(found))]


def drawn(scene, **arguments) -> None:
    actions.draw_shelf(scene, "objects", **arguments)
    actions.wait_for_bridge()


def marks(scene) -> int:
    return sum(object.get(OBJECT_ROLE) == HELD_PICTURE_ROLE for object in scene.objects)


def test_pictures_are_those_of_the_bridge(hall, bridge):
    assert actions.shelved(hall) == {}
    drawn(hall, seed=4)
    info, wanted = bridge.pictures("objects", shelf_pictures.SIDE, draw={"count": shelf_desk.SHOWN, "seed": 4})
    assert len(wanted) == 18 and all(np.array_equal(*pair) for pair in zip(laid(hall), wanted, strict=True))
    assert actions.shelved(hall) == {"set": "objects", "class": "", "indices": info["indices"], "seed": 4}


def test_it_is_drawn_anew_in_the_same_images(hall, bridge):
    drawn(hall)
    first, before = laid(hall), live.counts()
    for seed in range(1, 6):
        drawn(hall, seed=seed)
    assert live.counts() == before
    wanted = bridge.pictures("objects", shelf_pictures.SIDE, draw={"count": shelf_desk.SHOWN, "seed": 5})[1]
    assert all(np.array_equal(*pair) for pair in zip(laid(hall), wanted, strict=True))
    assert not np.array_equal(laid(hall)[0], first[0])


def test_pages_and_classes(hall, bridge):
    actions.page_shelf(hall, "objects", 2)
    actions.wait_for_bridge()
    info = bridge.pictures("objects", shelf_pictures.SIDE, page={"start": 36, "count": 18})[0]
    assert actions.shelved(hall)["indices"] == info["indices"] == list(range(36, 54))
    name, count = bridge.classes("objects")[1]
    actions.page_shelf(hall, "objects", 0, name)
    actions.wait_for_bridge()
    info = bridge.pictures("objects", shelf_pictures.SIDE, page={"start": 0, "count": 18}, of_class=name)[0]
    there = actions.shelved(hall)
    assert there == {"set": "objects", "class": name, "indices": info["indices"], "page": 0}
    last = (count - 1) // shelf_desk.SHOWN
    actions.page_shelf(hall, "objects", last, name)
    actions.wait_for_bridge()
    assert len(laid(hall)) == count - last * shelf_desk.SHOWN
    before = actions.shelved(hall)
    actions.page_shelf(hall, "objects", last + 1, name)
    with pytest.raises(InputError, match=f"objects has no more pictures of {name}; go back a page"):
        actions.wait_for_bridge()
    assert actions.shelved(hall) == before, "what was there stays"
    actions.page_shelf(hall, "objects", -3)
    current().error = ""
    actions.wait_for_bridge()
    assert actions.shelved(hall)["indices"] == list(range(18)) and len(laid(hall)) == 18


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"data": "objets"}, "no data set 'objets'"),
        ({"data": "objects", "of_class": "dragon"}, "no class of objects 'dragon'"),
    ],
)
def test_unknown_names_are_errors(hall, arguments, message):
    actions.draw_shelf(hall, **arguments)
    with pytest.raises(UnknownName, match=message):
        actions.wait_for_bridge()
    assert not laid(hall)


def test_words_stand_under_the_pictures(hall, bridge):
    """The outlines of the titles lie between the rows of pictures, on the desk."""
    actions.page_shelf(hall, "objects")
    actions.wait_for_bridge()
    few = len(live.points(hall, SHELF_TEXT_ROLE))
    name = max((class_name for class_name, _ in bridge.classes("objects")), key=len)
    actions.page_shelf(hall, "objects", of_class=name)
    actions.wait_for_bridge()
    points = live.points(hall, SHELF_TEXT_ROLE)
    assert len(points) != few and len(points) > 400
    x, y = points[:, 0], points[:, 1]
    assert x.min() >= -0.07 and x.max() <= shelf_desk.COLUMNS * shelf_desk.PITCH + 0.07
    holders = shelf_pictures.pictures_by_number(hall)
    bottoms = sorted({round(holder.matrix_basis.translation.z, 4) for holder in holders.values()})
    assert len(bottoms) == shelf_desk.ROWS
    assert y.max() > shelf_desk.ROWS * shelf_desk.PITCH, "the head is over them"


def test_a_picture_is_taken_and_placed(hall, bridge):
    drawn(hall, seed=2)
    index = actions.shelved(hall)["indices"][5]
    with pytest.raises(InputError, match="no picture is held"):
        actions.place_held(hall)
    with pytest.raises(InputError, match="no picture 18 on the shelf; it has 18"):
        actions.hold(hall, 18)
    assert "picture taken" in actions.hold(hall, 5) and marks(hall) == 1
    actions.hold(hall, 7)
    assert marks(hall) == 1
    actions.hold(hall, 5)
    assert "running object on objects" in actions.place_held(hall)
    assert marks(hall) == 0 and hall["innerwalk_held"] == -1
    actions.wait_for_bridge(hall)
    live.assert_shows(hall, bridge.record("object", [client.item("objects", index)]))
    actions.hold(hall, 3)
    assert actions.hold(hall, -1) == "put back" and marks(hall) == 0
    actions.hold(hall, 3)
    drawn(hall, seed=3)
    assert marks(hall) == 0 and hall["innerwalk_held"] == -1, "another picture lies there now"


def at(scene, holder) -> tuple[Vector, Vector]:
    """Return (origin, direction) of a ray that hits the middle of an object's face from the front."""
    middle = sum((holder.matrix_world @ Vector(corner) for corner in holder.bound_box), Vector()) / 8
    normal = holder.matrix_world.to_3x3() @ Vector((0, 0, 1))
    return middle + 0.5 * normal, -normal


def test_pointing_takes_and_places(hall, bridge):
    drawn(hall, seed=1)
    hall.view_layers[0].update()
    ray = at(hall, shelf_pictures.pictures_by_number(hall)[4])
    hit = ray_hits.pick(hall, ray_hits.evaluated_depsgraph(hall), *ray)
    assert (hit.role, hit.shelf_index) == ("shelf", 4)
    assert actions.pick(hall, *at(hall, live.of_role(hall, "input"))) == "", "nothing is held: the click is Blender's"
    assert "picture taken" in actions.pick(hall, *ray) and hall["innerwalk_held"] == 4
    assert actions.pick(hall, *ray) == "put back"
    actions.pick(hall, *ray)
    hall.view_layers[0].update()
    assert "on objects" in actions.pick(hall, *at(hall, live.of_role(hall, "input")))
    actions.wait_for_bridge(hall)
    index = actions.shelved(hall)["indices"][4]
    live.assert_shows(hall, bridge.record("object", [client.item("objects", index)]))


def test_a_picture_that_a_person_has_deleted_is_laid_again(hall, bridge):
    drawn(hall)
    bpy.data.objects.remove(shelf_pictures.pictures_by_number(hall)[2])
    bpy.data.images.remove(pictures.picture_image(shelf_pictures.pictures_by_number(hall)[3]))
    drawn(hall, seed=9)
    wanted = bridge.pictures("objects", shelf_pictures.SIDE, draw={"count": shelf_desk.SHOWN, "seed": 9})[1]
    assert all(np.array_equal(*pair) for pair in zip(laid(hall), wanted, strict=True))


def test_two_halls_have_two_shelves(hall, bridge):
    other = live.built("object")
    drawn(hall, seed=1)
    drawn(other, seed=2)
    for scene, seed in ((hall, 1), (other, 2)):
        wanted = bridge.pictures("objects", shelf_pictures.SIDE, draw={"count": shelf_desk.SHOWN, "seed": seed})[1]
        assert all(np.array_equal(*pair) for pair in zip(laid(scene), wanted, strict=True))


def test_undo_lays_the_pictures_that_lay_there(hall, bridge):
    for seed in (1, 2):
        drawn(hall, seed=seed)
        bpy.ops.ed.undo_push(message=str(seed))
    for step, seed in ((bpy.ops.ed.undo, 1), (bpy.ops.ed.redo, 2)):
        step()
        actions.wait_for_bridge()
        scene = store.halls()[0]
        wanted = bridge.pictures("objects", shelf_pictures.SIDE, draw={"count": shelf_desk.SHOWN, "seed": seed})[1]
        assert actions.shelved(scene)["seed"] == seed
        assert all(np.array_equal(*pair) for pair in zip(laid(scene), wanted, strict=True))
