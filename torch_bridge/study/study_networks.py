"""The two networks that a study trains, and which of their layers it looks at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import nn

from . import covid_densenet, covid_resnet


@dataclass(frozen=True)
class StudyNetwork:
    """A network, its layers by name, and what the paper reports of it."""

    build: Callable[[int], nn.Module]
    factory: str
    """What `innerwalk record` calls it."""
    size: tuple[int, int]
    """(height, width) in pixels of the paper's pictures."""
    first: str
    """The first convolution."""
    last: str
    """What the last convolution gives."""
    channels: int
    """Of that layer."""
    stages: tuple[str, ...]
    """Layers that are compared between strategies."""
    paper_data: str
    paper: Mapping[str, float]
    """Test accuracy by strategy."""


NETWORKS: Mapping[str, StudyNetwork] = {
    "covid_resnet": StudyNetwork(
        covid_resnet, "innerwalk.torch_bridge.study:covid_resnet", (150, 175), "conv1", "layer4.0.norm2", 512,
        ("norm1", "layer1", "layer2", "layer3", "layer4"),
        "Caltech-101, 101 classes", {"standard": 0.78, "shuffled": 0.01, "noisy": 0.42},
    ),
    "covid_densenet": StudyNetwork(
        covid_densenet, "innerwalk.torch_bridge.study:covid_densenet", (180, 250), "conv0", "block4.0.conv2", 32,
        ("norm0", "block1", "block2", "block3", "block4"),
        "SARS-CoV-2 CT, 2 classes", {"standard": 0.97, "shuffled": 0.50, "noisy": 0.99},
    ),
}  # fmt: skip
