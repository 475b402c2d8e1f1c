"""What networks that generalise well and badly look like inside: two small networks, trained in three ways, compared.

After Linse et al. 2022, "A walk in the black-box", Neural Computing and Applications.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

__all__ = ["covid_densenet", "covid_resnet"]


def covid_resnet(classes: int = 101) -> nn.Module:
    """Returns an untrained CovidResNet: (N, 3, 150, 175) float32, normalised -> (N, classes) logits."""
    from .residual_net import CovidResNet

    return CovidResNet(classes)


def covid_densenet(classes: int = 2) -> nn.Module:
    """Returns an untrained CovidDenseNet: (N, 3, 180, 250) float32, normalised -> (N, classes) logits."""
    from .dense_net import CovidDenseNet

    return CovidDenseNet(classes)
