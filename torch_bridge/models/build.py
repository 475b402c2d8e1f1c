"""Builds a `torch.nn.Module` from a torchvision name, a factory, or an exported program."""

from __future__ import annotations

import inspect
import os
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..recording.errors import ModelError, UnknownName
from ..recording.files import check_file, failure_text
from ..shipped_networks import SHIPPED
from .exported_signature import name_arguments
from .factory import FACTORY_HINT, call_factory, factory_hint, from_factory
from .torch_files import archive_has, first_line, is_torchscript
from .torchvision_import import import_torchvision

if TYPE_CHECKING:
    from torch import nn

TAKES_INIT_WEIGHTS = ("googlenet", "inception_v3")
"""Models with an argument `init_weights`: they warn without it, and initialisation takes a second."""
WEIGHT_SUFFIXES = (".pt", ".pth", ".ckpt", ".safetensors", ".onnx")
"""Suffixes of files that contain weights but no model."""
SEEDS = range(1 << 63)


@dataclass(frozen=True)
class BuiltModel:
    """A network in evaluation mode, and what its source says about it."""

    module: nn.Module
    name: str
    weights: str = ""
    """Origin of its weights; "" for random ones."""
    preset: Any = None
    """torchvision's weights entry of the model, with transforms and class names."""
    shapes: tuple[tuple[int, ...], ...] = ()
    """Shapes of the inputs with the batch axis, if the file states them."""


def build_model(
    name: str,
    arguments: Mapping[str, Any] | None = None,
    seed: int = 0,
    download: str | None = None,
    folder: str | None = None,
    trust: bool = False,
) -> BuiltModel:
    """Build a model in evaluation mode; without weights of its own it has random ones, from `seed`.

    arguments: keyword arguments of the factory. download: name of torchvision weights, such as "DEFAULT", to fetch from
    the internet. folder: where the factory's modules are, by default the current one. trust: whether a `.pt2` file may
    run its code; without it the file isn't read. Raises ModelError or UnknownName.
    """
    import torch

    if seed not in SEEDS:
        raise ModelError(f"seed {seed}: a whole number from 0 to {SEEDS[-1]} is needed")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if is_exported(name):
            built = _exported(Path(name), trust)
        else:
            built = _build(name, dict(arguments or {}), download, folder)
    built.module.eval()
    return built


def _build(name: str, arguments: dict[str, Any], download: str | None, folder: str | None) -> BuiltModel:
    path = Path(name)
    if path.suffix == ".py":
        raise ModelError(f"{path} is source code, not a model; {factory_hint(name, folder)}")
    if os.path.isfile(path) or path.suffix in WEIGHT_SUFFIXES:
        raise ModelError(_not_a_model_text(path))
    if ":" in name:
        if download:
            raise ModelError(f"weights {download}: only torchvision's models have them; give a file")
        return BuiltModel(from_factory(name, arguments, folder), name.rpartition(":")[2].rpartition(".")[2])
    if "." in name:
        raise ModelError(f"no model {name!r}; {factory_hint(name, folder)}")
    return _from_torchvision(name, arguments, download)


def _not_a_model_text(path: Path) -> str:
    if not os.path.isfile(path):
        return f"{path}: no such file"
    if is_torchscript(path):
        return f"{path} is TorchScript, which hides its layers: {FACTORY_HINT}, and give its weights as a state_dict"
    if path.suffix not in WEIGHT_SUFFIXES:
        return f"{path} is not a model: {FACTORY_HINT}, or a .pt2 file"
    return f"{path} holds weights, not a model: {FACTORY_HINT}, and give the file as weights"


def is_exported(name: str) -> bool:
    """Whether a text names a `.pt2` file; loading one runs code: its objects are pickled, its shapes formulas."""
    return Path(name).suffix == ".pt2"


def _exported(path: Path, trust: bool) -> BuiltModel:
    """Load a program that torch.export.save wrote, with its dotted modules restored."""
    import torch

    try:
        check_file(path)
    except OSError as error:
        raise ModelError(f"{path}: {failure_text(error)}") from None
    if not trust:
        raise ModelError(
            f"{path}: loading a .pt2 file runs code from it; if you trust it, add --trust (in Python trust=True), "
            f"else {FACTORY_HINT}, and give weights as .safetensors"
        )
    if not archive_has(path, "archive_format"):
        raise ModelError(f"{path}: not a program that torch.export.save wrote")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # from torch, about its own classes
            program = torch.export.load(path)
            module = torch.export.unflatten(program)
            name_arguments(module)
    except Exception as error:  # torch may raise anything for a damaged file
        raise ModelError(f"{path}: not a program that torch.export.save wrote ({first_line(error)})") from error
    return BuiltModel(module, path.stem, f"in {path.name}", shapes=_input_shapes(program))


def _input_shapes(program: Any) -> tuple[tuple[int, ...], ...]:
    names = set(program.graph_signature.user_inputs)
    values = [node.meta.get("val") for node in program.graph.nodes if node.op == "placeholder" and node.name in names]
    return tuple(tuple(int(size) for size in value.shape) for value in values if hasattr(value, "shape"))


def _from_torchvision(name: str, arguments: dict[str, Any], download: str | None) -> BuiltModel:
    if import_torchvision() == "absent":
        raise ModelError(f"{name}: torchvision isn't installed; install it, or {FACTORY_HINT}")
    from torchvision import models

    if name not in (known := models.list_models()):
        raise UnknownName("model", name, [*SHIPPED, *known])
    choices = models.get_model_weights(name)
    preset = _choose_weights(name, choices, download or "DEFAULT") if len(choices) else None
    builder = models.get_model_builder(name)
    parts = ("weights", "weights_backbone")  # some builders download both by default
    if stated := [key for key in parts if arguments.get(key) is not None]:
        raise ModelError(
            f"{name}: argument {stated[0]!r} would download weights; name them as weights, such as DEFAULT"
        )
    fixed: dict[str, Any] = {key: None for key in parts if key in inspect.signature(builder).parameters}
    fixed |= {"init_weights": False} if name.endswith(TAKES_INIT_WEIGHTS) and download is None else {}
    if download is None:
        return BuiltModel(call_factory(name, builder, {**fixed, **arguments}), name, preset=preset)
    return _downloaded(name, builder, {**fixed, **arguments}, preset)


def _choose_weights(name: str, choices: Any, wanted: str) -> Any:
    if wanted not in choices.__members__:
        raise UnknownName(f"weights of {name}", wanted, choices.__members__)
    return choices[wanted]


def _downloaded(name: str, builder: Callable[..., Any], arguments: dict[str, Any], preset: Any) -> BuiltModel:
    if preset is None:
        raise ModelError(f"torchvision has no weights for {name}; give a file")
    try:
        module = builder(**{**arguments, "weights": preset})
    except (OSError, HTTPException) as error:
        reason = first_line(error)
        raise ModelError(f"can't download {preset} from {preset.url} ({reason}); give a weights file") from error
    except (ValueError, TypeError, RuntimeError) as error:
        raise ModelError(f"{name} with {preset}: {first_line(error)}") from error
    return BuiltModel(module, name, f"torchvision {preset}", preset)
