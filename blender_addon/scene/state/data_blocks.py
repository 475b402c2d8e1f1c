"""Tracks data-blocks: new ones, so that temporary ones are removed again, and those that others use."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager

import bpy


@contextmanager
def temporary_data() -> Iterator[None]:
    """Removes every data-block that was created inside the block."""
    before = session_uids()
    try:
        yield
    finally:
        _remove_new(before)


def session_uids() -> set[int]:
    """Returns the identifiers of all data-blocks of the file, by which new ones are told later: `new_data`."""
    return {block.session_uid for block in _data_blocks()}


def new_data(before: Collection[int]) -> list[bpy.types.ID]:
    """Returns the data-blocks that weren't there before. before: `session_uids` of then."""
    return [block for block in _data_blocks() if block.session_uid not in before]


@contextmanager
def all_or_nothing() -> Iterator[None]:
    """Removes every data-block that was created inside the block if it raises an exception."""
    before = session_uids()
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


def reachable_from(
    blocks: Iterable[bpy.types.ID], beyond: Collection[bpy.types.ID] = ()
) -> dict[bpy.types.ID, set[bpy.types.ID]]:
    """Returns data-blocks and all that they use, directly or through others, each with the users it has in the file.

    This is what a file contains that these blocks are written to. beyond: data-blocks at which the search stops.
    """
    users_of = bpy.data.user_map()
    used_by = defaultdict(set)
    for block, users in users_of.items():
        for user in users:
            used_by[user].add(block)
    found, waiting = set(), set(blocks)
    while waiting:
        found.add(block := waiting.pop())
        waiting |= used_by[block] - found - set(beyond)
    return {block: users_of.get(block, set()) for block in found}


def _data_blocks() -> list[bpy.types.ID]:
    """Returns the file's data-blocks of every type: a file that is appended may bring any of them along."""
    types = [item.identifier for item in bpy.data.bl_rna.properties if item.type == "COLLECTION"]
    return [block for type_name in types for block in getattr(bpy.data, type_name)]


def _remove_new(before: set[int]) -> None:
    bpy.data.batch_remove(new_data(before))
