"""Builds a model by a function of the user's own modules, "package.module:factory", and says how to name it."""

from __future__ import annotations

import ast
import importlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..recording.errors import InnerwalkError, ModelError, UnknownName, nearest
from ..recording.files import read_file, user_path
from .torch_files import first_line
from .torchvision_import import torchvision_on_demand

if TYPE_CHECKING:
    from torch import nn

FACTORY_HINT = "name the function that builds the model, package.module:factory"
MAX_SOURCE = 16 << 20
"""Bytes of a source file that is searched for factories."""
MAX_NAMED = 3
"""Factories of a module that an error names."""


@contextmanager
def importable(folder: str | None = None) -> Iterator[None]:
    """Make modules of a folder importable, by default of the current one, as `python -m` does and a script does not.

    Raises ModelError if there is no such folder.
    """
    path = str(_folder_path(folder))
    if not os.path.isdir(path):
        raise ModelError(f"folder {folder}: no such folder; name the one where the model's modules are")
    if folder is None and {path, ""} & set(sys.path):
        yield
        return
    sys.path.insert(0, path)
    try:
        yield
    finally:
        sys.path.remove(path)


def _folder_path(folder: str | None) -> Path:
    return user_path(folder or "").absolute()


def from_factory(name: str, arguments: dict[str, Any], folder: str | None = None) -> nn.Module:
    """Import a module, call its factory with keyword arguments and return the network. Raises ModelError, UnknownName.

    folder: as in `importable`.
    """
    from torch import nn

    with importable(folder), torchvision_on_demand():
        factory = _find_factory(name, folder)
        if isinstance(factory, nn.Module):
            return factory
        module = call_factory(name, factory, arguments)
    if not isinstance(module, nn.Module):
        raise ModelError(f"{name} returned {type(module).__name__}, not a torch.nn.Module")
    return module


def _find_factory(name: str, folder: str | None) -> Any:
    """Import the module of "package.module:path" and get the factory from it."""
    module_name, _, path = name.rpartition(":")
    if not all(part.isidentifier() for part in module_name.split(".")):
        raise ModelError(f"{name}: {module_name!r} is not a module name; {factory_hint(name, folder)}")
    try:
        value: Any = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise ModelError(f"{name}: {_missing_text(module_name, str(error.name), folder)}") from error
    except (Exception, SystemExit) as error:  # the user's module may raise anything
        raise ModelError(
            f"{name}: importing {module_name} failed ({type(error).__name__}: {first_line(error)})"
        ) from error
    _check_origin(name, value, _module_file(module_name, folder))
    for part in path.split("."):
        if not hasattr(value, part):
            raise UnknownName(
                f"factory in {module_name}", part, [key for key in vars(value) if _is_factory(value, key)]
            )
        value = getattr(value, part)
    return value


def _missing_text(module_name: str, missing: str, folder: str | None) -> str:
    """What is missing, and the modules beside it that have a similar name."""
    if not module_name.startswith(missing):
        return f"no module {missing!r} that it imports"
    where = _folder_path(folder).joinpath(*missing.split(".")[:-1])
    beside = [file.stem for file in where.glob("*") if file.suffix == ".py" or (file / "__init__.py").is_file()]
    hint = nearest(missing.rpartition(".")[2], beside)
    return f"no module {missing!r} in {folder or 'the current folder'} or installed" + (hint and f"; {hint}")


def _check_origin(name: str, module: Any, file: Path | None) -> None:
    """Raises ModelError if another module of the same name was imported before from elsewhere."""
    origin = getattr(module, "__file__", None) or ""
    if file is not None and os.path.exists(origin) and not os.path.samefile(origin, file):
        raise ModelError(f"{name}: a module of this name was imported before, {origin}; rename {file}")


def _is_factory(owner: Any, key: str) -> bool:
    return not key.startswith("_") and callable(getattr(owner, key))


def call_factory(name: str, factory: Callable[..., Any], arguments: dict[str, Any]) -> Any:
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


def factory_hint(text: str, folder: str | None = None) -> str:
    """How to name the factory that a text seems to mean: dots instead of a colon, or a file. Imports nothing.

    "mine.nets.build" and "mine/nets.py:build" -> "did you mean mine.nets:build?"
    """
    place, colon, path = text.rpartition(":")
    place = place if colon else text
    if place.endswith(".py"):
        return _hint_for_file(user_path(place), path if colon else "", _folder_path(folder))
    parts = text.split(".")
    if len(parts) < 2 or not all(part.isidentifier() for part in parts):
        return FACTORY_HINT
    for count in range(len(parts), 0, -1):
        module = ".".join(parts[:count])
        if file := _module_file(module, folder):
            return _question(module, parts[count:], file)
    return f"{FACTORY_HINT}, such as {'.'.join(parts[:-1])}:{parts[-1]}"


def _hint_for_file(file: Path, path: str, folder: Path) -> str:
    file, folder = (folder / file).resolve(), folder.resolve()
    is_inside = file.is_relative_to(folder)
    parts = file.relative_to(folder).with_suffix("").parts if is_inside else (file.stem,)
    if not all(part.isidentifier() for part in parts):
        return FACTORY_HINT
    elsewhere = "" if is_inside else f" with the folder {file.parent}"
    return _question(".".join(parts), [path] if path else [], file, elsewhere)


def _question(module: str, path: list[str], file: Path, elsewhere: str = "") -> str:
    """The question "did you mean module:path?"; without a path with the first factories in the file."""
    meant = [".".join(path)] if path else _factories_in(file)[:MAX_NAMED] or ["FACTORY"]
    return f"did you mean {', '.join(f'{module}:{name}' for name in meant)}{elsewhere}?"


def _module_file(module: str, folder: str | None) -> Path | None:
    """The file of a module in the folder; None if it isn't there."""
    path = _folder_path(folder).joinpath(*module.split("."))
    return next((file for file in (path.with_name(f"{path.name}.py"), path / "__init__.py") if file.is_file()), None)


def _factories_in(file: Path) -> list[str]:
    """Names of the public functions, then classes, that a source file defines; [] if it can't be read."""
    try:
        body = ast.parse(read_file(file, MAX_SOURCE)).body
    except (OSError, ValueError, SyntaxError, RecursionError, MemoryError):
        return []
    kinds = ((ast.FunctionDef,), (ast.ClassDef,))
    named = [node for kind in kinds for node in body if isinstance(node, kind)]
    return [node.name for node in named if not node.name.startswith("_")]
