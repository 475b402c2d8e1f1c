"""Everything that a person can do in Blender, as functions that menus, hands in VR and scripts call.

The operator `bpy.ops.innerwalk.NAME` calls the function NAME with the same parameters. Functions take the hall's scene
first, return one line that says what was done or requested, and raise an InnerwalkError with a message of one line.
"""

from ..live.stored_choices import shelved
from ..vr.walk_actions import end_walk, go_to_place, start_walk, walk_at_desk
from .ablating import (
    ablate,
    ablate_concept,
    ablate_selected,
    clear_strokes,
    paint,
    paint_at,
    put_brush_away,
    restore_channels,
    take_brush,
)
from .arranging import align, collapse, collapsed_blocks, collapsible_blocks, expand, move, reset_layout, scale
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
from .comparing import compare_input, compare_network, show_difference, stand_alone, stand_beside
from .exporting import export_figure, export_hall, export_layer
from .inspecting import inspect_channel, inspect_layer, overlay, probe, step_channel
from .methods import ask_method, cancel_method, forget_requests, restore_after_undo, show_activations
from .naming import (
    export_names,
    find_artefact_units,
    import_names,
    mark_misfit,
    name_unit,
    remove_name,
    save_votes,
    vote_artefact,
)
from .opening import import_recording, open_demo, outdated_halls, rebuild_groups
from .pictures import render_pictures, take_picture
from .placing import place_input, place_inputs, place_named
from .positions import choose_position, position_of, turn_slices
from .recipes import open_recipe, save_recipe
from .removing import remove_hall
from .selecting import find_label, select, selected, step_tile
from .series import close_series, key_series, open_series, record_series, show_position, stop_recording
from .shelf import draw_shelf, hold, page_shelf, place_held
from .video import pause_video, play_video, show_video_frame, step_video, stop_video
from .viewing import enter, hide, jump, key_shot, preview_film, show_look, solo

__all__ = [
    "ablate",
    "ablate_concept",
    "ablate_selected",
    "align",
    "ask_method",
    "build_hall",
    "cancel_method",
    "choose_position",
    "clear_strokes",
    "close_series",
    "collapse",
    "collapsed_blocks",
    "collapsible_blocks",
    "compare_input",
    "compare_network",
    "draw_shelf",
    "end_walk",
    "enter",
    "expand",
    "export_figure",
    "export_hall",
    "export_layer",
    "export_names",
    "find_artefact_units",
    "find_label",
    "follow",
    "forget_requests",
    "go_to_place",
    "hide",
    "hold",
    "import_names",
    "import_recording",
    "inspect_channel",
    "inspect_layer",
    "join_bridge",
    "jump",
    "key_series",
    "key_shot",
    "leave_bridge",
    "mark_misfit",
    "move",
    "name_unit",
    "network_of",
    "open_demo",
    "open_recipe",
    "open_series",
    "outdated_halls",
    "overlay",
    "page_shelf",
    "paint",
    "paint_at",
    "pause_video",
    "pick",
    "place_held",
    "place_input",
    "place_inputs",
    "place_named",
    "play_video",
    "position_of",
    "preview_film",
    "probe",
    "put_brush_away",
    "rebuild_groups",
    "record_series",
    "remove_hall",
    "remove_name",
    "render_pictures",
    "reset_layout",
    "restore_after_undo",
    "restore_channels",
    "save_recipe",
    "save_votes",
    "scale",
    "select",
    "selected",
    "shelved",
    "show_activations",
    "show_difference",
    "show_input",
    "show_look",
    "show_position",
    "show_video_frame",
    "solo",
    "stand_alone",
    "stand_beside",
    "start_bridge",
    "start_walk",
    "step_channel",
    "step_tile",
    "step_video",
    "stop_recording",
    "stop_video",
    "take_brush",
    "take_picture",
    "turn_slices",
    "vote_artefact",
    "wait_for_bridge",
    "walk_at_desk",
]
