"""Pages of a walk's menu about what channels detect, a series' entries, and the halls beside this one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import bpy

from ....torch_bridge.recording.errors import InnerwalkError
from ...actions.ablating import (
    ablate_concept,
    clear_strokes,
    put_brush_away,
    restore_channels,
    take_brush,
)
from ...actions.comparing import halls_beside, short_name, show_difference, stand_alone, stand_beside
from ...actions.methods import show_activations
from ...actions.naming import mark_misfit, marked_misfits, name_unit, own_name, remove_name, shown_pictures, words_used
from ...actions.series import show_position
from ...live.hall_requests import method_of
from ...live.session import current
from ...live.stored_choices import ablated_channels, held_brush, painted_strokes
from ...naming.categories import CATEGORIES
from ...properties import COMPARED_HALL, DIFFERENCE_METHOD, NETWORK_NAME, SERIES_FOLDER
from ...scene.hall import store
from ...scene.hall.ray_hits import map_shape
from ...scene.hall.series import position_at, series_of
from ...scene.panels import find_panel
from ...scene.panels.concepts import DetectedConcept, read_concepts
from ...scene.panels.given_names import read_given_names
from ...scene.panels.label_search import concept_channels, label_names, names_by_category
from ...scene.state.selection import selected
from .menu_types import Item, Page


def finding_items(scene: bpy.types.Scene) -> list[Item]:
    """Returns the items of the first page: only those that this hall has something for."""
    found, concept = [], selected_concept(scene)
    if names_by_category(scene):
        found.append(Item("Labels", opens="labels"))
    if concept is not None:
        found.append(Item(f"Next {concept.name}", act=lambda walk: walk.go_to_label(concept.name)))
    if selected(scene).channel >= 0:
        found.append(Item("Name unit", opens="name"))
    found += _ablation_items(scene, concept) + _brush_items(scene, concept)
    if SERIES_FOLDER in scene:
        found.append(Item("Series", opens="series"))
    if len(store.halls()) > 1:
        found.append(Item("Compare", opens="compare"))
    return found


def selected_concept(scene: bpy.types.Scene) -> DetectedConcept | None:
    """Returns what the selected channel detects, None for nothing."""
    layer, channel = selected(scene)
    panel = find_panel(scene, layer)
    return read_concepts(panel).get(channel) if panel is not None else None


def _ablation_items(scene: bpy.types.Scene, concept: DetectedConcept | None) -> list[Item]:
    """Returns the items that ablate the selected channel's concept, and restore what is ablated."""
    if current().state != "ready" or not scene.get(NETWORK_NAME):
        return []
    try:
        found, ablated = list[Item](), ablated_channels(scene)
    except InnerwalkError as error:  # a stranger's file
        return [Item(str(error), enabled=False)]
    units = concept_channels(scene).get(concept.name, {}) if concept is not None else {}
    if concept is not None and any(set(own) - set(ablated.get(layer, ())) for layer, own in units.items()):
        count = sum(map(len, units.values()))
        found.append(Item(f"Ablate {concept.name} ({count})", edit=partial(ablate_concept, concept=concept.name)))
    if ablated:
        found.append(Item(f"Restore {sum(map(len, ablated.values()))} channels", edit=restore_channels))
    return found


def _brush_items(scene: bpy.types.Scene, concept: DetectedConcept | None) -> list[Item]:
    """Returns the items that take a brush of the selected channel or its concept, put it away, and clear strokes."""
    if current().state != "ready" or not scene.get(NETWORK_NAME):
        return []
    try:
        brush, strokes = held_brush(scene), painted_strokes(scene)
    except InnerwalkError as error:  # a stranger's file
        return [Item(str(error), enabled=False)]
    cleared = [Item("Undo stroke", edit=partial(clear_strokes, count=1))] if strokes else []
    if len(strokes) > 1:
        cleared.append(Item(f"Clear {len(strokes)} strokes", edit=clear_strokes))
    if brush is not None:
        return [Item("Put brush away", edit=put_brush_away), *cleared]
    layer, channel = selected(scene)
    panel = find_panel(scene, layer)
    if panel is None or channel < 0 or min(map_shape(panel)) < 2:
        return cleared
    what, name = (concept.name, concept.name) if concept is not None else ("", f"channel {channel}")
    items = [
        Item(f"Brush: {does} {name}", edit=partial(take_brush, layer=layer, concept=what, insert=insert), closes=True)
        for does, insert in (("ablate", False), ("insert", True))
    ]
    return [*items, *cleared]


def labels_page(scene: bpy.types.Scene) -> Page:
    """Returns the categories of the labels, with the number of names in each."""
    categories = enumerate(names_by_category(scene).items())
    items = [Item(f"{name} ({len(names)})", opens=f"category:{k}") for k, (name, names) in categories]
    return Page("Labels", tuple(items) or (Item("No labels: dissect first", enabled=False),))


