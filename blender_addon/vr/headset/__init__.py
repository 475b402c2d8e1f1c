"""A walk with an OpenXR headset."""
