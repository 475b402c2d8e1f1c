"""Every error a person can meet, as one tree:

    InnerwalkError              one line: what, where, what would be right
    ├── InputError              an image, array or flag that the network can't take
    ├── ModelError              a model that can't be found, built, loaded or run
    ├── UnknownName             a layer, model or method that isn't there; lists near matches
    ├── RecordingError          a recording that is missing, damaged, hostile or newer than this program
    ├── SceneError              a Blender scene that can't be built, found or rendered
    └── BridgeError             a bridge that can't be started or reached, refuses, has ended, or speaks otherwise

The command line prints the message alone and exits with 2; `--debug` adds the traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

LONGEST_NAME = 200


class InnerwalkError(Exception):
    """Base of all expected errors; the message is one line for a person."""


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
    """A name that isn't there, with the nearest ones that are."""

    def __init__(self, what: str, name: str, known: Iterable[str]) -> None:
        name = name if len(name) <= LONGEST_NAME else name[:LONGEST_NAME] + "…"
        near = difflib.get_close_matches(name, known := list(known), n=3, cutoff=0.4)
        hint = f"did you mean {', '.join(near)}?" if near else f"there are {', '.join(known[:6]) or 'none'}"
        super().__init__(f"no {what} {name!r}; {hint}")


def error_from_wire(kind: str, text: str) -> InnerwalkError:
    """An error that another process has told of: of the same class where it is one of these, else a BridgeError."""
    made = next((one for one in InnerwalkError.__subclasses__() if one.__name__ == kind), BridgeError)
    error = made.__new__(made)
    Exception.__init__(error, text)
    return error
