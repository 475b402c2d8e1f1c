"""The pages of a walk's menu: their items for a hall in its current state."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import bpy

from ....torch_bridge.recording import ACTIVATIONS
from ....torch_bridge.recording.errors import UnknownName
from ...actions.arranging import collapse, collapsed_blocks, collapsible_blocks, expand, reset_layout
from ...actions.methods import ask_method, cancel_method
from ...actions.naming import PICTURES
from ...actions.pictures import own_folder
from ...actions.shelf import draw_shelf
from ...actions.viewing import show_look
from ...imaging import colour_maps
from ...layout.blocks import ALL
from ...live.hall_requests import method_of
from ...live.session import current
from ...live.stored_choices import shelved
from ...properties import METHOD_TAG, NETWORK_NAME, SETTINGS_FORM
from ...scene.hall import store
from ...scene.materials import colour_settings
from ...scene.state.selection import selected
from ..scene_landmarks import hall_landmarks
from .finding_pages import (
    category_page,
    compare_page,
    finding_items,
    labels_page,
    misfits_page,
    name_page,
    series_page,
    word_page,
)
from .menu_types import Item, Page

ITEMS_PER_PAGE = 8
"""Number of items on each page of a long list."""
GAINS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
NORMALISATION_LABELS = {"channel": "Per channel", "layer": "Per layer", "network": "Whole network"}


def page(scene: bpy.types.Scene, name: str) -> Page:
    """Returns a page by its name; the second part of a long list is "method 2". Raises UnknownName.

    "category:1" is the list of labels in the second category.
    """
    kind, _, number = name.partition(" ")
    list_name, _, place = kind.partition(":")
    if not (kind in PAGES or (list_name in LISTS and place.isdecimal())) or not (number.isdecimal() or not number):
        raise UnknownName("page of the menu", name, PAGES)
    whole = PAGES[kind](scene) if kind in PAGES else LISTS[list_name][0](scene, int(place))
    return whole if kind == "root" else _part(whole, kind, int(number or 1))


def _part(whole: Page, kind: str, number: int) -> Page:
    """Returns one part of a long list, with the items More and Back. Raises UnknownName."""
    most = PICTURES if kind == "misfits" else ITEMS_PER_PAGE
    parts = [whole.items[k : k + most] for k in range(0, len(whole.items), most)] or [()]
    if not 1 <= number <= len(parts):
        raise UnknownName(f"page of the menu {kind!r}", str(number), map(str, range(1, len(parts) + 1)))
    more = [Item("More", opens=f"{kind} {number + 1}")] if number < len(parts) else []
    first = LISTS[kind.partition(":")[0]][1] if ":" in kind else "name" if kind == "misfits" else "root"
    back = first if number == 1 else kind if number == 2 else f"{kind} {number - 1}"
    title = whole.title if len(parts) == 1 else f"{whole.title} {number}/{len(parts)}"
    return Page(title, (*parts[number - 1], *more, Item("Back", opens=back)))


def _note(text: str) -> Item:
    """Returns an item that can't be chosen and says why."""
    return Item(text, enabled=False)


def _root(scene: bpy.types.Scene) -> Page:
    can_collapse = ALL not in store.read_appearance(scene).collapse and bool(collapsible_blocks(scene))
    return Page(
        store.read_description(scene).network.name,
        (
            Item("Method", opens="method"),
            _job_item(scene),
            *finding_items(scene),
            Item("Colours", opens="colours"),
            Item("Normalise", opens="normalise"),
            Item("Gain", opens="gain"),
            _shelf_item(scene),
            Item("Collapse all blocks", edit=partial(collapse, block=ALL), enabled=can_collapse),
            Item("Expand all blocks", edit=partial(expand, block=ALL), enabled=bool(collapsed_blocks(scene))),
            Item("Places", opens="places"),
            Item("Next place", act=lambda walk: walk.go_to(walk.landmark_index + 1)),
            Item("Previous place", act=lambda walk: walk.go_to(walk.landmark_index - 1)),
            Item("Reset layout", edit=reset_layout),
            _picture_item(scene),
            _export_item(),
            Item("End walk", act=lambda walk: walk.leave()),
            Item("Close menu", act=lambda walk: walk.close_menu()),
        ),
    )


def _has_bridge(scene: bpy.types.Scene) -> bool:
    """Returns whether a bridge is connected and the hall follows one of its networks."""
    return current().state == "ready" and bool(scene.get(NETWORK_NAME))


def _described(key: str) -> list[dict[str, Any]]:
    """Returns the descriptions of the bridge's "methods" or "data"."""
    link = current().link
    return list(link.description.get(key, [])) if link is not None and current().state == "ready" else []


def _job_item(scene: bpy.types.Scene) -> Item:
    """Returns the item that cancels the running job, else the one that asks about the selected channel."""
    if current().is_running(str(scene.get(METHOD_TAG, ""))):
        return Item("Cancel job", edit=cancel_method)
    if not _has_bridge(scene):
        return _note("Ask: no bridge")
    if selected(scene).channel < 0:
        return _note("Ask: select a tile first")
    return Item("Ask about channel", opens="channel")


