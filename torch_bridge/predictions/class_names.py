"""Names of classes, from a file, the weights' metadata, or torchvision; without names, classes are "class 17"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..recording.errors import InputError
from ..recording.files import failure_text, parse_json, read_file

MAX_BYTES = 64 << 20
"""Bytes of a file of names."""
MAX_LENGTH = 200
"""Characters of a name that are kept."""


@dataclass(frozen=True)
class ClassNames:
    """Class names in index order, and where they come from."""

    names: tuple[str, ...] = ()
    source: str = ""
    binding: bool = False
    """Whether the user named them for this network; then another number of classes is an error."""

    def of(self, count: int) -> tuple[str, ...]:
        """Names of `count` classes. Raises InputError if binding names have another number."""
        if len(self.names) == count:
            return self.names
        if self.binding:
            raise InputError(f"class names {self.source}: {len(self.names)} names, the network has {count} classes")
        return tuple(f"class {index}" for index in range(count))

    def at_least(self, count: int) -> tuple[str, ...]:
        """Names of at least `count` classes, for networks whose output doesn't show the number of classes."""
        return self.names if self.names and len(self.names) >= count else self.of(count)


Classes = str | Path | Sequence[str]
"""Names of classes as a user states them: in index order, or as a JSON file that `read_class_names` reads."""


def find_class_names(
    classes: Classes | None, listed: Sequence[str] = (), where: str = "", preset: Any = None
) -> ClassNames:
    """The user's own names, else those listed in the weights' metadata, else torchvision's. Raises InputError.

    where: the source of the listed names. preset: torchvision's description of the weights.
    """
    if classes is not None:
        return user_class_names(classes)
    if listed:
        return ClassNames(tuple(name[:MAX_LENGTH] for name in listed), where)
    categories = getattr(preset, "meta", {}).get("categories", ())
    return ClassNames(tuple(categories), f"torchvision {preset}") if categories else ClassNames()


def user_class_names(classes: Classes) -> ClassNames:
    """The user's own names, which bind unless there are none. Raises InputError."""
    if isinstance(classes, str | Path):
        return ClassNames(tuple(read_class_names(Path(classes))), Path(classes).name, binding=True)
    names = tuple(_name("in the call", index, entry) for index, entry in enumerate(classes))
    return ClassNames(names, "in the call", binding=bool(names))


def read_class_names(path: Path) -> list[str]:
    """Read a JSON list of names, or an object index -> name or name -> index. Raises InputError."""
    try:
        content = parse_json(read_file(path, MAX_BYTES))
    except OSError as error:
        raise InputError(f"class names {path}: {failure_text(error)}") from None
    except ValueError as error:
        raise InputError(f"class names {path}: not JSON ({error})") from error
    if isinstance(content, dict):
        content = _in_order(path, content)
    if not isinstance(content, list) or not content:
        raise InputError(f'class names {path}: write ["cat", "dog"] or {{"0": "cat", "1": "dog"}}')
    return [_name(path, index, entry) for index, entry in enumerate(content)]


def _in_order(path: Path, content: dict[str, Any]) -> list[Any]:
    """The entries of an object index -> name or name -> index, by index."""
    if content and all(type(value) is int for value in content.values()):
        content = {str(index): name for name, index in content.items()}
    missing = [index for index in range(len(content)) if str(index) not in content]
    if missing:
        raise InputError(f"class names {path}: {len(content)} names, but none for index {missing[0]}")
    return [content[str(index)] for index in range(len(content))]


def _name(where: Path | str, index: int, entry: Any) -> str:
    """The name in an entry; of a list such as ["n02123045", "tabby"] the last."""
    entry = entry[-1] if isinstance(entry, list) and entry else entry
    if not isinstance(entry, str):
        raise InputError(f"class names {where}: index {index} is {str(entry)[:60]}, not a name")
    return " ".join(entry.split())[:MAX_LENGTH]
