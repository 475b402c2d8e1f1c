"""Jumping to a panel in a window whose sidebars, bars and texts lie over the view."""


def test_panels_are_framed_in_what_is_free(play):
    play("jumps")
