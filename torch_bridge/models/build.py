"""Builds a `torch.nn.Module` from a torchvision name, a factory, or an exported program."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..concepts import TASKS
from ..recording.errors import InnerwalkError, ModelError, UnknownName
from .torch_files import archive_has, first_line, is_torchscript
from .torchvision_import import import_torchvision

if TYPE_CHECKING:
    from torch import nn

TAKES_INIT_WEIGHTS = ("googlenet", "inception_v3")
"""Models with an argument `init_weights`: they warn without it, and initialisation takes a second."""
WEIGHT_SUFFIXES = (".pt", ".pth", ".ckpt", ".safetensors", ".onnx")
"""Suffixes of files that contain weights but no model."""
SEEDS = range(1 << 63)
FACTORY_HINT = "name the function that builds the model, package.module:factory"


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
    name: str, arguments: Mapping[str, Any] | None = None, seed: int = 0, download: str | None = None
) -> BuiltModel:
    """Build a model in evaluation mode; without weights of its own it has random ones, from `seed`.

    arguments: keyword arguments of the factory. download: name of torchvision weights, such as "DEFAULT", to fetch from
    the internet. Raises ModelError or UnknownName.
    """
    import torch

    if seed not in SEEDS:
        raise ModelError(f"seed {seed}: a whole number from 0 to {SEEDS[-1]} is needed")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        built = _build(name, dict(arguments or {}), download)
    built.module.eval()
    return built


def _build(name: str, arguments: dict[str, Any], download: str | None) -> BuiltModel:
    path = Path(name)
    if path.suffix == ".pt2":
        return _exported(path)
    if path.is_file() or path.suffix in WEIGHT_SUFFIXES:
        raise ModelError(_not_a_model_text(path))
    if ":" in name:
        if download:
            raise ModelError(f"weights {download}: only torchvision's models have them; give a file")
        return BuiltModel(_from_factory(name, arguments), name.rpartition(":")[2].rpartition(".")[2])
    return _from_torchvision(name, arguments, download)


def _not_a_model_text(path: Path) -> str:
    if not path.is_file():
        return f"{path}: no such file"
    if is_torchscript(path):
        return f"{path} is TorchScript, which hides its layers: {FACTORY_HINT}, and give its weights as a state_dict"
    if path.suffix not in WEIGHT_SUFFIXES:
        return f"{path} is not a model: {FACTORY_HINT}, or a .pt2 file"
    return f"{path} holds weights, not a model: {FACTORY_HINT}, and give the file as weights"


def _exported(path: Path) -> BuiltModel:
    """Load a program that torch.export.save wrote, with its dotted modules restored."""
    import torch

    if not path.is_file():
        raise ModelError(f"{path}: no such file")
    if not archive_has(path, "archive_format"):
        raise ModelError(f"{path}: not a program that torch.export.save wrote")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # from torch, about its own classes
            program = torch.export.load(path)
            module = torch.export.unflatten(program)
    except Exception as error:  # torch may raise anything for a damaged file
        raise ModelError(f"{path}: not a program that torch.export.save wrote ({first_line(error)})") from error
    return BuiltModel(module, path.stem, f"in {path.name}", shapes=_input_shapes(program))


def _input_shapes(program: Any) -> tuple[tuple[int, ...], ...]:
    names = set(program.graph_signature.user_inputs)
    values = [node.meta.get("val") for node in program.graph.nodes if node.op == "placeholder" and node.name in names]
    return tuple(tuple(int(size) for size in value.shape) for value in values if hasattr(value, "shape"))


def _from_factory(name: str, arguments: dict[str, Any]) -> nn.Module:
    from torch import nn

    with _current_folder_importable():
        factory = _find_factory(name)
        if isinstance(factory, nn.Module):
            return factory
        module = _call(name, factory, arguments)
    if not isinstance(module, nn.Module):
        raise ModelError(f"{name} returned {type(module).__name__}, not a torch.nn.Module")
    return module


def _find_factory(name: str) -> Any:
    """Import the module of "package.module:path" and get the factory from it."""
    module_name, _, path = name.partition(":")
    if not all(part.isidentifier() for part in module_name.split(".")):
        raise ModelError(f"{name}: {module_name!r} is not a module name; {FACTORY_HINT}")
    try:
        value: Any = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        is_itself = bool(error.name) and module_name.startswith(str(error.name))
        where = "in the current folder or installed" if is_itself else "that it imports"
        raise ModelError(f"{name}: no module {error.name!r} {where}") from error
    except (Exception, SystemExit) as error:  # the user's module may raise anything
        raise ModelError(
            f"{name}: importing {module_name} failed ({type(error).__name__}: {first_line(error)})"
        ) from error
    for part in path.split("."):
        if not hasattr(value, part):
            raise UnknownName(
                f"factory in {module_name}", part, [key for key in vars(value) if _is_factory(value, key)]
            )
        value = getattr(value, part)
    return value


def _is_factory(owner: Any, key: str) -> bool:
    return not key.startswith("_") and callable(getattr(owner, key))


def _call(name: str, factory: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    """Call a factory. Raises ModelError with one line that names it and its arguments."""
    if not callable(factory):
        raise ModelError(f"{name} is {type(factory).__name__}, not a function that builds a model")
    try:
        return factory(**arguments)
    except InnerwalkError:
        raise
    except (Exception, SystemExit) as error:  # the user's factory may raise anything
        call = f"{name}({', '.join(f'{key}={value!r}' for key, value in arguments.items())})"
        raise ModelError(f"{call} failed: {type(error).__name__}: {first_line(error)}") from error


@contextmanager
def _current_folder_importable() -> Iterator[None]:
    """Make modules of the current folder importable, as `python -m` does and a console script does not."""
    here = os.getcwd()
    if here in sys.path or "" in sys.path:
        yield
        return
    sys.path.insert(0, here)
    try:
        yield
    finally:
        sys.path.remove(here)


def _from_torchvision(name: str, arguments: dict[str, Any], download: str | None) -> BuiltModel:
    if import_torchvision() == "absent":
        raise ModelError(f"{name}: torchvision isn't installed; install it, or {FACTORY_HINT}")
    from torchvision import models

    if name not in (known := models.list_models()):
        raise UnknownName("model", name, [*TASKS, *known])
    choices = models.get_model_weights(name)
    preset = _choose_weights(name, choices, download or "DEFAULT") if len(choices) else None
    builder = models.get_model_builder(name)
    parts = ("weights", "weights_backbone")  # some builders download both by default
    fixed: dict[str, Any] = {key: None for key in parts if key in inspect.signature(builder).parameters}
    fixed |= {"init_weights": False} if name.endswith(TAKES_INIT_WEIGHTS) and download is None else {}
    if download is None:
        return BuiltModel(_call(name, builder, {**fixed, **arguments}), name, preset=preset)
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
    except OSError as error:
        raise ModelError(f"can't download {preset} from {preset.url} ({error}); give a weights file") from error
    except (ValueError, TypeError, RuntimeError) as error:
        raise ModelError(f"{name} with {preset}: {first_line(error)}") from error
    return BuiltModel(module, name, f"torchvision {preset}", preset)
