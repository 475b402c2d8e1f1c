"""Finds the end of a network that class activation maps can be computed from.

Zhou et al. 2016, "Learning Deep Features for Discriminative Localization": with S_c = sum_k w_kc mean(A_k) + b_c, the
map M_c = sum_k w_kc A_k has the mean S_c - b_c. Finds the layer of the A_k and the weights by recomputing the scores
from candidates. Networks whose scores are means of maps, without a linear layer, qualify too. If no weights of the
network give the scores, it looks whether their gradients do: with batch norms, scales and several linear layers after
the means, the w_kc are the product of all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..capture.values.kernels import used_weight
from ..predictions.classes import class_layer, class_scores
from ..probing.backward import gradients
from ..probing.partial_forward import PartialForward, PartialResult, batched_maps
from ..recording import Network
from ..recording.errors import InputError, ModelError
from .method import MethodContext
from .run_limits import full_precision
from .score_paths import with_gradients

MAX_CANDIDATES = 24
"""Layers with maps, counted from the end, that are tried."""
TOLERANCES = {torch.float16: 2e-2, torch.bfloat16: 6e-2}
"""By number format: how far recomputed scores and equal weights may be off, as a share of the largest."""
TOLERANCE = 1e-3
"""Tolerance for all other number formats."""
CLASSES_AT_ONCE = 32
"""Classes whose gradients are computed in one backward pass."""
FAR, FAR_IN_HALF = 1000.0, 20.0
"""Factor of maps by which it is seen whether scores follow: beyond the bend of any ReLU, within the number format."""


@dataclass(frozen=True)
class CamHead:
    """The layer whose maps are averaged, and all that is linear after the averages."""

    layer: str
    weight: Tensor | None
    """(classes, K); None where the maps are already those of the classes."""
    bias: Tensor
    """(classes,)"""

    def maps(self, features: Tensor) -> Tensor:
        """(N, K, h, w) maps of the layer -> (N, classes, h, w) class activation maps, without the bias."""
        return features if self.weight is None else torch.einsum("ck,nkhw->nchw", self.weight, features)


def find_head(context: MethodContext) -> CamHead:
    """Finds the head of a network, checked on the current input. Raises InputError if there is none, and ModelError if
    the network's backward pass fails.
    """
    layers = _candidates(context.network)
    if layers and (head := _weighted_head(context, layers) or _folded_head(context, layers)) is not None:
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


def _weighted_head(context: MethodContext, layers: Sequence[str]) -> CamHead | None:
    """Returns the head on the last layer from which weights of the network give the scores."""
    with torch.no_grad(), full_precision(context.device):
        forward = PartialForward(context.model, layers, context.arguments)
        result = forward(context.arguments, to_output=True)
        scores = class_scores(result.output)[:1]
        heads = (_try_weights(context.model, id, result.maps[id][:1], scores) for id in reversed(layers))
        return next((head for head in heads if head is not None), None)


def _try_weights(model: nn.Module, id: str, maps: Tensor, scores: Tensor) -> CamHead | None:
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
        for tensor in (tensor for tensor in tensors if tensor.dim()):
            weight = tensor.flatten(1) if tensor.dim() > 1 else tensor[:, None]
            matrices = [weight] if weight.shape == (classes, features) else []
            matrices += [weight.T] if weight.shape == (features, classes) else []
            yield from ((matrix, bias) for matrix in matrices for bias in (*biases, zeros))


def _is_float_tensor(value: object) -> bool:
    return isinstance(value, Tensor) and value.is_floating_point()


def _folded_head(context: MethodContext, layers: Sequence[str]) -> CamHead | None:
    """Returns the head on the last layer that the scores are linear in the means of, its weights their gradients."""
    forward = PartialForward(context.model, layers, context.arguments)
    with torch.enable_grad(), full_precision(context.device):
        result = forward(with_gradients(context.arguments), to_output=True)
        scores = class_scores(result.output)[0]
        for id in reversed(_uniform_layers(result, scores, layers)):
            if (head := _head_on(result, scores, id)) is not None and _holds(context, forward, head):
                return head
    return None


def _uniform_layers(result: PartialResult, scores: Tensor, layers: Sequence[str]) -> list[str]:
    """Returns the layers whose maps may have the same weight everywhere in the score (classes,) of the first class."""
    if not scores.requires_grad:
        return []
    first = result.gradients(scores[0], keep_graph=True)
    return [id for id in layers if id in first and _is_uniform(first[id][:1])]


def _is_uniform(weights: Tensor) -> bool:
    """Whether (classes, K, h, w) weights are the same at all positions."""
    tolerances = TOLERANCES.get(weights.dtype, TOLERANCE) * weights.abs().amax((1, 2, 3), keepdim=True)
    return bool(((weights - weights.mean((2, 3), keepdim=True)).abs() <= tolerances).all())


def _head_on(result: PartialResult, scores: Tensor, id: str) -> CamHead | None:
    """Returns the head on a layer if all scores (classes,) give each of its maps the same weight everywhere."""
    rows = list[Tensor]()
    for classes in torch.eye(len(scores), dtype=scores.dtype, device=scores.device).split(CLASSES_AT_ONCE):
        weights = _class_gradients(result, scores, classes, id)
        if not _is_uniform(weights):
            return None
        rows.append(weights.sum((2, 3)))
    weight, means = torch.cat(rows), result.maps[id].detach()[0].mean((1, 2))
    return CamHead(id, weight, (scores - weight @ means).detach())


def _class_gradients(result: PartialResult, scores: Tensor, classes: Tensor, id: str) -> Tensor:
    """Returns the gradients (n, K, h, w) of scores for a layer's maps. classes: (n, classes), a 1 in each row."""

    def passed_back(weights: Tensor, batched: bool) -> Tensor | None:
        of = f"the answer to layer {id}"
        return gradients([scores], [result.edges[id]], [weights], of=of, keep_graph=True, batched=batched)[0]

    try:
        found = passed_back(classes, True)
    except ModelError:  # a function of the network's own that takes one gradient at a time
        rows = [passed_back(row, False) for row in classes]
        found = None if rows[0] is None else torch.stack([row for row in rows if row is not None])
    if found is None:
        found = torch.zeros_like(result.tensors[id]).expand(len(classes), *result.tensors[id].shape)
    maps = [batched_maps(each, result.layouts[id], len(result.maps[id]))[0] for each in found]
    return torch.stack(maps)


@torch.no_grad()
def _holds(context: MethodContext, forward: PartialForward, head: CamHead) -> bool:
    """Whether the head gives the scores for other maps too: whether all that follows the means is linear."""
    random = torch.Generator().manual_seed(0)

    def change(maps: Tensor) -> None:
        far = FAR_IN_HALF if maps.dtype in TOLERANCES else FAR
        factors = (torch.rand(maps.shape[1], generator=random) * 2 - 1).to(maps) * far
        maps.mul_(factors[:, None, None])

    try:
        result = forward(context.arguments, {head.layer: change}, to_output=True)
    except ModelError:  # its values can't be changed as maps
        return False
    scores, maps = class_scores(result.output)[0], result.maps[head.layer][:1]
    expected = head.maps(maps).mean((2, 3))[0] + head.bias
    tolerance = TOLERANCES.get(scores.dtype, TOLERANCE) * float(scores.abs().max())
    return float((expected - scores).abs().max()) <= tolerance
