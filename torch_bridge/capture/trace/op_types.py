"""Classifies operations and modules for the fold by name or class, and finds tensors among arguments.

Tensors may have any shape and dtype.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

import torch
from torch import nn

from ..fold import Family

QUERIES = frozenset(
    "size dim stride numel ndimension nelement is_contiguous is_floating_point is_complex data_ptr storage_offset "
    "element_size get_device item tolist is_same_size equal allclose requires_grad_ is_inference is_pinned has_names "
    "is_nonzero is_signed is_conj is_neg result_type can_cast promote_types get_default_dtype set_default_dtype "
    "register_hook retain_grad is_grad_enabled _set_grad_enabled __len__ __bool__ __float__ __int__ __index__ "
    "__contains__ __format__ __repr__ __str__ __hash__ __reduce_ex__ __dlpack_device__".split()
)
"""Queries that return no tensor with new values; not traced."""
MOVES = frozenset(
    "view view_as reshape reshape_as permute transpose swapaxes swapdims movedim moveaxis flatten unflatten ravel "
    "squeeze unsqueeze expand expand_as broadcast_to contiguous __getitem__ to float double half bfloat16 type type_as "
    "cpu cuda detach clone alias chunk split tensor_split unbind narrow select t T mT H mH data copy index_select "
    "dropout feature_dropout alpha_dropout dropout1d dropout2d dropout3d __dlpack__ __deepcopy__ as_tensor real imag "
    "view_as_real view_as_complex resolve_conj resolve_neg broadcast_tensors atleast_1d atleast_2d atleast_3d "
    "meshgrid".split()
)
"""Operations that move or copy values and compute no new ones; edges pass through them."""
TEMPLATES: dict[str, tuple[int, str]] = {
    **dict.fromkeys(("view_as", "reshape_as", "expand_as", "type_as", "resize_as", "to"), (1, "other")),
    "resize_as_sparse": (1, "the_template"),
    **dict.fromkeys("new_zeros new_ones new_empty new_empty_strided new_full new_tensor".split(), (0, "self")),
    **dict.fromkeys("zeros_like ones_like empty_like full_like".split(), (0, "input")),
    **dict.fromkeys("rand_like randn_like randint_like".split(), (0, "input")),
}  # fmt: skip
"""Position and name of an argument that an operation takes only a shape, dtype or device from, by canonical name."""
PAIRWISE = frozenset("broadcast_tensors meshgrid atleast_1d atleast_2d atleast_3d".split())
"""Operations that make an output of each input."""
EXTERNAL_SOURCES = frozenset({"from_numpy", "tensor", "asarray", "frombuffer", "from_dlpack"})
"""Operations that import values from outside torch: their origin is unknown."""
SYNONYMS = {
    "concat": "cat", "concatenate": "cat", "hstack": "cat", "vstack": "cat", "dstack": "cat", "column_stack": "cat",
    "multiply": "mul", "subtract": "sub", "divide": "div", "true_divide": "div", "truediv": "div",
    "mm": "matmul", "bmm": "matmul", "convolution": "conv2d",
}  # fmt: skip
"""Canonical names of operations that have several."""
FAMILIES: dict[str, Family] = {
    **{f"{conv}{n}d": "conv" for conv in ("conv", "conv_transpose") for n in (1, 2, 3)},
    **dict.fromkeys(("linear", "bilinear", "addmm", "baddbmm"), "linear"),
    **dict.fromkeys(("batch_norm",), "norm"),
    **dict.fromkeys(("add", "sub"), "sum"),
    **dict.fromkeys(("mul", "div", "matmul", "einsum"), "product"),
    **dict.fromkeys(("cat", "stack"), "joint"),
    **dict.fromkeys(("scaled_dot_product_attention", "multi_head_attention_forward", "flex_attention"), "attention"),
    **dict.fromkeys(("embedding", "embedding_bag", "lstm", "gru", "rnn_tanh", "rnn_relu"), "tokens"),
    **dict.fromkeys(("lstm_cell", "gru_cell", "rnn_tanh_cell", "rnn_relu_cell"), "tokens"),
}
"""Family by canonical name of an operation."""
FAMILY_PRIORITY: tuple[Family, ...] = ("attention", "conv", "linear", "tokens")
"""Families that a layer has as soon as one of its operations has it, the strongest first."""
CLASSES: tuple[tuple[type | tuple[type, ...], Family], ...] = (
    (nn.modules.conv._ConvNd, "conv"),
    ((nn.Linear, nn.Bilinear), "linear"),
    (nn.modules.batchnorm._BatchNorm, "norm"),
    (nn.MultiheadAttention, "attention"),
    ((nn.RNNBase, nn.RNNCellBase, nn.Embedding, nn.EmbeddingBag), "tokens"),
)
CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)
"""Classes that are no layers even if they hold nothing."""
PARAMETRISED = "parametrizations"
"""Name of the child that holds the parametrisations of a module's weights."""
TORCH_LAYERS = "torch.nn.modules."
"""Package of torch's own layers."""


