"""Checks a checkpoint's pickles before torch reads them: `weights_only` runs no code, but may fill memory or hang.

A few bytes can ask for an array of any length (`bytearray(n)`), double a text (`encode`), or nest pairs of pairs, whose
hash or text takes as long as there are leaves.
"""

from __future__ import annotations

import pickletools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from ..recording.files import open_file, open_zip

LEGACY_PICKLES = 5
"""Pickles at the start of a checkpoint that is no zip: mark, version, system, tensors, keys of their values."""
MAX_LEAVES = 1 << 16
"""Values in a tuple and the tuples in it, each as often as it is reached."""
ALLOCATING = ("bytearray", "encode")
"""Functions that torch lets a checkpoint call, and that no state_dict needs."""
CALLABLE, VALUE = 0, 1
"""What lies on the stack: something imported, or values; a tuple is the number of its leaves."""


class UnboundedPickle(ValueError):
    """A pickle that could take any time or memory."""


def check_pickles(path: Path) -> None:
    """Raises UnboundedPickle for a checkpoint that could take any time or memory; ValueError for a damaged one."""
    for stream in _streams(path):
        _check(stream)


def _streams(path: Path) -> Iterator[BinaryIO]:
    """Yields files that are open where a pickle begins."""
    with open_file(path) as file:
        is_zip = file.read(2) == b"PK"
        file.seek(0)
        if not is_zip:
            yield from [file] * LEGACY_PICKLES
            return
        with open_zip(file) as archive:
            for entry in archive.infolist():
                if entry.filename.endswith("data.pkl"):
                    with archive.open(entry) as stream:
                        yield stream  # type: ignore[misc]


def _check(stream: BinaryIO) -> None:
    """Follows a pickle with numbers in place of values."""
    stack: list[int] = []
    marks: list[int] = []
    memo: dict[Any, int] = {}
    for opcode, argument, _ in pickletools.genops(stream):
        before, name = opcode.stack_before, opcode.name
        taken = [*_above_mark(stack, marks)] if pickletools.markobject in before else []
        plain = [slot for slot in before if slot not in (pickletools.markobject, pickletools.stackslice)]
        taken = [stack.pop() for _ in plain] + taken
        if name == "MARK":
            marks.append(len(stack))
        elif name.endswith("PUT"):
            memo[argument] = stack[-1]
        elif name.endswith("GET"):
            stack.append(memo[argument])
        elif name == "GLOBAL":
            if str(argument).split()[-1] in ALLOCATING:
                raise UnboundedPickle(f"it calls {argument}")
            stack.append(CALLABLE)
        elif name == "STACK_GLOBAL":
            raise ValueError("a pickle of protocol 4, which torch doesn't read")
        elif name in ("REDUCE", "NEWOBJ") and taken[-1] != CALLABLE:
            raise UnboundedPickle("it calls a value")
        else:
            leaves = sum(max(item, VALUE) for item in taken) if "TUPLE" in name else 0
            if leaves > MAX_LEAVES:
                raise UnboundedPickle("its tuples lie in each other again and again")
            stack += [max(leaves, VALUE)] * len(opcode.stack_after)


def _above_mark(stack: list[int], marks: list[int]) -> list[int]:
    """Takes what lies above the last mark off the stack."""
    place = marks.pop()
    taken = stack[place:]
    del stack[place:]
    return taken
