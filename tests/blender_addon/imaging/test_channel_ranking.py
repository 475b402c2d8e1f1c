"""The strongest channels of a layer."""

import numpy as np

from innerwalk.blender_addon.imaging.channel_ranking import strongest_channels


def test_the_strongest_channels_are_chosen_in_order():
    maps = np.zeros((6, 4, 4), np.float32)
    maps[4], maps[1] = 1.0, 0.5
    maps[2, 0, 0] = np.nan
    maps[3] = -2.0
    maps[5, ::2] = 1.0
    assert strongest_channels(maps, 1).tolist() == [5]
    assert strongest_channels(maps, 3).tolist() == [1, 4, 5]
