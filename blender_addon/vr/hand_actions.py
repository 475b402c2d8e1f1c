"""The actions of hands, by name: pick, grip, let go, open the menu, go to the next landmark, turn."""

from __future__ import annotations

import math
from collections.abc import Callable

import bpy
import numpy as np
from mathutils import Matrix

from ...torch_bridge.recording.errors import InnerwalkError
from ..actions import clicking, shelf
from ..scene.panels import find_panel, link_drawing, panel_of, world_matrix
from ..scene.state.data_blocks import push_undo
from ..time_slicing import run_for
from . import grips
from .display import menu_layout, menu_pages
from .walk import Grip, Hand, MenuBoard, Walk

TURN = math.radians(30)
"""Angle of one turn, in radians."""
MAX_TELEPORT = 30.0
"""Longest way to teleport, in metres: a hand that trembles must not send the walker to the horizon."""
EXPORT_SECONDS = 0.01
"""Time for an export in each frame, in seconds; the last step may take longer."""
MENU_DISTANCE, MENU_DROP = 0.62, 0.12
"""Distance of the menu's centre before the eye and below it, in metres."""


def perform(walk: Walk, hand: Hand, name: str) -> None:
    """Runs an action of HAND_ACTIONS and shows its message or error on the card."""
    scene, walk.has_acted = walk.scene, True
    if scene is None:
        return
    try:
        message = HAND_ACTIONS[name](walk, hand, scene)
    except (InnerwalkError, OSError) as error:
        walk.show_message(str(error), failed=True)
        return
    if message:
        walk.show_message(message)


def _pick(walk: Walk, hand: Hand, scene: bpy.types.Scene) -> str:
    """Chooses the menu item that the hand points at, or clicks a part of the hall; on the floor, goes there."""
    if walk.menu is not None and hand.on_menu:
        return choose_item(walk, walk.menu, hand, scene)
    if hand.hit is None:
        return ""
    if clicking.hit_kind(hand.hit) == "floor":
        return _teleport(walk, hand)
    if not clicking.has_effect(scene, hand.hit):
        return ""
    role = hand.hit.role
    is_painted = clicking.brush_spot(clicking.rays.find_hall(scene, hand.hit), hand.hit) is not None
    walk.card_hand = _other_hand(walk, hand) if is_painted else hand.name  # the card would cover what is painted
    message = clicking.ON_CLICK[role](scene, hand.hit)
    walk.picture_hand = hand.name if shelf.held(scene) >= 0 else ""
    if (step := _undo_step(role, is_painted)) != "":
        push_undo(step)
    is_own = role == "panel" and hand.hit.object in scene.objects
    return "" if is_own and not is_painted else message  # the card shows the selected panel itself


def _other_hand(walk: Walk, hand: Hand) -> str:
    """Returns the name of the other hand; of a walk with one hand, of that."""
    return next((name for name in walk.hands if name != hand.name), hand.name)


def _undo_step(role: str, is_painted: bool) -> str:
    """Returns the name of the undo step after a click on something of this role, "" for none."""
    return "Paint" if is_painted else {"input": "Place Picture", "shelf": "Take Picture"}.get(role, "")


def _teleport(walk: Walk, hand: Hand) -> str:
    if hand.hit is None or hand.distance > MAX_TELEPORT:
        return "too far to go there in one step"
    walk.body.stand(hand.hit.position[:2])
    return ""


def choose_item(walk: Walk, board: MenuBoard, hand: Hand, scene: bpy.types.Scene) -> str:
    """Chooses the menu item that a hand points at; returns its message."""
    if not 0 <= hand.item < len(board.page.items):
        return ""
    item = board.page.items[hand.item]
    if not item.enabled:
        return ""
    if item.opens:
        walk.menu = MenuBoard(menu_pages.page(scene, item.opens), item.opens, board.pose)
        return ""
    if item.act is not None:
        return item.act(walk)
    if item.edit is None:
        return ""
    message = item.edit(scene)
    push_undo(item.label)
    walk.update_landmarks(scene)
    walk.menu = None if item.closes else MenuBoard(menu_pages.page(scene, board.name), board.name, board.pose)
    return message


def continue_export(walk: Walk) -> None:
    """Runs some steps of the export, if there is one, and shows its progress."""
    if walk.export is None:
        return
    try:
        what, share = run_for(walk.export, EXPORT_SECONDS)
        walk.show_message(f"{what}, {share:.0%}")
        return
    except StopIteration as done:
        walk.show_message(str(done.value))
    except (InnerwalkError, OSError) as error:
        walk.show_message(str(error), failed=True)
    walk.export = None


