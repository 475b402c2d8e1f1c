"""Class activation maps, of networks that end with the means of maps and one linear layer, or with means alone.

Zhou et al. 2016, "Learning Deep Features for Discriminative Localization": S_c = sum_k w_kc mean(A_k) + b_c is the mean
of M_c = sum_k w_kc A_k, and b_c. Which layer gives the A_k and which weights follow is found by calculating the scores.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..predictions.classes import class_scores
from ..probing.partial_forward import PartialForward
from ..recording import Network
from ..recording.errors import InputError
from .input_gradients import full_precision
from .method import MethodContext

LOOKED_AT = 24
"""Layers with maps, from the end, that the means may be of."""
ROUNDING = {torch.float16: 2e-2, torch.bfloat16: 6e-2}
"""How far scores may be off, as a share of the largest, by number format; else USUAL."""
USUAL = 1e-3


@dataclass(frozen=True)
class CamHead:
    """The end of a network that class activation maps can be made of."""

    layer: str
    """Whose maps are averaged."""
    weight: Tensor | None
    """(classes, K); None where the maps are those of the classes already."""
    bias: Tensor
    """(classes,)"""

    def maps(self, features: Tensor) -> Tensor:
        """(N, K, h, w) maps of the layer -> (N, classes, h, w): the mean of each and its bias are the class's score."""
        return features if self.weight is None else torch.einsum("ck,nkhw->nchw", self.weight, features)


def find_head(work: MethodContext) -> CamHead:
    """The head of a network, checked on the input that is looked at. Raises InputError where it has none."""
    layers = _with_maps(work.network)
    if layers:
        with torch.no_grad(), full_precision(work.device):
            reached = PartialForward(work.model, layers, work.arguments)(work.arguments, whole=True)
            scores = class_scores(reached.output)[:1]
            for id in reversed(layers):
                if (found := _head(work.model, id, reached.maps[id][:1], scores)) is not None:
                    return found
    raise InputError(
        f"{work.network.name} doesn't end with the means of maps and one linear layer, which class activation maps "
        "are made of; grad_cam does for any network"
    )


def _with_maps(network: Network) -> list[str]:
    every = [one.id for one in network.layers if one.role not in ("input", "output")]
    return [id for id in every if min(network.layer(id).map_shape[1:]) > 1][-LOOKED_AT:]


def _head(model: nn.Module, id: str, maps: Tensor, scores: Tensor) -> CamHead | None:
    """The head whose maps these (1, K, h, w) are, if it gives these scores (1, classes)."""
    means, classes = maps.mean((2, 3)), scores.shape[1]
    near = ROUNDING.get(scores.dtype, USUAL) * float(scores.abs().max())
    for weight, bias in _linear(model, classes, means.shape[1]):
        given = (means if weight is None else means @ weight.T) + bias
        if float((given - scores).abs().max()) <= near:
            return CamHead(id, weight, bias)
    return None


def _linear(model: nn.Module, classes: int, features: int) -> Iterator[tuple[Tensor | None, Tensor]]:
    """Weights (classes, features) and biases (classes,) that a network has; first none at all."""
    first = next(model.parameters(), torch.zeros(1))
    nothing = torch.zeros(classes, device=first.device, dtype=first.dtype)
    if classes == features:
        yield None, nothing
    for module in reversed(list(model.modules())):
        own = [one.detach() for one in (getattr(module, "weight", None), *module._parameters.values()) if _is(one)]
        biases = [one for one in own if tuple(one.shape) == (classes,)]
        for one in own:
            weight = one.flatten(1) if one.dim() > 1 else one[:, None]
            turned = [weight] if weight.shape == (classes, features) else []
            turned += [weight.T] if weight.shape == (features, classes) else []
            yield from ((found, bias) for found in turned for bias in (*biases, nothing))


def _is(value: object) -> bool:
    return isinstance(value, Tensor) and value.is_floating_point()
