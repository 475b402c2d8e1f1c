"""Finds the end of a network that class activation maps can be computed from.

Zhou et al. 2016, "Learning Deep Features for Discriminative Localization": with S_c = sum_k w_kc mean(A_k) + b_c, the
map M_c = sum_k w_kc A_k has the mean S_c - b_c. Finds the layer of the A_k and the weights by recomputing the scores
from candidates. Networks whose scores are means of maps, without a linear layer, qualify too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..capture.values.kernels import used_weight
from ..predictions.classes import class_layer, class_scores
from ..probing.partial_forward import PartialForward
from ..recording import Network
from ..recording.errors import InputError
from .method import MethodContext
from .run_limits import full_precision

MAX_CANDIDATES = 24
"""Layers with maps, counted from the end, that are tried."""
TOLERANCES = {torch.float16: 2e-2, torch.bfloat16: 6e-2}
"""By number format: how far recomputed scores may be off, as a share of the largest score."""
TOLERANCE = 1e-3
"""Tolerance for all other number formats."""


@dataclass(frozen=True)
class CamHead:
    """The layer whose maps are averaged, and the linear layer after the averages."""

    layer: str
    weight: Tensor | None
    """(classes, K); None where the maps are already those of the classes."""
    bias: Tensor
    """(classes,)"""

    def maps(self, features: Tensor) -> Tensor:
        """(N, K, h, w) maps of the layer -> (N, classes, h, w) class activation maps, without the bias."""
        return features if self.weight is None else torch.einsum("ck,nkhw->nchw", self.weight, features)


def find_head(context: MethodContext) -> CamHead:
    """Finds the head of a network, checked on the current input. Raises InputError if there is none."""
    layers = _candidates(context.network)
    if layers:
        with torch.no_grad(), full_precision(context.device):
            forward = PartialForward(context.model, layers, context.arguments)
            result = forward(context.arguments, to_output=True)
            scores = class_scores(result.output)[:1]
            for id in reversed(layers):
                if (head := _try_layer(context.model, id, result.maps[id][:1], scores)) is not None:
                    return head
    raise InputError(
        f"{context.network.name} doesn't end with the means of maps and one linear layer, which class activation maps "
        "need; grad_cam works for any network"
    )


def class_map_layer(context: MethodContext, classes: int) -> str:
    """Returns the layer of the classes, which carries their maps. Raises InputError if it was not requested."""
    layer = class_layer(context.network, classes)
    if layer not in context.layers:
        raise InputError(f"class activation maps are drawn on the layer of the classes, {layer}; ask for that one")
    return layer


def _candidates(network: Network) -> list[str]:
    ids = [layer.id for layer in network.layers if layer.role not in ("input", "output")]
    return [id for id in ids if min(network.layer(id).map_shape[1:]) > 1][-MAX_CANDIDATES:]


def _try_layer(model: nn.Module, id: str, maps: Tensor, scores: Tensor) -> CamHead | None:
    """Returns the head on these maps (1, K, h, w), if one reproduces the scores (1, classes)."""
    means, classes = maps.mean((2, 3)), scores.shape[1]
    tolerance = TOLERANCES.get(scores.dtype, TOLERANCE) * float(scores.abs().max())
    for weight, bias in _linear_candidates(model, classes, means.shape[1]):
        recomputed = (means if weight is None else means @ weight.T) + bias
        if float((recomputed - scores).abs().max()) <= tolerance:
            return CamHead(id, weight, bias)
    return None


def _linear_candidates(model: nn.Module, classes: int, features: int) -> Iterator[tuple[Tensor | None, Tensor]]:
    """Yields pairs of weights (classes, features) and biases (classes,) of the model; first no weights, if possible."""
    first = next(model.parameters(), torch.zeros(1))
    zeros = torch.zeros(classes, device=first.device, dtype=first.dtype)
    if classes == features:
        yield None, zeros
    for module in reversed(list(model.modules())):
        values = (used_weight(module), *module._parameters.values())
        tensors = [value.detach() for value in values if _is_float_tensor(value)]
        biases = [tensor for tensor in tensors if tuple(tensor.shape) == (classes,)]
        for tensor in tensors:
            weight = tensor.flatten(1) if tensor.dim() > 1 else tensor[:, None]
            matrices = [weight] if weight.shape == (classes, features) else []
            matrices += [weight.T] if weight.shape == (features, classes) else []
            yield from ((matrix, bias) for matrix in matrices for bias in (*biases, zeros))


def _is_float_tensor(value: object) -> bool:
    return isinstance(value, Tensor) and value.is_floating_point()
