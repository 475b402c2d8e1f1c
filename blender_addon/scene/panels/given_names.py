"""The names that people have given to channels, kept on their panel, so that undo and saving cover them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

import bpy

from ....torch_bridge.recording.errors import InputError
from ...naming.agreement import UnitAgreement, agree
from ...naming.unit_names import UnitName, check_raters, newest_names, parse_names, write_names
from ...properties import PANEL_NAMES


def read_given_names(panel: bpy.types.Object) -> Mapping[int, Sequence[UnitName]]:
    """Returns what people have named the channels of a panel, by channel; {} where that is unknown or damaged."""
    return _from_lines(str(panel.get(PANEL_NAMES, "")))


def write_given_names(panel: bpy.types.Object, names: Iterable[UnitName]) -> None:
    """Stores what people have named the channels of a panel, of each person the last name for a channel."""
    text = write_names(newest_names(names))
    if text:
        panel[PANEL_NAMES] = text
    else:
        panel.pop(PANEL_NAMES, None)


def agreed_names(panel: bpy.types.Object) -> list[UnitAgreement]:
    """Returns what people agree about the channels of a panel, of those that have a name."""
    return agree([name for names in read_given_names(panel).values() for name in names])


def describe_given(names: Iterable[UnitName]) -> str:
    """Returns names with their category and who has given them, such as "lamp (object) by ann"."""
    by_word: dict[tuple[str, str], list[str]] = {}
    for name in names:
        by_word.setdefault((name.word, name.category), []).append(name.rater)
    return " · ".join(f"{word} ({category}) by {', '.join(raters)}" for (word, category), raters in by_word.items())


@lru_cache(maxsize=256)
def _from_lines(text: str) -> Mapping[int, Sequence[UnitName]]:
    try:
        names = parse_names(text, PANEL_NAMES)
        check_raters(names, PANEL_NAMES)
    except InputError:  # a stranger's file
        return {}
    found: dict[int, list[UnitName]] = {}
    for name in names:
        found.setdefault(name.unit, []).append(name)
    return found
