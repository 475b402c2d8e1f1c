"""Independent check of a recording's edges: which inputs and layers reach which outputs in the graph of autograd.

The network runs once more with gradients, and the graph behind each output, and behind the output of each module, is
walked. `detach` is left out of that run, as values flow through it, and embeddings of whole numbers are tied to the
input that holds these. Inputs that no gradient can reach, such as masks that are compared, are listed by themselves;
calls whose output has no gradient, such as tables of fixed positions, are left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from ..torch_bridge.capture.call_arguments import map_leaves
from ..torch_bridge.capture.trace.op_types import tensors_in
from ..torch_bridge.recording import Network

Origins = Mapping[str, frozenset[str]]
"""Names of what a layer or an output comes from, by its id."""


@dataclass(frozen=True)
class Reachability:
    """What reaches what, by the ids that a recording uses."""

    inputs_of: Origins
    """Inputs that reach each module call and each output."""
    layers_of: Origins
    """Module calls that reach each output."""
    unreached: frozenset[str]
    """Inputs that gradients can't reach."""


class _Differentiable(TorchFunctionMode):
    """Lets gradients pass `detach`, and embeddings depend on their whole numbers."""

    def __init__(self, leaves: Mapping[int, torch.Tensor]) -> None:
        super().__init__()
        self.leaves, self.used = leaves, set[int]()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is torch.Tensor.detach:
            return args[0].view_as(args[0])
        result = func(*args, **kwargs)
        if func is torch.nn.functional.embedding:
            place = args[0].untyped_storage().data_ptr()
            if place in self.leaves:
                self.used.add(place)
                return result + 0 * self.leaves[place]
        return result


def measure_reachability(model: nn.Module, inputs: Any) -> Reachability:
    """Runs a network with gradients and walks the graphs behind what its modules and it return.

    inputs: as for `record`, a tensor, list, tuple or dict.
    """
    copies: dict[torch.Tensor, torch.Tensor] = {}
    passed = map_leaves(lambda leaf: _copy(leaf, copies), inputs)
    leaves, tied = {}, {}
    for k, copy in enumerate(copies.values()):
        leaf = copy if copy.requires_grad else torch.zeros((), requires_grad=True)
        leaves[leaf] = _name("input", k)
        if leaf is not copy:
            tied[copy.untyped_storage().data_ptr()] = leaf
    with _returned_tensors(model) as returned, torch.enable_grad(), _Differentiable(tied) as mode:
        results = list(tensors_in(_call(model, passed)))
    calls = {id: tensors for id, tensors in returned.items() if any(tensor.requires_grad for tensor in tensors)}
    outputs = {_name("output", k): [tensor] for k, tensor in enumerate(results)}
    walked = {id: _walk(tensors) for id, tensors in (calls | outputs).items()}
    inputs_of = {
        id: frozenset(name for leaf, name in leaves.items() if any(leaf is own for own in found))
        for id, (_, found) in walked.items()
    }
    nodes = {id: {tensor.grad_fn for tensor in tensors} - {None} for id, tensors in calls.items()}
    layers_of = {id: frozenset(call for call, own in nodes.items() if own & walked[id][0]) for id in outputs}
    unreached = frozenset(leaves[leaf] for place, leaf in tied.items() if place not in mode.used)
    return Reachability(inputs_of, layers_of, unreached)


def _walk(tensors: list[torch.Tensor]) -> tuple[set[Any], list[torch.Tensor]]:
    """The nodes of autograd's graph behind tensors of any shape, and its leaves."""
    waiting = [tensor.grad_fn for tensor in tensors if tensor.grad_fn is not None]
    seen = set(waiting)
    found = [tensor for tensor in tensors if tensor.requires_grad and tensor.grad_fn is None]
    while waiting:
        node = waiting.pop()
        if hasattr(node, "variable"):
            found.append(node.variable)
        for following, _ in node.next_functions:
            if following is not None and following not in seen:
                seen.add(following)
                waiting.append(following)
    return seen, found


def compare_reachability(network: Network, truth: Reachability) -> list[str]:
    """Returns how the edges of a recording differ from what autograd reaches, a line each; [] if they don't.

    Layers of the recording that are operations have no counterpart, and are compared through what follows them.
    """
    sources: dict[str, set[str]] = {layer.id: set() for layer in network.layers}
    for edge in network.edges:
        sources[edge.target].add(edge.source)
    before: dict[str, set[str]] = {}
    for layer in network.layers:  # in order of execution
        before[layer.id] = sources[layer.id].union(*(before[source] for source in sources[layer.id]))
    inputs = {layer.id for layer in network.layers if layer.role == "input"} - truth.unreached
    calls = {layer.id for layer in network.layers} & truth.inputs_of.keys() - truth.layers_of.keys()
    found = [f"{id} isn't recorded" for id in truth.layers_of if id not in before]
    for known, kinds in ((truth.inputs_of, inputs), (truth.layers_of, calls)):
        found += [_difference(id, before[id] & kinds, wanted & kinds) for id, wanted in known.items() if id in before]
    return [line for line in found if line]


def _difference(id: str, recorded: set[str], wanted: frozenset[str]) -> str:
    sides = (("lacks", wanted - recorded), ("adds", recorded - wanted))
    parts = [f"{what} {', '.join(sorted(some))}" for what, some in sides if some]
    return f"{id} {' and '.join(parts)}" if parts else ""


def _name(what: str, k: int) -> str:
    return what if k == 0 else f"{what}@{k + 1}"


def _copy(leaf: Any, copies: dict[torch.Tensor, torch.Tensor]) -> Any:
    """A copy of a tensor (any shape) that is a leaf of the graph, the same for the same tensor; other values as is."""
    if not isinstance(leaf, torch.Tensor):
        return leaf
    if leaf not in copies:
        copies[leaf] = leaf.detach().clone().requires_grad_(leaf.is_floating_point())
    return copies[leaf]


def _call(model: nn.Module, inputs: Any) -> Any:
    if isinstance(inputs, dict):
        return model(**inputs)
    return model(*inputs) if isinstance(inputs, tuple) else model(inputs)


@contextmanager
def _returned_tensors(model: nn.Module) -> Iterator[dict[str, list[torch.Tensor]]]:
    """Collects the tensors that each call of a module returns, by `path`, `path@2` and so on."""
    calls: dict[str, list[torch.Tensor]] = {}
    counts: Counter[str] = Counter()

    def keep(path: str) -> Any:
        def hook(module: nn.Module, args: Any, output: Any) -> None:
            counts[path] += 1
            calls[path if counts[path] == 1 else f"{path}@{counts[path]}"] = list(tensors_in(output))

        return hook

    handles = [own.register_forward_hook(keep(path)) for path, own in model.named_modules() if path]
    try:
        yield calls
    finally:
        for handle in handles:
            handle.remove()
