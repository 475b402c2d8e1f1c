"""All expected errors, as one tree:

    InnerwalkError              one line: what, where, what would be right
    ├── ArgumentError           a call that doesn't fit a function's signature; also a TypeError
    ├── InputError              an image, array or flag that the network can't take
    ├── ModelError              a model that can't be found, built, loaded or run
    ├── UnknownName             a layer, model or method that isn't there; lists near matches
    ├── UnknownRun              a run that the bridge doesn't keep, or no longer
    ├── RecordingError          a recording that is missing, damaged, hostile or newer than this program
    ├── SceneError              a Blender scene that can't be built, found or rendered
    └── BridgeError             a bridge that can't be started or reached, refuses, has ended, or has another protocol

The command line prints the message alone and exits with 2; `--debug` adds the traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from itertools import islice

MAX_LINE = 1000
"""Characters of an error's message."""
MAX_NAME_LENGTH = 200
"""Characters of an unknown name that an error quotes."""
MAX_COMPARED = 20_000
"""Known names that an unknown one is compared with; a file may have any number."""


def message_of(error: BaseException) -> str:
    """The message of any exception, of one line or more; if its class fails to write it, a line that says so."""
    try:
        return str(error)
    except Exception as another:  # noqa: BLE001 - a class of exceptions may be wrong itself
        return f"its message fails with {type(another).__name__}"


def as_line(text: str, most: int = MAX_LINE) -> str:
    """A text as one printable line of at most so many characters: others are escaped, a long middle is left out.

    What a stranger has sent may be quoted in it: line breaks, commands to terminals, changes of the reading direction.
    """
    line = _cut(text, most)
    if not line.isprintable():
        line = "".join(character if character.isprintable() else repr(character)[1:-1] for character in line)
    return _cut(line, most)


def _cut(text: str, most: int) -> str:
    """The beginning and the end of a text that is longer than `most`."""
    half = most // 2
    return text if len(text) <= most else f"{text[: half - 1]} … {text[len(text) - half + 2 :]}"


class InnerwalkError(Exception):
    """Base of all expected errors. The message is one line: what is wrong, where, and what would be right."""

    def __init__(self, text: str = "") -> None:
        super().__init__(as_line(text))


class ArgumentError(InnerwalkError, TypeError):
    """A call that doesn't fit a function's signature."""


class InputError(InnerwalkError):
    """An image, array or flag that the network can't take."""


class ModelError(InnerwalkError):
    """A model that can't be found, built, loaded or run."""


class RecordingError(InnerwalkError):
    """A recording that is missing, damaged, hostile or newer than this program."""


class SceneError(InnerwalkError):
    """A Blender scene that can't be built, found or rendered."""


class BridgeError(InnerwalkError):
    """A bridge that can't be started or reached, that refuses, has ended, or speaks another protocol."""


class UnknownName(InnerwalkError):
    """A name that isn't there; the message lists the nearest ones that are."""

    def __init__(self, what: str, name: str, known: Iterable[str]) -> None:
        name = str(name)  # scripts may pass anything
        name = name if len(name) <= MAX_NAME_LENGTH else name[:MAX_NAME_LENGTH] + "…"
        known = list(known)
        hint = nearest(name, known) or f"there are {', '.join(known[:6]) or 'none'}"
        super().__init__(f"no {what} {name!r}; {hint}")


class UnknownRun(InnerwalkError):
    """A run of a network that the bridge doesn't keep, or no longer; its input can be placed again."""


def nearest(name: str, known: Iterable[str]) -> str:
    """The question "did you mean …?" with the known names that are most like an unknown one; "" if none is."""
    near = difflib.get_close_matches(name[:MAX_NAME_LENGTH], list(islice(known, MAX_COMPARED)), n=3, cutoff=0.4)
    return f"did you mean {', '.join(near)}?" if near else ""


def error_from_wire(kind: str, text: str) -> InnerwalkError:
    """An error that another process has sent: of the class named `kind` if it is in the tree, else a BridgeError."""
    cls = next((subclass for subclass in InnerwalkError.__subclasses__() if subclass.__name__ == kind), BridgeError)
    error = cls.__new__(cls)  # without __init__, whose arguments differ
    InnerwalkError.__init__(error, text)
    return error
