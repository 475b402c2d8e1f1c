"""People name the units of a hall's network, mark the pictures that don't fit, and exchange files of such names.

They also vote which of a generator's pictures are wrong; the units that are active in these are its artefact units.
"""

from __future__ import annotations

import getpass
import json
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import bpy

from ...torch_bridge.recording.errors import InputError, SceneError
from ..extension import EXTENSION_ID
from ..live.hall_requests import method_of
from ..live.session import current
from ..live.stored_choices import artefact_votes, misfit_marks
from ..naming.unit_names import (
    UnitName,
    check_raters,
    checked_name,
    network_hash,
    newest_names,
    read_names,
    write_names,
)
from ..output.output_files import replaced
from ..plans.number_text import format_count
from ..properties import ARTEFACT_VOTES, METHOD_TAG, MISFIT_MARKS
from ..scene.hall import store
from ..scene.panels import annotation_drawing, panel_of, panels
from ..scene.panels.given_names import read_given_names, write_given_names
from .methods import ask_method
from .selecting import selected

TOP_IMAGES, PICTURES = "top_images", 9
"""The method whose pictures a person looks at, and how many of them it shows unless it is asked for others."""
SUFFIX = ".jsonl"
ARTEFACT_UNITS = "artefact_units"
"""The method that ranks a generator's units by votes."""
SEED_DIGITS = 19
"""Digits from which on a seed of votes is refused."""


def name_unit(
    scene: bpy.types.Scene,
    word: str,
    category: str,
    layer: str = "",
    channel: int = -1,
    misfits: Sequence[int] | None = None,
    shown: int = 0,
    note: str = "",
    rater: str = "",
) -> str:
    """Names a unit; what the same person has named it before is replaced.

    category: one of `naming.categories.CATEGORIES`. layer, channel: the selected ones by default. misfits: numbers of
    the top images that don't fit, from 1; None for those that are marked. shown: how many the person was shown; 0 for
    those that the hall shows. rater: the person; "" for the name in the
    extension's preferences, else the user's. Returns a line that says what was named. Raises SceneError if no channel
    is selected, UnknownName, or InputError.
    """
    layer, channel = _unit(scene, layer, channel)
    panel, marks = panel_of(scene, layer), misfits if misfits is not None else marked_misfits(scene, layer, channel)
    name = checked_name(
        {
            "network": hall_hash(scene),
            "layer": layer,
            "unit": channel,
            "word": word,
            "category": category,
            "rater": rater or own_name(),
            "shown": shown or shown_pictures(scene),
            "misfits": [int(mark) for mark in marks],
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "note": note,
        }
    )
    check_raters([*given_names(scene), name], scene.name)
    write_given_names(panel, [*_others(panel, channel, name.rater), name])
    scene.pop(MISFIT_MARKS, None)
    annotation_drawing.update_annotations(scene)
    return f"{layer}, channel {channel}: {name.word} ({name.category}) by {name.rater}"


def remove_name(scene: bpy.types.Scene, layer: str = "", channel: int = -1, rater: str = "") -> str:
    """Removes the name that a person has given to a unit; arguments are those of `name_unit`.

    Returns a line that says which name. Raises InputError if there is none.
    """
    layer, channel = _unit(scene, layer, channel)
    panel, rater = panel_of(scene, layer), rater or own_name()
    own = [name for name in read_given_names(panel).get(channel, ()) if name.rater == rater]
    if not own:
        raise InputError(f"{layer}, channel {channel} has no name by {rater}")
    write_given_names(panel, _others(panel, channel, rater))
    annotation_drawing.update_annotations(scene)
    return f"removed {own[0].word} from {layer}, channel {channel}"


