"""What a run uses, and what it must not touch: weights that are computed, caches, modes, lazy modules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from torch import nn  # noqa: E402
from torch.nn.utils import parametrizations, parametrize, prune, spectral_norm, weight_norm  # noqa: E402

from innerwalk.torch_bridge import ask, record  # noqa: E402
from innerwalk.torch_bridge.server.weight_statistics import compute_weight_statistics  # noqa: E402

torch.set_num_threads(1)
PICTURE = torch.randn(1, 4, 6, 6, generator=torch.Generator().manual_seed(0))
COMPUTED: dict[str, Callable[[nn.Conv2d], Any]] = {
    "spectral": spectral_norm,
    "spectral parametrisation": parametrizations.spectral_norm,
    "norm": weight_norm,
    "norm parametrisation": parametrizations.weight_norm,
    "orthogonal": parametrizations.orthogonal,
    "pruned": lambda layer: prune.random_unstructured(layer, "weight", 0.5),
    "random": lambda layer: parametrize.register_parametrization(layer, "weight", Dropped()),
}


class Dropped(nn.Module):
    """Zeroes half of a weight in training."""

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        return nn.functional.dropout(weight, 0.5, self.training)


def changed_by_training(kind: str) -> nn.Conv2d:
    """A convolution whose weight has just been updated, in training mode."""
    torch.manual_seed(0)
    layer = nn.Conv2d(4, 4, 3, bias=False).train()
    COMPUTED[kind](layer)
    layer(PICTURE).sum().backward()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.add_(torch.rand_like(parameter))
    return layer


@pytest.mark.filterwarnings("ignore:.*weight_norm.*deprecated")
@pytest.mark.parametrize("kind", COMPUTED)
def test_kernels_are_those_that_the_run_has_used(kind: str) -> None:
    """The kernels times the input are the values; before the update, and in training, they would not be."""
    layer = changed_by_training(kind)
    shown_before = None if parametrize.is_parametrized(layer) else layer.weight
    net = nn.Sequential(layer)
    recording = record(net, PICTURE, kernels=True)
    kernels, values = recording.maps("0", "weights"), recording.maps("0").data
    assert np.array_equal(kernels.texels, ask(net, PICTURE, "weights").maps("0", "weights").texels)
    weight = torch.from_numpy(kernels.data.copy()).reshape(4, 2, 3, 2, 3).transpose(2, 3).reshape(4, 4, 3, 3)
    assert np.allclose(nn.functional.conv2d(PICTURE, weight)[0], values, atol=1e-5)
    assert shown_before is None or layer.weight is shown_before


def test_weight_statistics_leave_spectral_norms_alone() -> None:
    layer = changed_by_training("spectral parametrisation")
    before = {name: value.clone() for name, value in layer.state_dict().items()}
    assert not dict(compute_weight_statistics(nn.Sequential(layer), ["0"]))
    assert all(torch.equal(value, before[name]) for name, value in layer.state_dict().items())


def gradients(net: nn.Module) -> list[torch.Tensor]:
    return list(torch.autograd.grad(net(PICTURE).float().square().sum(), list(net.parameters())))


def test_a_look_inside_autocast_leaves_gradients() -> None:
    """torch would keep the weights that were cast without gradients."""
    net = nn.Sequential(nn.Conv2d(4, 4, 3), nn.Conv2d(4, 2, 3))
    with torch.autocast("cpu", torch.bfloat16):
        record(net, PICTURE)
        assert all(gradient.any() for gradient in gradients(net))


def test_a_look_inside_cached_parametrisations_leaves_gradients() -> None:
    layer = changed_by_training("orthogonal")
    with parametrize.cached():
        record(layer, PICTURE)
        assert all(gradient.any() for gradient in gradients(layer))
        weight = layer.weight
        record(layer, PICTURE)
        assert layer.weight is weight


def test_networks_that_merge_weights_for_evaluation_are_not_asked_to() -> None:
    """As LoRA layers do, which would then merge them twice."""

    class Merging(nn.Linear):
        merged = False

        def train(self, mode: bool = True) -> nn.Module:
            if not mode and not self.merged:
                self.weight.data += 1
                self.merged = True
            return super().train(mode)

    net = Merging(3, 2)
    weight, values = net.weight.detach().clone(), torch.ones(1, 3)
    maps = record(net, values).maps("Merging")
    assert torch.equal(net.weight, weight) and not net.merged
    assert np.allclose(maps.data[:, 0, 0], net(values)[0].detach())


def test_attributes_and_buffers_stay_consistent() -> None:
    """A cache that has grown for a longer input: its length and its values are both as before."""

    class Grows(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.length, self.part = 2, None
            self.register_buffer("table", torch.zeros(2), persistent=False)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if x.shape[1] > self.length:
                self.length = x.shape[1]
                self.register_buffer("table", torch.zeros(self.length), persistent=False)
                self.part = nn.Identity()
                self.register_buffer("more", torch.zeros(1))
            return x + self.table[: x.shape[1]]

    net = Grows()
    record(net, torch.ones(1, 5))
    assert (
        net.length == len(net.table) == 2 and net.part is None and not net._modules and list(net._buffers) == ["table"]
    )
    assert net(torch.ones(1, 4)).shape == (1, 4)


@pytest.mark.parametrize(
    ("norm", "shape"),
    [
        (nn.LazyBatchNorm1d, (2, 3, 8)),
        (nn.LazyBatchNorm2d, (1, 3, 8, 8)),
        (nn.LazyBatchNorm3d, (1, 3, 4, 4, 4)),
        (nn.LazyInstanceNorm2d, (1, 3, 8, 8)),
    ],
)
def test_lazy_norms(norm: type[nn.Module], shape: tuple[int, ...]) -> None:
    net, values = nn.Sequential(norm(track_running_stats=True)), torch.rand(shape)
    recording = record(net, values, layers="*")
    assert not isinstance(net[0], nn.modules.lazy.LazyModuleMixin) and net[0].training
    assert torch.allclose(torch.from_numpy(recording.maps("0").data).flatten(), values[0].flatten(), atol=1e-4)
    assert not net[0].running_mean.any()


def test_lazy_layers_and_an_uninitialised_buffer() -> None:
    net = nn.Sequential(nn.LazyConv2d(4, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(3))
    net.register_buffer("later", nn.UninitializedBuffer())
    maps = ask(net, PICTURE, "saliency", "3", of="mean").maps("3", "saliency")
    assert maps.data.any() and net[0].in_channels == 4 and net[3].in_features == 64
