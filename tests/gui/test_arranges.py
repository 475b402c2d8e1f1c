"""A person clicks tiles and arranges the hall with the mouse."""


def test_clicks_handles_and_the_sidebar(play):
    play("arranges")
