"""Cycles for a scene that is nothing but emission: one ray a sample, no lamp, no bounce, no denoiser."""

from __future__ import annotations

import bpy


def cycles_settings(scene: bpy.types.Scene, samples: int) -> None:
    """Sets Cycles and the colour management of a hall's scene: pixels are the sRGB of look.md, without dither."""
    scene.render.engine = "CYCLES"
    scene.render.dither_intensity = 0.0
    scene.render.use_persistent_data = True
    scene.view_settings.view_transform = "Standard"
    cycles = scene.cycles
    cycles.device, cycles.samples, cycles.max_bounces = "CPU", samples, 0
    cycles.use_adaptive_sampling = cycles.use_denoising = cycles.use_light_tree = cycles.use_auto_tile = False
