"""The sidebar in both themes of Blender, at two scales: pictures to look at, in out/gui/sidebar_looks."""


def test_the_sidebar_is_drawn_in_every_theme_and_scale(play):
    play("sidebar_looks")
