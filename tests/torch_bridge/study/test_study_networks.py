"""The two networks are those of the paper: parameters, sizes of maps, numbers of convolutions."""

import pytest

pytest.importorskip("torch", reason="networks are built with torch")

import torch

from innerwalk.torch_bridge import study
from innerwalk.torch_bridge.study.study_networks import NETWORKS

RESNET = {
    "conv1": (9_408, (64, 75, 88)),
    "maxpool": (0, (64, 38, 44)),
    "layer1": (147_968, (64, 38, 44)),
    "layer2": (230_144, (128, 19, 22)),
    "layer3": (919_040, (256, 10, 11)),
    "layer4": (3_673_088, (512, 5, 6)),
    "fc": (51_813, (101,)),
}
DENSENET = {
    "conv0": (9_408, (64, 90, 125)),
    "pool0": (0, (64, 45, 63)),
    "block1": (335_040, (256, 45, 63)),
    "transition1": (33_280, (128, 22, 31)),
    "block2": (724_800, (448, 22, 31)),
    "transition2": (115_584, (256, 11, 15)),
    "block3": (144_960, (320, 11, 15)),
    "transition3": (164_480, (512, 5, 7)),
    "block4": (103_680, (544, 5, 7)),
    "fc": (1_090, (2,)),
}


def parameters(module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def convolutions(model) -> int:
    return sum(isinstance(module, torch.nn.Conv2d) for module in model.modules())


@pytest.mark.parametrize(
    ("model", "size", "rows", "total", "count"),
    [
        (study.covid_resnet(101), (150, 175), RESNET, 5_031_589, 14),
        (study.covid_densenet(2), (180, 250), DENSENET, 1_633_538, 42),
    ],
    ids=["covid_resnet", "covid_densenet"],
)
def test_parameters_and_maps_are_those_of_the_paper(model, size, rows, total, count):
    shapes = {}
    for name in rows:
        model.get_submodule(name).register_forward_hook(
            lambda module, inputs, maps, name=name: shapes.update({name: tuple(maps.shape[1:])})
        )
    with torch.no_grad():
        model.eval()(torch.zeros(1, 3, *size))
    assert {name: (parameters(model.get_submodule(name)), shapes[name]) for name in rows} == rows
    assert parameters(model) == total and convolutions(model) == count


def test_covid_resnet_of_two_classes_has_the_parameters_of_the_paper():
    assert parameters(study.covid_resnet(2)) == 4_980_802


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_the_layers_that_a_study_looks_at_exist(network):
    model = network.build(3)
    shapes = {}
    for name in (network.first, network.last, *network.stages):
        model.get_submodule(name).register_forward_hook(
            lambda module, inputs, maps, name=name: shapes.update({name: maps.shape[1]})
        )
    with torch.no_grad():
        model.eval()(torch.zeros(1, 3, 32, 32))
    assert shapes.keys() >= {network.first, *network.stages} and shapes[network.last] == network.channels