def _data_name(scene: bpy.types.Scene) -> str:
    """Returns the data set on the shelf, else the one chosen in the sidebar, else the first; "" for none."""
    chosen = getattr(getattr(scene, SETTINGS_FORM, None), "data", "")
    known = [str(description["name"]) for description in _described("data")]
    return next((name for name in (shelved(scene).get("set"), chosen, *known) if name in known), "")


def _shelf_item(scene: bpy.types.Scene) -> Item:
    data, shown = _data_name(scene), shelved(scene)
    if not _has_bridge(scene) or not data:
        return _note("Shelf: no bridge" if not _has_bridge(scene) else "Shelf: no data set")
    seed, of_class = shown.get("seed", -1) + 1, shown.get("class", "")
    return Item("Resample shelf", edit=partial(draw_shelf, data=data, seed=seed, of_class=of_class))


def _picture_item(scene: bpy.types.Scene) -> Item:
    """Returns the item that takes a picture; with pictures that wait, the page that also renders them."""
    if current().hall(scene.session_uid).pictures:
        return Item("Pictures", opens="pictures")
    return Item("Take picture", act=lambda walk: walk.take_picture())


def _pictures_page(scene: bpy.types.Scene) -> Page:
    count = len(current().hall(scene.session_uid).pictures)
    items = (
        Item("Take picture", act=lambda walk: walk.take_picture()),
        Item(f"Render {count} in full size", act=lambda walk: walk.render_pictures()),
    )
    return Page("Pictures", items)


def _export_item() -> Item:
    folder = own_folder()
    if folder is None:
        return _note("Export: save the file first")
    return Item("Export hall", act=lambda walk: walk.start_export(folder))


def _method_page(scene: bpy.types.Scene) -> Page:
    """Returns the methods, to run for all panels."""
    return Page("Show on panels", _method_items(scene, _described("methods"), layers=["panels"], channels=[]))


def _channel_page(scene: bpy.types.Scene) -> Page:
    """Returns the methods, to run for the selected channel alone, which is faster."""
    layer, channel = selected(scene)
    if channel < 0:
        return Page("Ask about a channel", (_note("Select a tile first"),))
    methods = [method for method in _described("methods") if method["name"] != ACTIVATIONS]
    return Page(f"Channel {channel} of {layer}", _method_items(scene, methods, layers=[layer], channels=[channel]))


def _method_items(scene: bpy.types.Scene, methods: Iterable[dict[str, Any]], **target: Any) -> tuple[Item, ...]:
    """Returns an item for each method, with its default parameters; a method that needs data uses the shelf's."""
    if not _has_bridge(scene):
        return (_note("No bridge connected"),)
    shown, data = method_of(scene), _data_name(scene)
    items = []
    for method in methods:
        needs_data = "data" in method["needs"]
        edit = partial(ask_method, method=method["name"], data=data if needs_data else "", **target)
        enabled = not needs_data or bool(data)
        items.append(Item(method["title"], edit=edit, on=method["name"] == shown, enabled=enabled))
    return tuple(items)


def _look_items(scene: bpy.types.Scene, setting: str, labels: Iterable[tuple[Any, str]]) -> list[Item]:
    """Returns an item for each (value, label) of one of the hall's colour settings."""
    value_now = colour_settings.read_scene_colours(scene)[setting]
    return [Item(label, edit=partial(show_look, **{setting: value}), on=value_now == value) for value, label in labels]


def _colours_page(scene: bpy.types.Scene) -> Page:
    names = [(name, f"{name.capitalize()} colours") for name in colour_maps.COLOUR_MAPS]
    themes = [(name, f"{name.capitalize()} hall") for name in colour_maps.THEMES]
    return Page("Colours", (*_look_items(scene, "colour_map", names), *_look_items(scene, "theme", themes)))


def _normalise_page(scene: bpy.types.Scene) -> Page:
    labels = [(name, NORMALISATION_LABELS[name]) for name in colour_settings.NORMALISATIONS]
    return Page("Normalise", tuple(_look_items(scene, "normalisation", labels)))


def _gain_page(scene: bpy.types.Scene) -> Page:
    labels = [(gain, f"× {gain:g}") for gain in GAINS]
    gain_now = colour_settings.read_scene_colours(scene)["gain"]
    return Page(f"Gain × {gain_now:g}", tuple(_look_items(scene, "gain", labels)))


def _places_page(scene: bpy.types.Scene) -> Page:
    places = enumerate(hall_landmarks(scene))
    return Page("Places", tuple(_place_item(index, place.name) for index, place in places))


def _place_item(index: int, name: str) -> Item:
    return Item(name, act=lambda walk: walk.go_to(index))


PAGES: dict[str, Callable[[bpy.types.Scene], Page]] = {
    "root": _root, "method": _method_page, "channel": _channel_page, "colours": _colours_page,
    "normalise": _normalise_page, "gain": _gain_page, "places": _places_page, "pictures": _pictures_page,
    "labels": labels_page, "series": series_page, "compare": compare_page, "name": name_page, "misfits": misfits_page,
}  # fmt: skip
"""Functions that return all items of a page, however many they are, by its name."""
LISTS: dict[str, tuple[Callable[[bpy.types.Scene, int], Page], str]] = {
    "category": (category_page, "labels"), "word": (word_page, "name"),
}  # fmt: skip
"""Functions that return the page of an entry of another page, by its number from 0, and the name of that page."""
