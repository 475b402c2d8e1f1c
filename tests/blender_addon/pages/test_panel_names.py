"""Names of a plate's panels: each is one panel's only, and says where in the network it is."""

from collections import Counter

import pytest

from innerwalk.blender_addon.pages.font import text_length
from innerwalk.blender_addon.pages.plate.graph import fewer_panels
from innerwalk.blender_addon.pages.plate.panel_names import fitting_names, panel_names
from innerwalk.tests.support.graphs import graph, models, panel


@pytest.mark.parametrize("name", models())
def test_no_two_panels_of_a_plate_have_a_name_in_common(name):
    layers = [layer for layer in fewer_panels(*graph(name))[0] if layer.role != "joint"]
    names = panel_names(layers)
    assert max(Counter(text for own in names for text in own).values()) == 1
    assert not [own[0] for own, layer in zip(names, layers, strict=True) if own[0][0].isdigit() > layer.id[0].isdigit()]
    for room in (3.5, 5.0, 9.0, 100.0):
        texts = fitting_names(names, [room] * len(names))
        assert all(text_length(text) <= room for text in texts)
        assert max(Counter(filter(None, texts)).values()) == 1
    assert all(fitting_names(names, [6.5] * len(names)))


def test_names_are_shortened_word_by_word_and_on_all_panels_alike():
    ids = ["conv1", *(f"layer{k}.{n}.conv{m}" for k in (1, 2) for n in (0, 1) for m in (1, 2)), "layer2.0.downsample.0"]
    names = panel_names([panel(id, (4, 2, 2)) for id in ids])
    assert names[0] == ["conv1", "c1"] and names[1] == ["layer1.0.conv1", "l1.0.conv1", "l1.0.c1"]
    wide, narrow = text_length("layer1.0.conv1"), text_length("l1.0.c1")
    assert fitting_names(names, [wide] * 10)[:3] == ["conv1", "layer1.0.conv1", "layer1.0.conv2"]
    assert fitting_names(names, [narrow] + [wide] * 9)[1] == "layer1.0.conv1"
    assert fitting_names(names, [wide, narrow] + [wide] * 8)[1:3] == ["l1.0.c1", "l1.0.conv2"]
    assert fitting_names(names, [wide] * 9 + [text_length("d.0")])[-1] == "d.0"


def test_blocks_of_one_name_are_numbered():
    layers = [panel(f"{k}:add", (4, 2, 2), "add") for k in range(3)]
    blocks = [layer.__class__(**vars(layer) | {"note": f"represents 4 layers of {name}"})
              for layer, name in zip(layers, ("head", "body", "head"), strict=True)]  # fmt: skip
    assert [own[0] for own in panel_names(blocks)] == ["head", "body", "head@2"]
