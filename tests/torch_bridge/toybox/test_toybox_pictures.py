"""The `toybox` pictures: the same on every machine, in any order, lit from one side, and what their labels say."""

import zlib

import numpy as np
import pytest

from innerwalk.torch_bridge import toybox
from innerwalk.torch_bridge.concepts.seeded_random import Rng
from innerwalk.torch_bridge.data import open_data
from innerwalk.torch_bridge.recording.errors import InputError
from innerwalk.torch_bridge.toybox import shapes
from innerwalk.torch_bridge.toybox.rooms import paint_room
from innerwalk.torch_bridge.toybox.toys import CLASSES, TOYS

GRID = np.meshgrid(np.linspace(-1.3, 1.3, 131), np.linspace(-1.3, 1.3, 131))


@pytest.fixture(scope="module")
def pictures() -> list[toybox.ToyPicture]:
    return [toybox.sample(0, 0, index) for index in range(24)]


def test_the_pictures_are_version_1(pictures) -> None:
    """A checksum of the first 24 training pictures; another processor's sine may move a rare pixel by a unit."""
    assert toybox.VERSION == 1
    images = np.stack([picture.image for picture in pictures])
    if zlib.crc32(images.tobytes()) != 0xC189E477:
        np.testing.assert_allclose(images.mean((0, 1, 2)), (134.329364, 123.680697, 115.326246), atol=2e-3)


def test_a_picture_depends_on_its_key_alone(pictures) -> None:
    again = toybox.sample(0, 0, 17)
    assert (again.image == pictures[17].image).all() and again.toys == pictures[17].toys
    others = [toybox.sample(1, 0, 17), toybox.sample(0, 1, 17), toybox.sample(0, 0, 17 + len(CLASSES))]
    assert all((other.image != again.image).mean() > 0.5 and other.label == again.label for other in others)


def test_the_label_is_the_largest_toy_and_no_other_has_its_class(pictures) -> None:
    assert [picture.label for picture in pictures] == [index % 12 for index in range(24)]
    for picture in pictures:
        main, *others = picture.toys
        assert main.label == picture.label
        assert all(other.label != main.label and other.radius < 0.65 * main.radius for other in others)


def test_there_are_several_toys_inside_the_picture_that_do_not_cover_each_other(pictures) -> None:
    counts = [len(picture.toys) for picture in pictures]
    assert min(counts) >= 1 and max(counts) == 4 and np.mean(counts) > 2
    for picture in pictures:
        for toy in picture.toys:
            assert toy.radius - 0.01 <= toy.x <= 1.01 - toy.radius and toy.y <= 1.01 - toy.radius
            apart = [np.hypot(toy.x - o.x, toy.y - o.y) / (toy.radius + o.radius) for o in picture.toys if o != toy]
            assert all(distance > 0.9 for distance in apart)


def test_any_size_shows_the_same(pictures) -> None:
    large = toybox.sample(0, 0, 4, size=256)
    assert large.image.shape == (256, 256, 3) and large.toys == pictures[4].toys
    halved = large.image.reshape(128, 2, 128, 2, 3).mean((1, 3))
    assert np.abs(halved - pictures[4].image).mean() < 6


@pytest.mark.parametrize("name", CLASSES)
def test_each_toy_fills_its_circle_and_differs_by_seed(name: str) -> None:
    silhouettes = []
    for seed in range(6):
        inside = np.minimum.reduce([part.shape(*GRID) for part in TOYS[name](Rng(seed))]) < 0
        reach = np.hypot(*GRID)[inside].max()
        assert 0.85 < reach < 1.3 and inside.mean() > 0.12, (reach, inside.mean())
        silhouettes.append(inside.tobytes())
    paints = {str([part.paint for part in TOYS[name](Rng(seed))]) for seed in range(6)}
    assert len(paints) == 6 and len(set(silhouettes)) > 1


def test_a_lit_ball_is_brighter_towards_the_light() -> None:
    """The lamp is on the side to which the room's light points: fourteen apples, which are nearly balls."""
    for index in range(0, 12 * 14, 12):
        picture = toybox.sample(0, 2, index)
        size, apple = toybox.SIZE, picture.toys[0]
        rng = Rng(0, 2, index, 7)
        y, x = (np.mgrid[:size, :size] + 0.5) / size
        light = paint_room(rng, x, y).light
        shade = picture.image.max(2).astype(float)
        row, reach = int((apple.y + 0.2 * apple.radius) * size), 0.55 * apple.radius
        left, right = (shade[row - 3 : row + 4, int((apple.x + s * reach) * size)].mean() for s in (-1, 1))
        assert (right > left) == (light[0] > 0), (index, left, right, light)


def test_shapes_have_distances_of_known_points() -> None:
    u, v = np.array([[0.0, 1.0, 2.0]]), np.array([[0.0, 0.0, 0.0]])
    np.testing.assert_allclose(shapes.ellipse(0, 0, 1, 1)(u, v)[0, 1:], [0, 1])
    assert shapes.ellipse(0, 0, 1, 1)(u, v)[0, 0] <= 0
    np.testing.assert_allclose(shapes.box(0, 0, 1, 0.5)(u, v), [[-0.5, 0, 1]])
    np.testing.assert_allclose(shapes.ring(0, 0, 1, 0.25)(u, v), [[0.75, -0.25, 0.75]])
    square = shapes.polygon([(-1, -1), (1, -1), (1, 1), (-1, 1)])
    np.testing.assert_allclose(square(u, v), [[-1, 0, 1]], atol=1e-12)
    np.testing.assert_allclose(shapes.cut(square, shapes.box(0, 0, 0.5, 0.5))(u, v), [[0.5, 0, 1]], atol=1e-12)


def test_the_pictures_are_a_data_set() -> None:
    data = open_data("toybox")
    assert (data.name, len(data), data.classes) == ("toybox", 1200, CLASSES)
    assert (np.asarray(data.picture(5)) == toybox.picture(5)).all() and data.label(5) == 5
    test = open_data("toybox:test")
    assert test.name == "toybox test"
    assert (np.asarray(test.picture(3)) == toybox.sample(0, 2, 3).image).all()


@pytest.mark.parametrize("text", ["toybox:tests", "toybox:object", "toybox:test:train"])
def test_a_split_that_is_not_there_is_one_line(text: str) -> None:
    with pytest.raises(InputError, match=r"no such split; write toybox, toybox:test or toybox:train"):
        open_data(text)
