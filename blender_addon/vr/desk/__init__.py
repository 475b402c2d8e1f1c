"""A walk at the desk, with keys, mouse and a crosshair."""
