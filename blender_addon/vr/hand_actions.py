"""What hands do, by name: pick, grip, let go, open the menu, go from place to place, turn."""

from __future__ import annotations

import math
from collections.abc import Callable

import bpy
import numpy as np
from mathutils import Matrix

from ...torch_bridge.recording.errors import InnerwalkError
from .. import actions
from ..actions import exporting, pointing, shelf
from ..scene.panels import (link_drawing, find, panel_of, world_of)
from ..scene.state.scratch import undoable
from ..time_slicing import run_for
from . import grips
from .display import menu
from .walk import Board, Grip, Hand, Walk

TURN = math.radians(30)
"""Of a snap turn."""
TELEPORT = 30.0
"""Metres: nobody is sent to the horizon by a hand that trembles."""
SLICE = 0.01
"""Seconds of a frame that an export takes at the most, but for its last step."""
AHEAD, LOWER = 0.62, 0.12
"""How far before the eye the menu opens, and how far below it, metres."""


def act(walk: Walk, hand: Hand, name: str) -> None:
    """Do it; what was done or why not is said on the card."""
    scene, walk.acted = walk.scene, True
    if scene is None:
        return
    try:
        told = ACTS[name](walk, hand, scene)
    except (InnerwalkError, OSError) as error:
        walk.say(str(error), failed=True)
        return
    if told:
        walk.say(told)


def _pick(walk: Walk, hand: Hand, scene: bpy.types.Scene) -> str:
    """An entry of the menu, or whatever pointing there means; the floor is gone to."""
    if walk.board is not None and hand.at_board:
        return choose(walk, walk.board, hand, scene)
    if hand.hit is None:
        return ""
    if pointing.hit_kind(hand.hit) == "floor":
        return _teleport(walk, hand)
    if not pointing.has_effect(scene, hand.hit):
        return ""
    role, walk.card = hand.hit.role, hand.name
    told = pointing.ON_CLICK[role](scene, hand.hit)
    walk.holder = hand.name if shelf.held(scene) >= 0 else ""
    if role in ("input", "shelf"):
        undoable("Place Picture" if role == "input" else "Take Picture")
    return "" if role == "panel" else told  # the card says that better


def _teleport(walk: Walk, hand: Hand) -> str:
    if hand.hit is None or hand.far > TELEPORT:
        return "too far to go there at once"
    walk.body.stand(hand.hit.place[:2])
    return ""


def choose(walk: Walk, board: Board, hand: Hand, scene: bpy.types.Scene) -> str:
    """Take the entry that a hand points at."""
    if not 0 <= hand.item < len(board.page.items):
        return ""
    item = board.page.items[hand.item]
    if not item.enabled:
        return ""
    if item.action == "page":
        walk.board = Board(menu.page(scene, item.given["page"]), item.given["page"], board.at)
        return ""
    if item.action == "walk":
        return WALKS[item.given["do"]](walk, item.given)
    if item.action == "export_hall":
        walk.work = exporting.export_steps(scene, item.given["directory"])
        return ""
    told = str(getattr(actions, item.action)(scene, **item.given))
    undoable(item.label)
    walk.survey(scene)
    walk.board = Board(menu.page(scene, board.name), board.name, board.at)
    return told


def work(walk: Walk) -> None:
    """Some steps of what goes on."""
    if walk.work is None:
        return
    try:
        what, share = run_for(walk.work, SLICE)
        walk.say(f"{what}, {share:.0%}")
        return
    except StopIteration as done:
        walk.say(str(done.value))
    except (InnerwalkError, OSError) as error:
        walk.say(str(error), failed=True)
    walk.work = None


def _menu(walk: Walk, hand: Hand, scene: bpy.types.Scene) -> str:
    """Open the menu before the eye, or close it."""
    if walk.board is not None:
        walk.board = None
        return ""
    eye, page = walk.body.eye(), menu.page(scene, "root")
    ahead = -eye[:3, 2] * (1.0, 1.0, 0.0)
    ahead = ahead / max(float(np.linalg.norm(ahead)), 1e-6)
    middle = eye[:3, 3] + ahead * AHEAD - (0.0, 0.0, LOWER)
    width, height = menu.size(page)
    at = grips.facing(middle, eye[:3, 3], aside=(-width / 2, -height / 2, 0.0))
    walk.board = Board(page, "root", np.array(at))
    return ""