def _toggle_menu(walk: Walk, hand: Hand, scene: bpy.types.Scene) -> str:
    """Opens the menu in front of the eye, or closes it; the other hand takes the card, which would cover it."""
    if walk.menu is not None:
        return walk.close_menu()
    walk.card_hand = _other_hand(walk, hand)
    eye, page = walk.body.eye(), menu_pages.page(scene, "root")
    ahead = -eye[:3, 2] * (1.0, 1.0, 0.0)
    ahead = ahead / max(float(np.linalg.norm(ahead)), 1e-6)
    middle = eye[:3, 3] + ahead * MENU_DISTANCE - (0.0, 0.0, MENU_DROP)
    width, height = menu_layout.size(page)
    pose = grips.facing_pose(middle, eye[:3, 3], offset=(-width / 2, -height / 2, 0.0))
    walk.menu = MenuBoard(page, "root", np.array(pose))
    return ""


def _grip_panel(walk: Walk, hand: Hand, scene: bpy.types.Scene) -> str:
    """Grips the panel that the hand points at; a second hand grips the panel that the first one holds."""
    other = next((each for each in walk.hands.values() if each is not hand and each.grip), None)
    layer = other.grip.layer if other and other.grip else hand.hit.layer if hand.hit else ""
    is_panel = hand.hit is not None and hand.hit.role == "panel" and hand.hit.object in scene.objects
    if not layer or (other is None and not is_panel):
        return ""
    for each in (hand, other) if other else (hand,):  # both start from where the panel is now
        _start_grip(each, scene, layer)
    return ""


def _start_grip(hand: Hand, scene: bpy.types.Scene, layer: str) -> None:
    hand.grip = Grip(layer, np.array(world_matrix(panel_of(scene, layer))), hand.pose.copy())


def carry_panels(walk: Walk, scene: bpy.types.Scene) -> None:
    """Moves the gripped panel with its hands."""
    holding = [(hand, hand.grip) for hand in walk.hands.values() if hand.grip]
    if not holding:
        return
    hand, grip = holding[0]
    if len(holding) == 1:
        pose = grips.carry_panel(grip.panel_pose, grip.hand_pose, hand.pose)
    else:
        other, other_grip = holding[1]
        before = grip.hand_pose[:3, 3], other_grip.hand_pose[:3, 3]
        pose = grips.stretch_panel(grip.panel_pose, before, (hand.position.to_tuple(), other.position.to_tuple()))
    panel = find_panel(scene, grip.layer)
    if panel is None:  # undone, collapsed or deleted while it was held
        for each, _ in holding:
            each.grip = None
        walk.show_message(f"the panel of layer {grip.layer} no longer exists", failed=True)
        return
    if not np.allclose(pose, np.array(world_matrix(panel)), atol=1e-5):
        panel.matrix_world = Matrix(pose.tolist())
        walk.moved_layers.add(grip.layer)


def scale_held_panel(hand: Hand, factor: float) -> None:
    """Scales the panel that a hand holds, about the end of its ray."""
    if hand.grip is not None:
        pose = grips.carry_panel(hand.grip.panel_pose, hand.grip.hand_pose, hand.pose)
        scaled = grips.scale_panel(pose, np.array(hand.ray_end), factor)
        hand.grip = Grip(hand.grip.layer, scaled, hand.pose.copy())


def _let_go(walk: Walk, hand: Hand, scene: bpy.types.Scene) -> str:
    """Releases the panel where it is; the other hand, if it holds it too, starts a new grip."""
    if hand.grip is None:
        return ""
    layer, hand.grip = hand.grip.layer, None
    for other in walk.hands.values():
        if other.grip:
            _start_grip(other, scene, layer)
            return ""
    if layer not in walk.moved_layers:
        return ""
    walk.moved_layers.discard(layer)
    link_drawing.update_links(scene)
    push_undo("Move Panel")
    return f"{layer} moved"


def _turn(walk: Walk, angle: float) -> str:
    walk.body.turn(angle)
    return ""


HAND_ACTIONS: dict[str, Callable[[Walk, Hand, bpy.types.Scene], str]] = {
    "pick": _pick,
    "grip": _grip_panel,
    "let_go": _let_go,
    "menu": _toggle_menu,
    "next_landmark": lambda walk, hand, scene: walk.go_to(walk.landmark_index + 1),
    "previous_landmark": lambda walk, hand, scene: walk.go_to(walk.landmark_index - 1),
    "turn_left": lambda walk, hand, scene: _turn(walk, TURN),
    "turn_right": lambda walk, hand, scene: _turn(walk, -TURN),
    "take_picture": lambda walk, hand, scene: walk.take_picture(),
    "leave": lambda walk, hand, scene: walk.leave(),
}
"""Functions by the names of `bindings.BUTTON_ACTIONS` and of a desktop walk's keys; each returns a message or ""."""
