"""Pictures of channels as maps: each in its channel, empty where there is none, shrunk to fit a panel."""

from unittest import mock

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch")

from innerwalk.torch_bridge.method_support import picture_maps  # noqa: E402


def test_each_picture_is_in_its_channel_and_the_others_are_empty():
    red, grey = np.zeros((5, 4, 3)), np.full((5, 4, 3), 0.5)
    red[..., 0] = 1
    maps = picture_maps.picture_maps(
        "a", "made", {2: red, 0: grey}, 4, (), ["a", "", "c", ""], {"values": np.arange(4)}
    )
    assert maps.shape == (4, 5, 4) and maps.colour and maps.frame == "input" and maps.labels[2] == "c"
    assert np.array_equal(maps.data[2], red) and np.array_equal(maps.data[0], grey)
    assert maps.texels[..., 3].reshape(4, -1).mean(1).tolist() == [1, 0, 1, 0]


def test_only_the_channels_that_were_asked_about_take_room():
    picture = np.random.default_rng(0).uniform(size=(8, 8, 3))
    with mock.patch.object(picture_maps, "MAX_PIXELS", 2 * 8 * 8):
        maps = picture_maps.picture_maps("a", "made", {70: picture, 3: picture}, 1000, (70, 3), ["x", "y"])
        values = picture_maps.scalar_maps("a", "made", {70: picture[..., 0]}, 1000, (70, 3))
    assert maps.shape == (2, 8, 8) and maps.channel_numbers == (70, 3) and np.allclose(maps.data[0], picture)
    assert values.shape == (2, 8, 8) and np.allclose(values.data[values.index(70)], picture[..., 0])
    assert not values.data[values.index(3)].any()


def test_many_are_shrunk_by_means():
    picture = np.arange(7 * 6 * 3, dtype=np.float64).reshape(7, 6, 3) / 126
    with mock.patch.object(picture_maps, "MAX_PIXELS", 2 * 4 * 3):
        maps = picture_maps.picture_maps("a", "made", {1: picture}, 2)
    assert maps.shape == (2, 4, 3)
    assert np.allclose(maps.data[1, 1, 2], picture[2:4, 4:6].mean((0, 1)))
    assert np.allclose(maps.data[1, 3, 0], picture[6:7, 0:2].mean((0, 1)))


def test_a_mosaic_is_read_row_by_row():
    pictures = np.stack([np.full((2, 3, 3), k / 10) for k in range(1, 6)])
    whole = picture_maps.mosaic(pictures, gap=1)
    assert whole.shape == (5, 11, 3)
    assert np.allclose(
        [whole[0, 0, 0], whole[0, 4, 0], whole[0, 8, 0], whole[3, 0, 0], whole[3, 4, 0]], [0.1, 0.2, 0.3, 0.4, 0.5]
    )
    assert not whole[:, 3].any() and not whole[2].any() and not whole[3:, 8:].any()


def test_values_are_laid_over_the_input_as_pictures_are():
    plane = np.arange(7 * 6, dtype=np.float64).reshape(7, 6)
    maps = picture_maps.scalar_maps("a", "made", {4: plane, 0: -plane}, 6, (), (), {"values": np.zeros(6, np.float32)})
    assert maps.shape == (6, 7, 6) and maps.frame == "input" and not maps.colour
    assert np.array_equal(maps.data[4], plane) and np.array_equal(maps.data[0], -plane) and not maps.data[1].any()
    with mock.patch.object(picture_maps, "MAX_PIXELS", 2 * 4 * 3):
        small = picture_maps.scalar_maps("a", "made", {4: plane}, 6)
    assert small.shape == (6, 4, 3) and np.allclose(small.data[4, 3, 2], plane[6:7, 4:6].mean())