def mark_misfit(scene: bpy.types.Scene, picture: int) -> str:
    """Marks one of the selected channel's top images as not fitting its name, or takes the mark away.

    picture: its number, from 1. Returns a line that says which pictures are marked. Raises SceneError if no channel is
    selected, or InputError.
    """
    layer, channel = _unit(scene, "", -1)
    count = shown_pictures(scene)
    if not 1 <= picture <= count:
        raise InputError(f"there is no picture {picture}; {'1 to ' + str(count) if count else 'show top images first'}")
    marks = sorted({*marked_misfits(scene, layer, channel)} ^ {picture})
    scene[MISFIT_MARKS] = json.dumps({"layer": layer, "channel": channel, "misfits": marks})
    return f"don't fit: {', '.join(map(str, marks)) or 'none'}"


def import_names(scene: bpy.types.Scene, filepath: Path | str) -> str:
    """Adds the names of a file to a hall; of two by one person for one unit the newer one counts.

    Returns a line that says how many. Raises InputError, and then nothing is added: for a damaged file, names of
    another network, or of units that the hall doesn't have.
    """
    names = read_names(Path(filepath))
    known, own = _all_panels(scene), hall_hash(scene)
    if wrong := next((name for name in names if name.network != own), None):
        raise InputError(f"{filepath}: names of another network ({wrong.network}); this hall's is {own}")
    for name in names:
        if name.layer not in known or name.unit >= len(known[name.layer].data.vertices):
            raise InputError(f"{filepath}: the hall has no channel {name.unit} of {name.layer}")
    check_raters([*given_names(scene), *names], str(filepath))
    for layer in {name.layer for name in names}:
        added = [name for name in names if name.layer == layer]
        write_given_names(known[layer], [*_all(known[layer]), *added])
    annotation_drawing.update_annotations(scene)
    raters = {name.rater for name in names}
    return f"imported {format_count(len(names), 'name')} by {', '.join(sorted(raters)) or 'nobody'}"


def export_names(scene: bpy.types.Scene, filepath: Path | str) -> str:
    """Writes all names of a hall's units to a file, which appears when it is complete.

    Returns a line that says where. Raises SceneError.
    """
    names = given_names(scene)
    if not names:
        raise SceneError("no unit of this hall has a name yet")
    path = Path(filepath)
    with replaced(path, SUFFIX) as part:
        part.write_text(write_names(names), encoding="utf-8")
    return f"{path}: {format_count(len(names), 'name')}"


def vote_artefact(scene: bpy.types.Scene, artefact: bool) -> str:
    """Votes whether the generated picture that a hall shows has an artefact; the same vote again is taken back.

    Returns a line with the votes so far. Raises SceneError where no code drawn from a seed is shown.
    """
    seed, votes = noise_seed(scene), artefact_votes(scene)
    if seed is None:
        raise SceneError("this hall shows no picture that was generated from noise; place noise:1 as its input first")
    if votes.get(seed) == int(artefact):
        del votes[seed]
    else:
        votes[seed] = int(artefact)
    scene[ARTEFACT_VOTES] = json.dumps(votes)
    return f"votes: {format_count(sum(votes.values()), 'artefact')}, {len(votes) - sum(votes.values())} without"


def find_artefact_units(scene: bpy.types.Scene, layer: str = "", top: int = 5) -> str:
    """Labels the channels of a layer that are most active in the pictures voted wrong, by the method `artefact_units`.

    layer: "" for the selected one. top: how many. The brush and ablation take them as the concept "artefact". Returns
    at once, with a line that says so. Raises SceneError if no layer is selected or nothing is voted; otherwise as
    `ask_method`.
    """
    layer, votes = layer or selected(scene).layer, artefact_votes(scene)
    if not layer:
        raise SceneError("no layer is selected; click a tile first")
    if not votes:
        raise SceneError("no picture has a vote yet; vote for some with an artefact and some without")
    text = ", ".join(f"{seed}:{vote}" for seed, vote in sorted(votes.items()))
    return ask_method(scene, ARTEFACT_UNITS, {"votes": text, "top": top}, layers=[layer])


