"""Independent check of recordings: the same network traced and interpreted by torch.fx, with no code of the recorder.

The fx graph is contracted to layers by the recorder's rules, reimplemented here: a module call or an operation that
computes new real values is a layer; everything else passes its sources on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import fx, nn

MOVES = set(
    "view reshape permute transpose flatten unflatten squeeze unsqueeze expand expand_as contiguous getitem to float "
    "chunk split unbind dropout detach clone select narrow type_as t".split()
)
ASKS = set("size dim getattr eq ne gt lt floordiv _assert new_zeros zeros ones_like zeros_like".split())
SAME = {"iadd": "add", "imul": "mul", "concat": "cat", "truediv": "div", "isub": "sub", "itruediv": "div"}


class Tracer(fx.Tracer):
    """Stops where the recorder does: at modules without children and at torch's own layers."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return not isinstance(m, nn.Sequential) and (
            next(m.children(), None) is None or type(m).__module__.startswith("torch.nn")
        )


class Oracle(fx.Interpreter):
    """Runs a traced network and keeps, per layer id, a clone of its output and the ids of the layers it read."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__(fx.GraphModule(model, Tracer().trace(model)))
        self.values: dict[str, torch.Tensor] = {}
        self.sources: dict[str, set[str]] = {}
        self._origins: dict[fx.Node, set[str]] = {}
        self._calls: Counter[str] = Counter()
        self.sealed: set[str] = set()
        """Paths of modules whose function fx doesn't trace into (torchvision's shifted window attention)."""

    def run_node(self, node: fx.Node) -> Any:
        inputs = [self.env[each] for each in node.all_input_nodes]
        versions = [value._version for value in inputs if isinstance(value, torch.Tensor)]
        result = super().run_node(node)
        tensors = list(_tensors(result))
        read = set().union(*(self._origins[each] for each in node.all_input_nodes), set())
        changed = versions != [value._version for value in inputs if isinstance(value, torch.Tensor)]
        passed = not changed and any(result is value for value in inputs)
        id = self._id(node)
        real = bool(tensors) and tensors[0].is_floating_point()
        if not tensors or id.split("@")[0].rpartition(":")[2] in ASKS:
            self._origins[node] = set()
        elif node.op == "output" or (not passed and real and self._makes(node, read)):
            self.values[id], self.sources[id] = tensors[0].clone(), read
            self._origins[node] = {id}
        else:
            self._origins[node] = read
        return result

    def _id(self, node: fx.Node) -> str:
        if node.op in ("placeholder", "output"):
            name = "input" if node.op == "placeholder" else "output"
        elif node.op == "call_module":
            name = str(node.target)
        else:
            stack = list(node.meta.get("nn_module_stack", {}).values())
            path = stack[-1][0] if stack else ""
            name = f"{path}:{_name(node)}"
            if str(getattr(node.target, "__module__", "")).startswith("torchvision"):
                self.sealed.add(path)
        self._calls[name] += 1
        return name if self._calls[name] == 1 else f"{name}@{self._calls[name]}"

    def _makes(self, node: fx.Node, read: set[str]) -> bool:
        if node.op in ("call_function", "call_method"):
            return _name(node) not in MOVES and bool(read)
        return node.op in ("placeholder", "call_module")

    def edges(self) -> set[tuple[str, str]]:
        """Returns (source, target) layer ids as fx sees them: a module it doesn't trace into is one node."""
        return self.contracted((source, target) for target, sources in self.sources.items() for source in sources)

    def contracted(self, edges: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
        """Contracts edges (source, target) of a recording to the nodes that fx sees."""

        def seen(id: str) -> str:
            path = id.split(":")[0]
            return path if ":" in id and path in self.sealed else id

        return {(seen(a), seen(b)) for a, b in edges if seen(a) != seen(b)}


def _name(node: fx.Node) -> str:
    name = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", str(node.target))
    name = name.strip("_")
    return SAME.get(name, name)


def _tensors(value: Any) -> Iterator[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _tensors(item)
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from _tensors(item)


def cloned_outputs(model: nn.Module, *inputs: Any, **named: Any) -> dict[str, torch.Tensor]:
    """Runs a model with forward hooks; returns clones of every module call's output, by layer id."""
    found: dict[str, torch.Tensor] = {}
    calls: Counter[str] = Counter()

    def keep(path: str) -> Any:
        def hook(module: nn.Module, args: Any, output: Any) -> None:
            calls[path] += 1
            tensor = next(_tensors(output), None)
            if tensor is not None:
                found[path if calls[path] == 1 else f"{path}@{calls[path]}"] = tensor.clone()

        return hook

    handles = [module.register_forward_hook(keep(path)) for path, module in model.named_modules() if path]
    try:
        with torch.no_grad():
            model(*inputs, **named)
    finally:
        for handle in handles:
            handle.remove()
    return found


def same_values(value: torch.Tensor, maps: Any, shape: tuple[int, ...]) -> bool:
    """Whether maps (C, H, W) equal, bit for bit, the first sample of a layer's output. shape: the layer's, without the
    batch, which may be any axis; the others may be channels first, channels last, or tokens after special tokens."""
    found = torch.from_numpy(maps.copy()).nan_to_num(7.0)
    height, width = found.shape[1:]
    orders = []
    for item in _first_samples(value.detach().float(), shape):
        orders.append(item)
        if item.dim() == 2:
            orders.append(item[max(len(item) - height * width, 0) :].T)
        elif item.dim() > 2:
            orders.append(item.movedim(-1, 0))
    fitting = [each.reshape(found.shape) for each in orders if each.numel() == found.numel()]
    return any(torch.equal(each.nan_to_num(7.0), found) for each in fitting)


def _first_samples(value: torch.Tensor, shape: tuple[int, ...]) -> list[torch.Tensor]:
    """Returns what the first sample of shape `shape` may be: the value itself, or along each axis that it lacks."""
    if value.shape == shape:
        return [value]
    lacking = [k for k in range(1, value.dim()) if (*value.shape[:k], *value.shape[k + 1 :]) == shape]
    return [value.reshape(-1, *shape)[0], *(value.select(k, 0) for k in lacking)]
