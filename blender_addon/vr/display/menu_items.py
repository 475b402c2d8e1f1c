"""What the menu of a walk offers, and what is done by choosing it: data for a hall as it is just now."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import bpy

from ....torch_bridge.recording import ACTIVATIONS
from ....torch_bridge.recording.errors import UnknownName
from ...actions import collapsed, collapsible, selected, shelved
from ...extension import EXTENSION_ID
from ...imaging import colour
from ...layout.blocks import ALL
from ...live.results import method_of
from ...live.session import current
from ...properties import METHOD_TAG, NETWORK_NAME, SETTINGS_FORM
from ...scene.hall import store
from ...scene.hall.refit import site_of
from ...scene.materials import look
from ..landmarks import landmarks

LISTED = 8
"""Entries of a page of a long list."""
GAINS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)


class Item(NamedTuple):
    """One entry. What is done is `getattr(actions, action)(scene, **given)`, but for two kinds of their own.

    "page" opens the page that `given` names; "walk" is for what only a walk can `do`: close, leave, next_landmark,
    previous_landmark, and landmark with its `name`.
    """

    label: str
    action: str
    given: dict[str, Any]
    on: bool = False
    """Whether the hall is so now."""
    enabled: bool = True


class Page(NamedTuple):
    """One page of the menu."""

    title: str
    items: tuple[Item, ...]


def page(scene: bpy.types.Scene, name: str) -> Page:
    """A page by its name; the second of a long list is "method 2". Raises UnknownName."""
    kind, _, number = name.partition(" ")
    if kind not in PAGES or not (number.isdecimal() or not number):
        raise UnknownName("page of the menu", name, PAGES)
    found = PAGES[kind](scene)
    return found if kind == "root" else _part(found, kind, int(number or 1))


def _part(whole: Page, kind: str, number: int) -> Page:
    """The entries that this page of a list has room for, then the way on and the way back. Raises UnknownName."""
    parts = [whole.items[k : k + LISTED] for k in range(0, len(whole.items), LISTED)] or [()]
    if not 1 <= number <= len(parts):
        raise UnknownName(f"page of the menu {kind!r}", str(number), map(str, range(1, len(parts) + 1)))
    more = [_open("More", f"{kind} {number + 1}")] if number < len(parts) else []
    back = "root" if number == 1 else kind if number == 2 else f"{kind} {number - 1}"
    title = whole.title if len(parts) == 1 else f"{whole.title} {number}/{len(parts)}"
    return Page(title, (*parts[number - 1], *more, _open("Back", back)))


def _open(label: str, name: str) -> Item:
    return Item(label, "page", {"page": name})


def _does(label: str, do: str) -> Item:
    return Item(label, "walk", {"do": do})


def _root(scene: bpy.types.Scene) -> Page:
    folder, whole = export_folder(), ALL not in store.dress_of(scene).collapse
    return Page(
        store.described(scene).network.name,
        (
            _open("Method", "method"),
            _job(scene),
            _open("Colours", "colours"),
            _open("Normalise", "normalise"),
            _open("Gain", "gain"),
            _shelf(scene),
            Item("Collapse all blocks", "collapse", {"block": ALL}, enabled=whole and bool(collapsible(scene))),
            Item("Expand all blocks", "expand", {"block": ALL}, enabled=bool(collapsed(scene))),
            _open("Places", "places"),
            _does("Next place", "next_landmark"),
            _does("Previous place", "previous_landmark"),
            Item("Reset layout", "reset_layout", {}),
            Item("Export hall", "export_hall", {"directory": str(folder)})
            if folder
            else _nothing("Export: save the file"),
            _does("Leave walk", "leave"),
            _does("Close menu", "close"),
        ),
    )


def _follows(scene: bpy.types.Scene) -> bool:
    """Whether a bridge can be asked about this hall."""
    return current().state == "ready" and bool(scene.get(NETWORK_NAME))


def _told(what: str) -> list[dict[str, Any]]:
    """The bridge's methods, or its data."""
    link = current().link
    return list(link.described.get(what, [])) if link is not None and current().state == "ready" else []


def _job(scene: bpy.types.Scene) -> Item:
    """The job can be cancelled while it runs; else something can be asked about the channel that is looked at."""
    if current().runs(str(scene.get(METHOD_TAG, ""))):
        return Item("Cancel job", "cancel_method", {})
    if not _follows(scene):
        return _nothing("Ask: no bridge")
    return _open("Ask about channel", "channel") if selected(scene).channel >= 0 else _nothing("Ask: pick a tile first")