def save_votes(scene: bpy.types.Scene, filepath: Path | str) -> str:
    """Writes the votes of a hall as CSV for `innerwalk gan_dissect --votes`, a row for each.

    Files of several people can be joined below one header. Returns a line that says where. Raises SceneError.
    """
    votes, path = artefact_votes(scene), Path(filepath)
    if not votes:
        raise SceneError("no picture has a vote yet")
    with replaced(path, ".csv") as part:
        part.write_text("seed,artefact\n" + "".join(f"{seed},{vote}\n" for seed, vote in sorted(votes.items())))
    return f"{path}: {format_count(len(votes), 'vote')}"


def noise_seed(scene: bpy.types.Scene) -> int | None:
    """Returns the seed from which the code of the generated picture was drawn that a hall shows; None for none."""
    recording = store.read_description(scene)
    sources = [own.source for own in recording.inputs]
    seed = sources[0].partition("noise:")[2] if len(sources) == 1 else ""
    is_generator = [own.kind for own in recording.outputs] == ["picture"]
    return int(seed) if is_generator and seed.isdecimal() and len(seed) < SEED_DIGITS else None


def given_names(scene: bpy.types.Scene) -> list[UnitName]:
    """Returns all names that people have given to a hall's units."""
    return newest_names(name for panel in _all_panels(scene).values() for name in _all(panel))


def words_used(scene: bpy.types.Scene) -> list[str]:
    """Returns the words that people have used in a hall, the most frequent first."""
    counts = Counter(name.word for name in given_names(scene))
    return sorted(counts, key=lambda word: (-counts[word], word))


def hall_hash(scene: bpy.types.Scene) -> str:
    """Returns the hash of a hall's network. Raises SceneError."""
    return network_hash(store.read_description(scene).network)


def shown_pictures(scene: bpy.types.Scene) -> int:
    """Returns the number of top images that the tiles of a hall show, 0 for another method."""
    if method_of(scene) != TOP_IMAGES:
        return 0
    request = current().method_request(str(scene.get(METHOD_TAG, "")))
    parameters = request.arguments.get("parameters", {}) if request is not None else {}
    return int(parameters.get("best", PICTURES))


def marked_misfits(scene: bpy.types.Scene, layer: str, channel: int) -> tuple[int, ...]:
    """Returns the numbers of a channel's pictures that are marked as not fitting. Raises SceneError."""
    *marked, misfits = misfit_marks(scene)
    return misfits if marked == [layer, channel] else ()


def own_name() -> str:
    """Returns who names units here: the name in the extension's preferences, else that of the system's user."""
    addon: Any = bpy.context.preferences.addons.get(EXTENSION_ID)
    chosen = str(addon.preferences.bridge.rater).strip() if addon is not None else ""
    try:
        return chosen or getpass.getuser()
    except (KeyError, OSError, ImportError):  # the system knows no name of this user
        return "unnamed"


def _unit(scene: bpy.types.Scene, layer: str, channel: int) -> tuple[str, int]:
    """Returns a layer and a channel that it has, by default the selected ones."""
    if not layer:
        layer, chosen = selected(scene)
        channel = channel if channel >= 0 else chosen
    if not layer or channel < 0:
        raise SceneError("no channel is selected; click a tile first")
    count = len(panel_of(scene, layer).data.vertices)
    if channel >= count:
        raise InputError(f"layer {layer} has channels 0 to {count - 1}; there is no channel {channel}")
    return layer, channel


def _all_panels(scene: bpy.types.Scene) -> dict[str, bpy.types.Object]:
    """Returns the panels of a hall, also those of collapsed blocks, by the id of their layer."""
    return store.collapsed_panels(scene) | panels(scene)


def _all(panel: bpy.types.Object) -> list[UnitName]:
    return [name for names in read_given_names(panel).values() for name in names]


def _others(panel: bpy.types.Object, channel: int, rater: str) -> list[UnitName]:
    return [name for name in _all(panel) if (name.unit, name.rater) != (channel, rater)]
