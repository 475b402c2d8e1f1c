"""Names of models that a Python and a folder hold, read from their source files; nothing is imported or run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from pathlib import Path

from ..torch_bridge.recording.files import read_file
from .python_finder import package_folders

REGISTERED = re.compile(
    r"^@register_model(?:\((?:\s*name\s*=\s*[\"'](?P<name>\w+)[\"'])?\s*\))?\n"
    r"(?:(?!def |class ).*\n)*def (?P<function>\w+)",
    re.M,
)
"""A factory that torchvision or timm lists, under its own name unless another one is given."""
MOST_SOURCE = 4 << 20
"""Bytes of a source file that is read; timm's largest has 200 kB."""
MOST_FILES = 200
"""Source files of a person's folder that are searched."""
SKIPPED = ("site-packages", "__pycache__", "node_modules")
"""Folders of a person's folder that hold no models of theirs."""


def search_models(text: str, python: str, folder: str = "", most: int = 200) -> list[str]:
    """Returns the models whose name contains all words of a text; those that begin with it come first.

    They are written as a bridge takes them. python: the program of the Python that will run them. folder: of the
    person's own modules, "" for none.
    """
    words = text.lower().split()
    known = (*own_models(folder), *listed_models(python))
    found = [name for name in known if all(word in name.lower() for word in words)]
    begins = [name for name in found if words and name.lower().rpartition(":")[2].startswith(words[0])]
    return [*dict.fromkeys((*begins, *found))][:most]


@lru_cache(maxsize=8)
def listed_models(python: str) -> tuple[str, ...]:
    """Returns torchvision's names, such as "squeezenet1_0", then timm's, such as "timm.models:vit_base_patch16_224"."""
    folders = [each / "models" for package in ("torchvision", "timm") for each in package_folders(python, package)]
    return tuple(
        name if folder.parent.name == "torchvision" else f"timm.models:{name}"
        for folder in folders
        for name in sorted({name for file in folder.rglob("*.py") for name in _registered(file)})
    )


def own_models(folder: str) -> tuple[str, ...]:
    """Returns what may be a model in the modules of a folder: "nets.blocks:Block", functions with a lower-case name."""
    root = Path(folder)
    if not folder or not root.is_dir():
        return ()
    return tuple(
        f"{'.'.join(module)}:{name}"
        for file in islice(_own_files(root), MOST_FILES)
        if (module := _module_path(file.relative_to(root)))
        for name in _public_names(file, file.stat().st_mtime_ns)
    )


def _own_files(root: Path) -> Iterator[Path]:
    """Yields the source files of a folder and of its folders, the nearest first; none of hidden folders."""
    places = [root]
    for place in places:  # grows meanwhile
        try:
            entries = sorted(place.iterdir())
            files = [entry for entry in entries if entry.suffix == ".py" and entry.is_file()]
            kept = (entry for entry in entries if entry.name.isidentifier() and entry.name not in SKIPPED)
            places += [entry for entry in kept if entry.is_dir() and len(places) < MOST_FILES]
        except OSError:  # it may not be read or entered
            continue
        yield from files


def _module_path(file: Path) -> tuple[str, ...]:
    """Returns the names that lead to a module; () where one of them is none."""
    parts = file.with_suffix("").parts
    parts = parts[:-1] if parts[-1] == "__init__" else parts
    return parts if all(part.isidentifier() for part in parts) else ()


@lru_cache(maxsize=MOST_FILES)
def _public_names(file: Path, changed: int) -> tuple[str, ...]:
    """Returns the public functions that need no argument's value, and the classes whose base is named like a module.

    changed: when the file was written, so that a changed one is read again.
    """
    try:
        body = ast.parse(read_file(file, MOST_SOURCE)).body
        functions = [node.name for node in body if isinstance(node, ast.FunctionDef) and _needs_nothing(node)]
        classes = [node.name for node in body if isinstance(node, ast.ClassDef) and _is_module(node)]
    except (OSError, ValueError, SyntaxError, RecursionError, MemoryError):
        return ()
    return tuple(name for name in (*functions, *classes) if not name.startswith("_"))


def _needs_nothing(function: ast.FunctionDef) -> bool:
    needed = len(function.args.posonlyargs) + len(function.args.args) - len(function.args.defaults)
    return needed == 0 and None not in [default or None for default in function.args.kw_defaults]


def _is_module(node: ast.ClassDef) -> bool:
    bases = [ast.unparse(base) for base in node.bases]
    return any(base.endswith(("Module", "Sequential", "Model", "Net")) for base in bases)


def _registered(file: Path) -> list[str]:
    try:
        text = read_file(file, MOST_SOURCE).decode("utf-8", "replace")
    except (OSError, ValueError):
        return []
    return [match["name"] or match["function"] for match in REGISTERED.finditer(text)]