def _data(scene: bpy.types.Scene) -> str:
    """The data set that is on the shelf, else the one chosen in the sidebar, else the first; "" for none."""
    chosen = getattr(getattr(scene, SETTINGS_FORM, None), "data", "")
    known = [str(one["name"]) for one in _told("data")]
    return next((one for one in (shelved(scene).get("set"), chosen, *known) if one in known), "")


def _shelf(scene: bpy.types.Scene) -> Item:
    data, there = _data(scene), shelved(scene)
    if not _follows(scene) or not data:
        return _nothing("Shelf: no bridge" if not _follows(scene) else "Shelf: no data set")
    given = {"data": data, "seed": there.get("seed", -1) + 1, "of_class": there.get("class", "")}
    return Item("Resample shelf", "draw_shelf", given)


def export_folder() -> Path | None:
    """Where exports go without being asked: beside the saved file, else the extension's folder; None for nowhere."""
    if bpy.data.filepath:
        return Path(bpy.data.filepath).parent
    try:
        return Path(bpy.utils.extension_path_user(EXTENSION_ID, path="export", create=True))
    except ValueError:  # Innerwalk runs as a plain package, which has no such folder
        return None


def _method(scene: bpy.types.Scene) -> Page:
    """Asked about all panels."""
    return Page("Show on the panels", _methods(scene, _told("methods"), layers=["panels"], channels=[]))


def _channel(scene: bpy.types.Scene) -> Page:
    """Asked about the channel that is looked at alone, so it is there soonest."""
    layer, channel = selected(scene)
    if channel < 0:
        return Page("Ask about a channel", (_nothing("Pick a tile first"),))
    asked = [one for one in _told("methods") if one["name"] != ACTIVATIONS]
    return Page(f"Channel {channel} of {layer}", _methods(scene, asked, layers=[layer], channels=[channel]))


def _methods(scene: bpy.types.Scene, listed: Iterable[dict[str, Any]], **about: Any) -> tuple[Item, ...]:
    """One entry each, with the parameters that they have by themselves; methods about data with the shelf's."""
    if not _follows(scene):
        return (_nothing("No bridge to ask"),)
    now, data = method_of(scene), _data(scene)
    items = []
    for one in listed:
        of_data = one["needs"] == "data"
        given = {"method": one["name"], "data": data if of_data else "", **about}
        items.append(Item(one["title"], "ask_method", given, one["name"] == now, not of_data or bool(data)))
    return tuple(items)


def _nothing(why: str) -> Item:
    """Says why there is nothing to choose."""
    return Item(why, "page", {"page": "root"}, enabled=False)


def _looks(scene: bpy.types.Scene, part: str, labels: Iterable[tuple[str, Any]]) -> list[Item]:
    """Choices of one part of the hall's colours."""
    now = look.told(scene)[part]
    return [Item(label, "show_look", {part: value}, now == value) for label, value in labels]


def _colours(scene: bpy.types.Scene) -> Page:
    ramps = [(f"{name.capitalize()} colours", name) for name in colour.RAMPS]
    rooms = [(f"{name.capitalize()} hall", name) for name in colour.THEMES]
    return Page("Colours", (*_looks(scene, "ramp", ramps), *_looks(scene, "theme", rooms)))


def _normalise(scene: bpy.types.Scene) -> Page:
    labels = zip(("Peak of each channel", "Peak of each layer", "One peak for all"), look.NORMALISATIONS, strict=True)
    return Page("Normalise", tuple(_looks(scene, "normalisation", labels)))


def _gain(scene: bpy.types.Scene) -> Page:
    gains = [(f"× {gain:g}", gain) for gain in GAINS]
    return Page(f"Gain × {look.told(scene)['gain']:g}", tuple(_looks(scene, "gain", gains)))


def _places(scene: bpy.types.Scene) -> Page:
    there = landmarks(site_of(scene, store.dress_of(scene)).hall)
    return Page("Places", tuple(Item(one.name, "walk", {"do": "landmark", "name": one.name}) for one in there))


PAGES: dict[str, Callable[[bpy.types.Scene], Page]] = {
    "root": _root, "method": _method, "channel": _channel, "colours": _colours, "normalise": _normalise, "gain": _gain,
    "places": _places,
}  # fmt: skip
"""By name: everything that belongs on a page, however long it is."""