def canonical_name(name: str) -> str:
    """Returns `add` for `add`, `add_`, `__iadd__`, `__radd__` and `add.Tensor`; `__getitem__` is kept."""
    name = name.partition(".")[0]
    if name.startswith("__") and name not in MOVES:
        name = name.strip("_")
        if name not in FAMILIES and name[0] in "ir" and (name[1:] in FAMILIES or name[1:] in SYNONYMS):
            name = name[1:]
    elif name.endswith("_") and not name.endswith("__"):
        name = name.rstrip("_")
    return SYNONYMS.get(name, name)


def is_layer(module: nn.Module, has_unregistered: bool = False) -> bool:
    """Whether a module is one layer: it holds no other modules, is scripted, or computes as a layer of torch.nn does.

    has_unregistered: whether it holds modules that aren't registered. Parametrisations of its weights don't count.
    """
    if isinstance(module, torch.jit.ScriptModule):
        return True
    if isinstance(module, CONTAINERS):
        return False
    held = has_unregistered or any(part is not None for name, part in module._modules.items() if name != PARAMETRISED)
    return not held or (class_family(type(module)) is not None and runs_as_in_torch(module))  # type: ignore[arg-type]


def runs_as_in_torch(module: nn.Module) -> bool:
    """Whether a module's forward is that of a class of torch.nn, rather than one of the network's own."""
    return getattr(type(module).forward, "__module__", "").startswith(TORCH_LAYERS) and "forward" not in module.__dict__


def class_name(module: nn.Module) -> str:
    """Returns the name of a module's class, even after `torch.jit.script` or `torch.export` has replaced the class."""
    kind = type(module)
    if kind.__module__ == "torch.export.unflatten":
        return str(module.type_name() or kind.__name__).rpartition(".")[2]  # type: ignore[operator]
    return str(getattr(module, "original_name", None) or kind.__name__)


@cache
def class_family(kind: Any) -> Family | None:
    """Returns the family of a module's class; None if only the operations inside it show the family."""
    found = next((family for classes, family in CLASSES if issubclass(kind, classes)), None)
    return "norm" if found is None and "BatchNorm" in kind.__name__ else found


def family_of_operations(operations: list[str], has_parameters: bool) -> Family:
    """Returns a layer's family from the operations in it.

    A module that calls F.conv2d is a convolution, one that only adds is a sum.
    """
    seen = {FAMILIES.get(name, "other") for name in operations}
    for family in FAMILY_PRIORITY:
        if family in seen:
            return family
    return FAMILIES.get(operations[0], "other") if len(operations) == 1 and not has_parameters else "other"


def shape_of(tensor: torch.Tensor) -> tuple[int, ...]:
    """Returns the shape of a tensor of any shape; () for a nested tensor, whose parts differ."""
    return () if tensor.is_nested else tuple(tensor.shape)


def tensor_arguments(args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[torch.Tensor]:
    """Returns all tensors, of any shape, among the arguments of an operation, in order."""
    found: list[torch.Tensor] = []
    for value in (*args, *kwargs.values()) if kwargs else args:
        if isinstance(value, torch.Tensor):
            found.append(value)
        elif isinstance(value, (list, tuple)):
            found += tensor_arguments(value, {})
    return found


def read_arguments(name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[torch.Tensor]:
    """Returns the tensors of any shape whose values an operation reads: all but a template. name: canonical."""
    if name in TEMPLATES:
        position, keyword = TEMPLATES[name]
        args = [*args[:position], *args[position + 1 :]]
        kwargs = {key: value for key, value in kwargs.items() if key != keyword}
    return tensor_arguments(args, kwargs)


def tensors_in(value: Any, depth: int = 0) -> Iterator[torch.Tensor]:
    """Yields all tensors, of any shape, in nested tuples, lists, dicts, dataclasses and simple objects, in order."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, (list, tuple, set, frozenset)):
        for item in value:
            yield from tensors_in(item, depth + 1)
    elif isinstance(value, dict):
        for item in value.values():
            yield from tensors_in(item, depth + 1)
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from tensors_in(getattr(value, field.name, None), depth + 1)
    elif depth < 3 and hasattr(value, "__dict__") and not callable(value):
        for item in list(vars(value).values()):
            yield from tensors_in(item, depth + 1)
