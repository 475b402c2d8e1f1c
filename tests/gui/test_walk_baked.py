"""Baked colours in a solid view look as the shader does."""

import numpy as np
import pytest

CLOSE = 3
"""Steps of 255: the air of a few metres is not baked."""


@pytest.fixture(scope="module")
def told(play) -> dict:
    return play("baked", seconds=500)


@pytest.mark.parametrize("where", ["entrance", "near"])
def test_colours_are_those_of_the_shader(told, where):
    shader, baked = (told[f"{where} {how}"] for how in ("preview", "baked"))
    assert shader.keys() == baked.keys() and len(shader) >= 4
    assert {name: baked[name] for name in shader if np.abs(np.subtract(shader[name], baked[name])).max() > CLOSE} == {}
