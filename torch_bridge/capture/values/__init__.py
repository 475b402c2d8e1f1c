"""Turns the tensors of a run into maps and keeps copies of the requested ones."""

__all__ = ["arena", "attention", "capture_policy", "kernels", "map_layout", "thumbnail"]
