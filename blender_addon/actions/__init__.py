"""Everything that a person can do in Blender, as functions that menus, hands in VR and scripts call.

The operator `bpy.ops.innerwalk.NAME` calls the function NAME with the same parameters. Functions take the hall's scene
first, return one line that says what was done or requested, and raise an InnerwalkError with a message of one line.
"""

from ..live.stored_choices import shelved
from ..vr.walk_actions import end_walk, go_to_place, start_walk, walk_at_desk
from .ablating import ablate, ablate_selected, restore_channels
from .arranging import align, move, reset_layout, scale
from .bridge import (
    build_hall,
    follow,
    join_bridge,
    leave_bridge,
    network_of,
    show_input,
    start_bridge,
    wait_for_bridge,
)
from .clicking import pick
from .collapsing import collapse, collapsed_blocks, collapsible_blocks, expand
from .comparing import show_difference, stand_alone, stand_beside
from .exporting import export_hall, export_layer
from .inspecting import inspect_channel, inspect_layer, overlay, probe, step_channel
from .methods import ask_method, cancel_method, forget_requests, restore_after_undo, show_activations
from .opening import import_recording, open_demo, outdated_halls, rebuild_groups
from .placing import place_input, place_inputs, place_named
from .positions import choose_position, position_of, turn_slices
from .recipes import open_recipe, save_recipe
from .removing import remove_hall
from .selecting import select, selected
from .shelf import draw_shelf, hold, page_shelf, place_held
from .video import key_shown_frames, pause_video, play_video, show_video_frame, step_video, stop_video
from .video_keys import key_video
from .viewing import enter, hide, jump, show_look, solo

__all__ = [
    "ablate",
    "ablate_selected",
    "align",
    "ask_method",
    "build_hall",
    "cancel_method",
    "choose_position",
    "collapse",
    "collapsed_blocks",
    "collapsible_blocks",
    "draw_shelf",
    "end_walk",
    "enter",
    "expand",
    "export_hall",
    "export_layer",
    "follow",
    "forget_requests",
    "go_to_place",
    "hide",
    "hold",
    "import_recording",
    "inspect_channel",
    "inspect_layer",
    "join_bridge",
    "jump",
    "key_shown_frames",
    "key_video",
    "leave_bridge",
    "move",
    "network_of",
    "open_demo",
    "open_recipe",
    "outdated_halls",
    "overlay",
    "page_shelf",
    "pause_video",
    "pick",
    "place_held",
    "place_input",
    "place_inputs",
    "place_named",
    "play_video",
    "position_of",
    "probe",
    "rebuild_groups",
    "remove_hall",
    "reset_layout",
    "restore_after_undo",
    "restore_channels",
    "save_recipe",
    "scale",
    "select",
    "selected",
    "shelved",
    "show_activations",
    "show_difference",
    "show_input",
    "show_look",
    "show_video_frame",
    "solo",
    "stand_alone",
    "stand_beside",
    "start_bridge",
    "start_walk",
    "step_channel",
    "step_video",
    "stop_video",
    "turn_slices",
    "wait_for_bridge",
    "walk_at_desk",
]
