"""The chart of training conditions: its networks, its classes without labels, and where its dots lie."""

import io

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs torch")

import torch
from PIL import Image
from torch import nn

from innerwalk.bench import training_conditions as conditions
from innerwalk.bench.training_chart import HEAD, MARGIN, MEANS, NAMES, ROW, WIDTH, chart_file
from innerwalk.torch_bridge.concepts.concepts_training import LabelledPictures


def test_pictures_are_turned_as_their_class_says():
    images = torch.zeros(40, 3, 8, 8, dtype=torch.uint8)
    images[:, :, 0] = 255  # the upper edge
    found = conditions.turned(LabelledPictures(images, torch.zeros(40, dtype=torch.int64)), 3)
    edges = {0: found.images[:, 0, 0, 4], 2: found.images[:, 0, 7, 4]}
    assert set(found.labels.tolist()) == {0, 1, 2}
    for label, edge in edges.items():
        assert torch.equal(found.labels == label, edge == 255)


def test_conditions_change_one_thing_and_seeds_the_weights():
    networks = {}
    for condition in conditions.CONDITIONS:
        untrained = conditions.TrainingCondition(**{**vars(condition), "epochs": 0})
        networks[condition.name] = conditions.trained_network(untrained, 1, None if condition.labelled else pictures())
    layers = {name: [type(module) for module in network.features] for name, network in networks.items()}
    assert nn.BatchNorm2d not in layers["no batch norm"] and layers["baseline"] == layers["untrained"]
    assert networks["dropout .5"].dropout.p == 0.5 and networks["without labels"].fc.out_features == 3
    kernels = networks["orthogonal start"].features[3].weight.flatten(1)
    assert torch.allclose(kernels @ kernels.T, 2 * torch.eye(len(kernels)), atol=1e-4)
    again = conditions.trained_network(conditions.CONDITIONS[-1], 1, pictures()).features[0].weight
    assert torch.equal(networks["untrained"].features[0].weight, again)


def pictures(count: int = 8) -> LabelledPictures:
    labels = torch.arange(count) % 2
    return LabelledPictures((labels * 200).to(torch.uint8)[:, None, None, None].expand(-1, 3, 64, 64), labels)


def test_a_probe_tells_bright_pictures_from_dark_ones_and_not_equal_ones():
    data = pictures(40)
    assert conditions.probe_accuracy(nn.Identity(), data, data) == 1
    same = LabelledPictures(torch.zeros_like(data.images), data.labels)
    assert conditions.probe_accuracy(nn.Identity(), same, same) == 0.5


def test_dots_of_the_chart_lie_at_their_values():
    measured = {"a": [{"share": 0.25}, {"share": 0.75}], "b": [{"share": 1.0}, {"share": 1.0}]}
    pixels = np.asarray(Image.open(io.BytesIO(chart_file(measured))).convert("RGB")).astype(int)
    scale, room = 200 / 25.4, WIDTH - 2 * MARGIN - NAMES - MEANS

    def is_dark(row: int, value: float) -> bool:
        y, x = (HEAD + ROW * (row + 0.5)) * scale, (MARGIN + NAMES + value * room) * scale
        return bool(pixels[round(y), round(x) - 3].sum() < 200)

    assert [is_dark(0, value) for value in (0.25, 0.75, 0.5, 1.0)] == [True, True, False, False]
    assert is_dark(1, 1.0) and not is_dark(1, 0.25)
