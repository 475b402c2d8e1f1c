"""Measures aliasing: the share of a layer's energy at frequencies that its stride can't represent.

A stride of s keeps frequencies up to 1 / (2 s) cycles a pixel. Higher frequencies in the filter's output are folded
back to lower ones (Zhang 2019, "Making Convolutional Networks Shift-Invariant Again"; Zeiler and Fergus 2014, section
4.1).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..capture.layer_paths import modules_by_path
from ..recording import Network

SPECTRUM_SIZE = 64
"""Number of frequencies along each axis at which a kernel's spectrum is sampled."""


class StridedConv(NamedTuple):
    """A convolution with a stride above 1."""

    module: nn.Conv2d
    source: str
    """Id of the layer it reads; "" for the network's input."""


def find_strided_conv(model: nn.Module, network: Network, layer: str) -> StridedConv | None:
    """Returns the strided convolution whose maps a layer id stands for, or None if there is none.

    layer: id of the convolution, or of a batch norm that is folded into it.
    """
    folded_into = {recorded.shows: recorded.id for recorded in network.layers if recorded.shows}
    id = folded_into.get(layer, layer)
    module = modules_by_path(model).get(id.partition("@")[0])
    if not isinstance(module, nn.Conv2d) or max(module.stride) == 1:
        return None
    sources = [edge.source for edge in network.edges if edge.target == id]
    if len(sources) != 1:
        return None
    return StridedConv(module, "" if network.layer(sources[0]).role == "input" else sources[0])


def aliased_kernel_share(weight: Tensor, stride: tuple[int, ...]) -> Tensor:
    """Returns the share of each kernel's energy at frequencies that the stride folds: (out,) float32, 0..1.

    weight: kernels (out, in, h, w).
    """
    height, width = weight.shape[2:]
    taps = weight.detach().float().flatten(2)
    folded = _folded_frequencies(SPECTRUM_SIZE, SPECTRUM_SIZE, stride, weight.device).float()
    # by the distance of two taps: how much their product contributes to the energy at folded frequencies
    by_distance = torch.fft.ifft2(folded).real
    y, x = (axis.flatten() for axis in torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij"))
    between_taps = by_distance[y[:, None] - y, x[:, None] - x]
    return (taps @ between_taps * taps).sum((1, 2)) / taps.square().sum((1, 2)).clamp(min=1e-30)


def aliased_energy(module: nn.Conv2d, values: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the energy that the stride folds, and the total energy, of a convolution's output: (out,) float64 each.

    values: what the convolution reads, (N, C, H, W). The output is computed at every pixel. Its mean is subtracted, and
    its edges are faded out, because both contain all frequencies.
    """
    if not isinstance(module.padding, str) and module.padding_mode != "zeros":
        values = F.pad(values, module._reversed_padding_repeated_twice, module.padding_mode)
    padding = module.padding if module.padding_mode == "zeros" else 0
    output = F.conv2d(values.to(module.weight.dtype), module.weight, None, 1, padding, module.dilation, module.groups)
    output = output.float()
    output = output - output.mean((2, 3), keepdim=True)
    for axis in (2, 3):
        window = torch.hann_window(output.shape[axis], periodic=False, device=output.device)
        output = output * (window[:, None] if axis == 2 else window)
    power = torch.fft.fft2(output).abs().square()
    folded = _folded_frequencies(output.shape[2], output.shape[3], module.stride, power.device)
    return (power * folded).sum((0, 2, 3)).double(), power.sum((0, 2, 3)).double()


def _folded_frequencies(height: int, width: int, stride: tuple[int, ...], device: torch.device) -> Tensor:
    """Returns (height, width) bool: the frequencies outside the circle or ellipse that a stride keeps."""
    vertical = torch.fft.fftfreq(height, device=device) * 2 * stride[0]
    horizontal = torch.fft.fftfreq(width, device=device) * 2 * stride[-1]
    return (vertical[:, None] ** 2 + horizontal**2) > 1


def checkerboard_energy(maps: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the energy of a pattern of period 2, and the total energy, of maps (N, C, h, w): (C,) float64 each.

    A transposed convolution whose kernel size isn't a multiple of its stride makes such patterns (Odena et al. 2016,
    "Deconvolution and Checkerboard Artifacts").
    """
    even = maps[..., : maps.shape[2] // 2 * 2, : maps.shape[3] // 2 * 2]
    even = even - even.mean((2, 3), keepdim=True)
    phases = even.unflatten(2, (-1, 2)).unflatten(4, (-1, 2)).mean((2, 4))
    return phases.square().mean((2, 3)).sum(0).double(), even.square().mean((2, 3)).sum(0).double()