def category_page(scene: bpy.types.Scene, number: int) -> Page:
    """Returns the labels of a category, counted from 0, with the number of channels; each leads to one of them."""
    categories = [*names_by_category(scene).items()]
    if not 0 <= number < len(categories):
        return Page("Labels", (Item("No such category", enabled=False),))
    category, names = categories[number]
    concept = selected_concept(scene)
    items = (_label_item(name, count, concept) for name, count in names.items())
    return Page(category, tuple(items))


def _label_item(name: str, count: int, concept: DetectedConcept | None) -> Item:
    is_selected = concept is not None and concept.name == name
    return Item(f"{name} ({count})", act=lambda walk: walk.go_to_label(name), on=is_selected)


def series_page(scene: bpy.types.Scene) -> Page:
    """Returns the entries of the hall's series, first the one before and the one after that which is shown."""
    if SERIES_FOLDER not in scene:
        return Page("Series", (Item("No series is open", enabled=False),))
    try:
        labels, position = series_of(scene).labels, position_at(scene, scene.frame_current_final)
    except InnerwalkError as error:
        return Page("Series", (Item(str(error), enabled=False),))
    steps = [_step_item("Earlier", labels, position - 1), _step_item("Later", labels, position + 1)]
    entries = [Item(label, edit=partial(show_position, position=k), on=k == position) for k, label in enumerate(labels)]
    return Page(f"{labels[position]}, {position + 1} of {len(labels)}", (*steps, *entries))


def _step_item(name: str, labels: Sequence[str], position: int) -> Item:
    if not 0 <= position < len(labels):
        return Item(name, enabled=False)
    return Item(f"{name}: {labels[position]}", edit=partial(show_position, position=position))


def compare_page(scene: bpy.types.Scene) -> Page:
    """Returns the other halls of the file: to show beside this one, or to subtract from it."""
    beside, items = halls_beside(scene), []
    subtracted = str(scene.get(COMPARED_HALL, "")) if method_of(scene) == DIFFERENCE_METHOD else ""
    for hall in store.halls():
        if hall != scene:
            edit = partial(stand_beside, other=hall.name, share=True)
            items.append(Item(f"Beside {short_name(hall)}", edit=edit, on=hall in beside))
            edit = partial(show_difference, other=hall.name)
            items.append(Item(f"Minus {short_name(hall)}", edit=edit, on=hall.name == subtracted))
    if beside:
        items.append(Item("Remove other hall", edit=stand_alone))
    if subtracted:
        items.append(Item("Show activations", edit=show_activations))
    return Page("Compare", tuple(items) or (Item("No other hall in this file", enabled=False),))


def name_page(scene: bpy.types.Scene) -> Page:
    """Returns the words that the selected channel can be named with, and a page to mark pictures that don't fit."""
    layer, channel = selected(scene)
    panel = find_panel(scene, layer)
    if panel is None or channel < 0:
        return Page("Name unit", (Item("Select a tile first", enabled=False),))
    items, names = list[Item](), read_given_names(panel).get(channel, ())
    own = next((name.word for name in names if name.rater == own_name()), "")
    if shown_pictures(scene):
        items.append(Item("Pictures that don't fit", opens="misfits"))
    if own:
        items.append(Item(f"Remove {own}", edit=remove_name))
    words = [Item(word, opens=f"word:{k}", on=word == own) for k, word in enumerate(_words(scene))]
    hint = [] if words else [Item("No word yet: name a unit in the window first", enabled=False)]
    return Page(f"Name channel {channel} of {layer}", (*items, *words, *hint))


def _words(scene: bpy.types.Scene) -> list[str]:
    """Returns words that were used before, then the other labels of the hall."""
    return [*dict.fromkeys([*words_used(scene), *label_names(scene)])]


def word_page(scene: bpy.types.Scene, number: int) -> Page:
    """Returns the categories of a word, counted from 0; each names the selected channel."""
    words = _words(scene)
    if not 0 <= number < len(words):
        return Page("Name unit", (Item("No such word", enabled=False),))
    word = words[number]
    items = (Item(name.capitalize(), edit=partial(name_unit, word=word, category=name)) for name in CATEGORIES)
    return Page(f"{word} is", tuple(items))


def misfits_page(scene: bpy.types.Scene) -> Page:
    """Returns the selected channel's top images by number; choosing one marks it as not fitting, or ends that."""
    layer, channel = selected(scene)
    count = shown_pictures(scene) if channel >= 0 else 0
    if not count:
        return Page("Doesn't fit", (Item("Show top images first", enabled=False),))
    try:
        marks = marked_misfits(scene, layer, channel)
    except InnerwalkError as error:  # a stranger's file
        return Page("Doesn't fit", (Item(str(error), enabled=False),))
    items = (_misfit_item(k, k in marks) for k in range(1, count + 1))
    return Page("Doesn't fit", tuple(items))


def _misfit_item(number: int, is_marked: bool) -> Item:
    label = f"Picture {number}: doesn't fit" if is_marked else f"Picture {number}"
    return Item(label, edit=partial(mark_misfit, picture=number), on=is_marked)
