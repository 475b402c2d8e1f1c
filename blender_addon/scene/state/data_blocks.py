"""Tracks new data-blocks, so that temporary ones are removed again and nothing else in the file is touched."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import bpy


@contextmanager
def temporary_data() -> Iterator[None]:
    """Removes every data-block that was created inside the block."""
    before = _session_uids()
    try:
        yield
    finally:
        _remove_new(before)


@contextmanager
def all_or_nothing() -> Iterator[None]:
    """Removes every data-block that was created inside the block if it raises an exception."""
    before = _session_uids()
    try:
        yield
    except BaseException:
        _remove_new(before)
        raise


def push_undo(message: str) -> None:
    """Adds an undo step after changes outside of operators, so that undo tracks new data-blocks.

    Does nothing in background mode.
    """
    if not bpy.app.background:
        bpy.ops.ed.undo_push(message=message)


def _data_blocks() -> list[bpy.types.ID]:
    """Returns the file's data-blocks of every type: a file that is appended may bring any of them along."""
    types = [item.identifier for item in bpy.data.bl_rna.properties if item.type == "COLLECTION"]
    return [block for type_name in types for block in getattr(bpy.data, type_name)]


def _session_uids() -> set[int]:
    return {block.session_uid for block in _data_blocks()}


def _remove_new(before: set[int]) -> None:
    bpy.data.batch_remove([block for block in _data_blocks() if block.session_uid not in before])
