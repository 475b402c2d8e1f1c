"""Strokes change channels at some places of a layer's maps, and all that follows is computed with them."""

import pytest

pytest.importorskip("torch", reason="needs PyTorch")

import torch

from innerwalk.tests.support.own_networks import Painter
from innerwalk.torch_bridge.capture.strokes import resolve_strokes
from innerwalk.torch_bridge.probing.unit_levels import measure_levels, noise_codes
from innerwalk.torch_bridge.recording.errors import InputError, UnknownName
from innerwalk.torch_bridge.server.loaded_model import LoadedModel
from innerwalk.torch_bridge.server.priority_lock import PriorityLock
from innerwalk.torch_bridge.subject import RecordSpec

STROKE = {"layer": "units", "channels": [1], "cells": [[0, 0], [11, 3]], "insert": True}


@pytest.fixture
def live():
    spec = RecordSpec("innerwalk.tests.support.own_networks:Painter", inputs=("noise:1",))
    return LoadedModel("painter", spec, "cpu", PriorityLock())


def run(live, strokes=()):
    return live.record(live.read(live.default_sources), "panels", lambda maps: None, strokes=strokes)


def test_what_follows_is_computed_with_the_strokes(live):
    before, after = run(live), run(live, [STROKE])
    units, old = after.maps("units").data, before.maps("units").data
    changed = set(zip(*(axis.tolist() for axis in (units != old).nonzero()), strict=True))
    assert changed <= {(1, 0, 0), (1, 11, 3)} and units[1, 0, 0] == units[1, 11, 3] == 1
    assert (after.maps("enlarge").data[1, :2, :2] == 1).all() and (before.maps("enlarge").data[1, :2, :2] == -1).all()
    assert after.provenance["strokes"] == [STROKE] and "strokes" not in before.provenance
    assert (run(live).maps("units").data == old).all()


def test_later_strokes_lie_above_earlier_ones(live):
    units = run(live, [STROKE, STROKE | {"insert": False, "cells": [[0, 0]]}]).maps("units").data
    assert units[1, 0, 0] == 0 and units[1, 11, 3] == 1


def test_levels_are_those_of_active_places():
    codes = noise_codes((torch.zeros(1, 3),))
    assert codes is not None and codes[0].shape == (64, 3)
    assert measure_levels(Painter(), "units", codes) == [1, 1, 1]
    assert noise_codes((torch.zeros(1, 3, 8, 8),)) is None and noise_codes((torch.zeros(1, 64, 1, 1),)) is not None


@pytest.mark.parametrize(
    ("stroke", "error", "words"),
    [
        ({"layer": "unit"}, UnknownName, "no layer 'unit'; did you mean units"),
        ({"layer": "read"}, InputError, "layer read has no maps with rows and columns"),
        ({"cells": [[12, 0]]}, InputError, r"no cell \[12, 0\]; its maps have 12 x 12"),
        ({"cells": []}, InputError, "is no stroke; write"),
        ({"channels": [3]}, InputError, "units"),
        ({"insert": 1}, InputError, "is no stroke; write"),
    ],
)
def test_other_strokes_are_refused_in_one_line(live, stroke, error, words):
    network = run(live).network
    with pytest.raises(error, match=words) as caught:
        resolve_strokes(network, [STROKE | stroke], lambda layer: [1.0, 1.0, 1.0])
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="a list of at most 1,000 objects"):
        resolve_strokes(network, "x", lambda layer: [])
