"""What the window shows around saving and clicking."""


def test_a_hall_is_saved_and_a_click_names_its_channel(play):
    play("saves")
