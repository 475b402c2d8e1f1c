"""What a piece of work adds to the open file, so that it can be taken away again and nothing else is touched."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import bpy


@contextmanager
def temporary_data() -> Iterator[None]:
    """Remove every data-block that was made inside."""
    before = _there()
    try:
        yield
    finally:
        _remove_since(before)


@contextmanager
def all_or_nothing() -> Iterator[None]:
    """Keep what was made inside when all went well, else nothing of it."""
    before = _there()
    try:
        yield
    except BaseException:
        _remove_since(before)
        raise


def push_undo(what: str) -> None:
    """Make what was done outside of a person's actions a step of undo, which else knows of no data-blocks that came.

    In the background nobody undoes.
    """
    if not bpy.app.background:
        bpy.ops.ed.undo_push(message=what)


def _data_blocks() -> list[bpy.types.ID]:
    """Of every kind: a file with a hall may hold anything else, and all of it comes along."""
    kinds = [kind.identifier for kind in bpy.data.bl_rna.properties if kind.type == "COLLECTION"]
    return [one for kind in kinds for one in getattr(bpy.data, kind)]


def _there() -> set[int]:
    return {one.session_uid for one in _data_blocks()}


def _remove_since(before: set[int]) -> None:
    bpy.data.batch_remove([one for one in _data_blocks() if one.session_uid not in before])