def _grip(walk: Walk, hand: Hand, scene: bpy.types.Scene) -> str:
    """Take hold of the panel that is pointed at; the second hand takes what the first one holds."""
    other = next((one for one in walk.hands.values() if one is not hand and one.grip), None)
    layer = other.grip.layer if other and other.grip else hand.hit.layer if hand.hit else ""
    if not layer or (other is None and hand.hit is not None and hand.hit.role != "panel"):
        return ""
    for one in (hand, other) if other else (hand,):  # both begin where the panel is now
        one.grip = Grip(layer, np.array(world_of(panel_of(scene, layer))), one.pose.copy())
    return ""


def carry(walk: Walk, scene: bpy.types.Scene) -> None:
    """Panels that are held go where their hands are."""
    holding = [(one, one.grip) for one in walk.hands.values() if one.grip]
    if not holding:
        return
    hand, grip = holding[0]
    if len(holding) == 1:
        at = grips.carried(grip.panel, grip.pose, hand.pose)
    else:
        other, same = holding[1]
        before = grip.pose[:3, 3], same.pose[:3, 3]
        at = grips.stretched(grip.panel, before, (hand.place.to_tuple(), other.place.to_tuple()))
    panel = find(scene, grip.layer)
    if panel is None:  # undone, collapsed or deleted while it was held
        for one, _ in holding:
            one.grip = None
        walk.say(f"the panel of {grip.layer} is gone", failed=True)
        return
    if not np.allclose(at, np.array(world_of(panel)), atol=1e-5):
        panel.matrix_world = Matrix(at.tolist())
        walk.moved.add(grip.layer)


def grow(hand: Hand, factor: float) -> None:
    """A panel that one hand holds becomes larger or smaller, about where it is held."""
    if hand.grip is not None:
        to = hand.pose @ np.linalg.inv(hand.grip.pose) @ hand.grip.panel
        hand.grip = Grip(hand.grip.layer, grips.scaled(to, np.array(hand.end), factor), hand.pose.copy())


def _let_go(walk: Walk, hand: Hand, scene: bpy.types.Scene) -> str:
    """The panel stays where it is; a hand that still holds it takes hold anew."""
    if hand.grip is None:
        return ""
    layer, hand.grip = hand.grip.layer, None
    for one in walk.hands.values():
        if one.grip:
            one.grip = Grip(layer, np.array(world_of(panel_of(scene, layer))), one.pose.copy())
            return ""
    if layer not in walk.moved:
        return ""
    walk.moved.discard(layer)
    link_drawing.update_links(scene)
    undoable("Move Panel")
    return f"{layer} moved"


def go(walk: Walk, index: int) -> str:
    """Stand at a place of the tour."""
    walk.at = index % len(walk.places)
    there = walk.places[walk.at]
    walk.body.stand(there.place, there.yaw)
    return there.name


def _close(walk: Walk) -> str:
    walk.board = None
    return ""


def _leave(walk: Walk) -> str:
    walk.leaves, walk.board = True, None
    return "the walk ends"


def _turned(walk: Walk, by: float) -> str:
    walk.body.turn(by)
    return ""


WALKS: dict[str, Callable[[Walk, dict], str]] = {
    "close": lambda walk, given: _close(walk),
    "leave": lambda walk, given: _leave(walk),
    "next_landmark": lambda walk, given: go(walk, walk.at + 1),
    "previous_landmark": lambda walk, given: go(walk, walk.at - 1),
    "landmark": lambda walk, given: go(walk, [one.name for one in walk.places].index(given["name"])),
}
"""What entries of the menu do that only a walk can."""
ACTS: dict[str, Callable[[Walk, Hand, bpy.types.Scene], str]] = {
    "pick": _pick, "grip": _grip, "let_go": _let_go, "menu": _menu,
    "next_landmark": lambda walk, hand, scene: go(walk, walk.at + 1),
    "previous_landmark": lambda walk, hand, scene: go(walk, walk.at - 1),
    "turn_left": lambda walk, hand, scene: _turned(walk, TURN),
    "turn_right": lambda walk, hand, scene: _turned(walk, -TURN),
    "leave": lambda walk, hand, scene: _leave(walk),
}  # fmt: skip
"""By the names of bindings.ACTS, and of the desk's keys."""
