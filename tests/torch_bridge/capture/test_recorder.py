"""Recorded values and edges against two oracles that share no code with the recorder: cloning hooks and torch.fx."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from innerwalk.bench.oracle import Oracle, cloned_outputs, same_values  # noqa: E402
from innerwalk.torch_bridge import record  # noqa: E402
from innerwalk.torch_bridge.models.torchvision_import import import_torchvision  # noqa: E402

torch.set_num_threads(1)
SMALL_VIT = {"image_size": 32, "patch_size": 8, "num_layers": 2, "num_heads": 2, "hidden_dim": 32, "mlp_dim": 64}
NETWORKS: dict[str, tuple[int, dict[str, Any], dict[str, int]]] = {
    "resnet50": (32, {}, {"add": 16}),
    "mobilenet_v2": (32, {}, {"add": 10}),
    "densenet121": (32, {}, {"cat": 62}),
    "inception_v3": (75, {"init_weights": False}, {"cat": 15}),
    "googlenet": (32, {"init_weights": False}, {"cat": 9}),
    "shufflenet_v2_x1_0": (32, {}, {"cat": 16}),
    "efficientnet_b0": (32, {}, {"add": 9, "mul": 16}),
    "swin_t": (64, {}, {"add": 38, "mul": 12, "cat": 3}),
    "vit": (32, SMALL_VIT, {"add": 5, "cat": 1}),
}


def build(name: str, arguments: dict[str, Any]) -> torch.nn.Module:
    if import_torchvision() == "absent":
        pytest.skip("torchvision is not installed")
    from torchvision.models import VisionTransformer, get_model

    torch.manual_seed(0)
    return (VisionTransformer(**arguments) if name == "vit" else get_model(name, weights=None, **arguments)).eval()


@pytest.mark.parametrize("name", NETWORKS)
def test_network_equals_hooks_and_fx(name: str) -> None:
    size, arguments, branches = NETWORKS[name]
    model, picture = build(name, arguments), torch.rand(1, 3, size, size)
    recording = record(model, picture)
    network = recording.network
    kinds = [layer.kind for layer in network.layers]
    assert {kind: kinds.count(kind) for kind in branches} == branches

    oracle = Oracle(model)
    with torch.no_grad():
        oracle.run(picture)
    assert oracle.contracted((edge.source, edge.target) for edge in network.edges) == oracle.edges()

    truth = {**oracle.values, **cloned_outputs(model, picture)}
    for layer in network.layers:
        if layer.role != "output" and layer.id.split(":")[0] not in oracle.sealed:
            maps = recording.maps(layer.id)
            assert maps.shape == layer.map_shape
            assert same_values(truth[layer.id], maps.data, layer.shape), layer.id


def test_resnet50_folds_into_its_panels() -> None:
    model = build("resnet50", {})
    network = record(model, torch.rand(1, 3, 32, 32), layers=()).network
    panels = [layer for layer in network.layers if layer.role == "panel"]
    kinds = [layer.kind for layer in panels]
    assert (kinds.count("Conv2d"), kinds.count("add"), kinds.count("Linear"), len(kinds)) == (53, 16, 1, 70)
    assert network.layer("layer1.0.conv1").shows == "layer1.0.bn1"
    assert network.layer("layer1.0.downsample.0").shows == "layer1.0.downsample.1"
    assert network.layer("fc").shows == "fc"
    shown, edges = network.folded()
    assert len(shown) == 70 and len(edges) == 69 + 16
    assert network.parameters == sum(p.numel() for p in model.parameters())
    assert network.layer("conv1").parameters == 64 * 3 * 49


def test_panels_keep_what_the_fold_shows_and_no_more() -> None:
    model, picture = build("resnet50", {}), torch.rand(1, 3, 32, 32)
    everything, panels = record(model, picture), record(model, picture, layers="panels")
    shown = {layer.shows for layer in panels.network.layers if layer.role == "panel"}
    assert {layer for layer, _ in panels.all_maps} == shown
    for id in shown:
        assert (panels.maps(id).texels == everything.maps(id).texels).all()
