"""From what a person calls a model to a `torch.nn.Module`: a torchvision name, a factory, or an exported program."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..concepts import TASKS
from ..recording.errors import InnerwalkError, ModelError, UnknownName
from .torchvision_import import import_torchvision

if TYPE_CHECKING:
    from torch import nn

SLOW_TO_START = ("googlenet", "inception_v3")
"""They warn unless told whether to draw their first weights from a truncated normal, which takes a second."""
WEIGHTS = (".pt", ".pth", ".ckpt", ".safetensors", ".onnx")
"""Suffixes of files that hold weights and no model."""
SEEDS = range(1 << 63)
FACTORY = "name the function that builds the model, package.module:factory"


@dataclass(frozen=True)
class BuiltModel:
    """A network in evaluation mode, and what is known of it from where it came."""

    module: nn.Module
    name: str
    weights: str = ""
    """Where its weights came from; "" for random ones."""
    preset: Any = None
    """torchvision's description of the weights it would load: transforms and class names."""
    shapes: tuple[tuple[int, ...], ...] = ()
    """Shapes of the inputs with the batch, where the file says them."""


def build_model(
    name: str, arguments: Mapping[str, Any] | None = None, seed: int = 0, download: str | None = None
) -> BuiltModel:
    """Build the model called `name`, in evaluation mode, random where no weights come with it (seeded by `seed`).

    `download` is a torchvision weights' name, such as "DEFAULT", that may be fetched from the internet.
    Raises ModelError or UnknownName.
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
    if path.is_file() or path.suffix in WEIGHTS:
        raise ModelError(_not_a_model(path))
    if ":" in name:
        if download:
            raise ModelError(f"weights {download}: only torchvision's models have them; give a file")
        return BuiltModel(_from_factory(name, arguments), name.rpartition(":")[2].rpartition(".")[2])
    return _from_torchvision(name, arguments, download)


def _not_a_model(path: Path) -> str:
    if not path.is_file():
        return f"{path}: no such file"
    if is_torchscript(path):
        return f"{path} is TorchScript, which hides its layers: {FACTORY}, and give its weights as a state_dict"
    if path.suffix not in WEIGHTS:
        return f"{path} is not a model: {FACTORY}, or a .pt2 file"
    return f"{path} holds weights, not a model: {FACTORY}, and give the file as weights"


def is_torchscript(path: Path) -> bool:
    """Whether a file is a TorchScript archive: a zip that carries code."""
    return _archive_has(path, "code")


def _archive_has(path: Path, folder: str) -> bool:
    """Whether a file is a zip with an entry under the folder, or of the name, below its root."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(entry.split("/")[1:2] == [folder] for entry in archive.namelist())


def _exported(path: Path) -> BuiltModel:
    """A program written by torch.export.save, with its dotted modules back."""
    import torch

    if not path.is_file():
        raise ModelError(f"{path}: no such file")
    if not _archive_has(path, "archive_format"):
        raise ModelError(f"{path}: not a program that torch.export.save wrote")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # torch's own, about its own classes
            program = torch.export.load(path)
            module = torch.export.unflatten(program)
    except Exception as error:  # whatever a foreign file makes torch raise, it is one message to a person
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
    """Import `package.module` and find the factory in it."""
    place, _, path = name.partition(":")
    if not all(part.isidentifier() for part in place.split(".")):
        raise ModelError(f"{name}: {place!r} is no module; {FACTORY}")
    try:
        found: Any = importlib.import_module(place)
    except ModuleNotFoundError as error:
        where = (
            "in the current folder or installed" if error.name and place.startswith(error.name) else "that it imports"
        )
        raise ModelError(f"{name}: no module {error.name!r} {where}") from error
    except (Exception, SystemExit) as error:  # the module is the person's own and may raise anything
        raise ModelError(f"{name}: importing {place} failed ({type(error).__name__}: {first_line(error)})") from error
    for part in path.split("."):
        if not hasattr(found, part):
            raise UnknownName(f"factory in {place}", part, [key for key in vars(found) if _is_factory(found, key)])
        found = getattr(found, part)
    return found


def _is_factory(place: Any, key: str) -> bool:
    return not key.startswith("_") and callable(getattr(place, key))


def _call(name: str, factory: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    """Call a factory; its errors become one line that names it and its arguments."""
    if not callable(factory):
        raise ModelError(f"{name} is {type(factory).__name__}, not a function that builds a model")
    try:
        return factory(**arguments)
    except InnerwalkError:
        raise
    except (Exception, SystemExit) as error:  # the factory is the person's own and may raise anything
        given = ", ".join(f"{key}={value!r}" for key, value in arguments.items())
        raise ModelError(f"{name}({given}) failed: {type(error).__name__}: {first_line(error)}") from error


@contextmanager
def _current_folder_importable() -> Iterator[None]:
    """`python -m` finds modules in the current folder, a console script doesn't: let it, while the factory runs."""
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
        raise ModelError(f"{name}: torchvision isn't installed; install it, or {FACTORY}")
    from torchvision import models

    if name not in (known := models.list_models()):
        raise UnknownName("model", name, [*TASKS, *known])
    choices = models.get_model_weights(name)
    preset = _choose_weights(name, choices, download or "DEFAULT") if len(choices) else None
    builder = models.get_model_builder(name)
    parts = ("weights", "weights_backbone")  # both would be downloaded unless told otherwise
    fixed: dict[str, Any] = {key: None for key in parts if key in inspect.signature(builder).parameters}
    fixed |= {"init_weights": False} if name.endswith(SLOW_TO_START) and download is None else {}
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


def first_line(error: BaseException) -> str:
    """The first line of an error's message that says something, or its class."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:300] if lines else type(error).__name__
