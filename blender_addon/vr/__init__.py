"""Walking through a hall: with a headset and two hands, or at the desk with a crosshair and keys."""
