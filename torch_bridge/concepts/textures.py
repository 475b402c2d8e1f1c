"""Six textures and four materials. u and v, (H, W) float64, are in radii from the object's centre, v down."""

from __future__ import annotations

import numpy as np

from .seeded_random import Rng, soft_step

Lighting = tuple[np.ndarray, "np.ndarray | int"]
"""The factor that the paint is multiplied by, (H, W) float64, and the highlight to add, (H, W) float64 0..255 or 0."""


def texture(rng: Rng, kind: int, u: np.ndarray, v: np.ndarray, pixel: float) -> np.ndarray:
    """Returns the mix of the object's two paints, (H, W) float64 in 0..1.

    kind: index of the texture, 0 for plain. pixel: a pixel's side in radii.
    """
    if kind == 0:
        return np.zeros_like(u)
    scale = rng.uniform(2.4, 3.2)
    s, t, width = u * scale, v * scale, pixel * scale * 1.2
    across, down = np.abs((s % 1) - 0.5), np.abs((t % 1) - 0.5)
    if kind == 1:
        return soft_step(across - 0.25, width)
    if kind == 2:
        return soft_step(0.33 - np.hypot((s % 1) - 0.5, (t % 1) - 0.5), width)
    if kind == 3:
        a, b = (soft_step(np.abs((q * 0.8 % 2) - 1) - 0.5, width) for q in (s, t))
        return a * b + (1 - a) * (1 - b)
    if kind == 4:
        return soft_step(0.16 - np.minimum(across, down), width)
    if kind == 5:
        return soft_step(np.abs(((t + across * 1.4) % 1) - 0.5) - 0.25, width)
    grains = rng.uniform(size=(16, 16))
    return (grains[np.floor(t * 2.6).astype(int) % 16, np.floor(s * 2.6).astype(int) % 16] > 0.5).astype(float)


def material(rng: Rng, kind: int, u: np.ndarray, v: np.ndarray, depth: np.ndarray) -> Lighting:
    """Returns the lighting of an object.

    kind: 1 flat, 2 shaded (a ramp), 3 shiny (a dome with a highlight), 4 bevel (a light and a dark rim).
    depth: (H, W) float64 signed distance to the outline in radii, negative inside.
    """
    angle = rng.uniform(0, 6.28)  # drawn for every kind, so that later random numbers don't depend on the kind
    if kind == 1:
        return np.ones_like(u), 0
    if kind == 2:
        return np.clip(0.82 + 0.42 * (u * np.cos(angle) + v * np.sin(angle)), 0.35, 1.25), 0
    if kind == 3:
        highlight = 235 * np.exp(-((u + 0.32) ** 2 + (v + 0.38) ** 2) / 0.035)
        return np.clip(1.08 - 0.45 * (u * u + v * v), 0.4, 1.1), highlight
    rim = np.clip(1 + depth / 0.2, 0, 1)
    return 1 - 0.45 * rim * np.sign(u + v), 70 * rim * (u + v < 0)
