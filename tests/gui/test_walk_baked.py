"""Baked colours in a solid view look like the shader's."""

import numpy as np
import pytest

CLOSE = 3
"""Tolerance in steps of 255: the haze over a few metres is not baked."""


@pytest.fixture(scope="module")
def result(play) -> dict:
    return play("baked", seconds=700)


@pytest.mark.parametrize("where", ["entrance", "near"])
def test_colours_are_those_of_the_shader(result, where):
    shader, baked = (result[f"{where} {how}"] for how in ("preview", "baked"))
    assert shader.keys() == baked.keys() and len(shader) >= 4
    assert {name: baked[name] for name in shader if np.abs(np.subtract(shader[name], baked[name])).max() > CLOSE} == {}
