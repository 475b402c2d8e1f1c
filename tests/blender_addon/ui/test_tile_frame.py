"""The frame of the selected tile in a 3D view."""

from types import SimpleNamespace

import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender")

from innerwalk.blender_addon import actions  # noqa: E402
from innerwalk.blender_addon.scene.hall.build import create_hall  # noqa: E402
from innerwalk.blender_addon.ui.inspect import tile_frame  # noqa: E402
from innerwalk.blender_addon.vr.desk import desk_walk  # noqa: E402
from innerwalk.torch_bridge import recording as rec  # noqa: E402


def test_a_desktop_walk_marks_the_tile_instead(empty_scene, recorded, monkeypatch):
    scene, drawn = create_hall(rec.load(recorded)), []
    monkeypatch.setattr(tile_frame, "_draw_lines", lambda kind, *_: drawn.append(kind))
    monkeypatch.setattr(tile_frame, "_draw_number", lambda *_: drawn.append("number"))
    monkeypatch.setattr(tile_frame, "location_3d_to_region_2d", lambda region, view, place: place.xy)
    monkeypatch.setattr(tile_frame, "_is_hidden", lambda point: False)
    window = bpy.context.window
    window.scene = scene
    actions.select(scene, "a", 1)
    area = next(area for area in window.screen.areas if area.type == "VIEW_3D")
    region = next(region for region in area.regions if region.type == "WINDOW")
    with bpy.context.temp_override(window=window, area=area, region=region):
        tile_frame.draw_frame()
        assert drawn == ["LINE_STRIP", "LINE_STRIP", "number"]
        body = SimpleNamespace(view=area.spaces.active.as_pointer())
        monkeypatch.setattr(desk_walk, "_desk_walk", SimpleNamespace(body=body))
        tile_frame.draw_frame()
        assert len(drawn) == 3
        body.view = 0  # of another view
        tile_frame.draw_frame()
        assert len(drawn) == 6
        drawn.clear()
        monkeypatch.setattr(tile_frame, "_is_hidden", lambda point: True)
        tile_frame.draw_frame()
        assert drawn == ["LINE_STRIP", "LINES", "LINE_STRIP", "LINES"], "faint as a whole, and without a number"
