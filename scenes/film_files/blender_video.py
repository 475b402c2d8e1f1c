"""Writes H.264 videos by the FFmpeg inside Blender, where PyAV is missing."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import bpy

from ...blender_addon.output.output_files import replaced
from ...blender_addon.scene.state.data_blocks import temporary_data
from ...blender_addon.scene.view.standard_streams import silence_stdout
from ...torch_bridge.recording.errors import SceneError
from .spherical_boxes import mark_spherical


def write_blender_video(
    files: Sequence[Path], out: Path, size: tuple[int, int], rate: float, *, spherical: bool = False
) -> Path:
    """Writes an H.264 video (.mp4) of PNG files, completely or not at all.

    files: a picture each, in order. size: (width, height), both even. rate: frames a second.
    spherical: whether the file tells players that its frames are spheres for two eyes. Raises SceneError.
    """
    with replaced(out, ".mp4") as part, temporary_data():
        scene = bpy.data.scenes.new("video")
        _set_up(scene, len(files), size, rate)
        _add_strip(scene, files)
        scene.render.filepath, scene.render.use_file_extension = str(part), False
        try:
            with silence_stdout():
                bpy.ops.render.render(animation=True, scene=scene.name)
        except RuntimeError as error:
            raise SceneError(f"{out}: the video can't be encoded ({str(error).splitlines()[0]})") from None
        if not part.stat().st_size:  # Blender doesn't tell
            raise SceneError(f"{out}: the video can't be encoded; is the disk full?")
        if spherical:
            part.write_bytes(mark_spherical(part.read_bytes()))
    return out


def _set_up(scene: Any, count: int, size: tuple[int, int], rate: float) -> None:
    render, exact = scene.render, Fraction(rate).limit_denominator(1001)
    render.resolution_x, render.resolution_y, render.resolution_percentage = *size, 100
    render.fps, render.fps_base = round(rate), float(round(rate) / exact)
    scene.frame_start, scene.frame_end = 1, count
    scene.view_settings.view_transform, render.dither_intensity = "Standard", 0.0
    scene.sequencer_colorspace_settings.name = "sRGB"
    render.use_sequencer = True
    settings: Any = render.image_settings
    if hasattr(settings, "media_type"):  # from Blender 5.0 on
        settings.media_type = "VIDEO"
    settings.file_format, settings.color_mode = "FFMPEG", "RGB"
    video = render.ffmpeg
    video.format, video.codec, video.audio_codec = "MPEG4", "H264", "NONE"
    video.constant_rate_factor, video.ffmpeg_preset, video.gopsize = "HIGH", "GOOD", max(1, round(rate / 2))
    video.use_max_b_frames, video.max_b_frames = True, 2


def _add_strip(scene: bpy.types.Scene, files: Sequence[Path]) -> None:
    """Lays all files into one strip."""
    editor: Any = scene.sequence_editor_create()
    strips = editor.strips if hasattr(editor, "strips") else editor.sequences  # Blender 4.5 has both
    strip = strips.new_image("frames", str(files[0]), 1, 1)
    for file in files[1:]:
        strip.elements.append(file.name)
