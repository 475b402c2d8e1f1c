"""The first minutes in the window: nothing is there yet, and every way on is one button."""


def test_the_first_screen_leads_on(play):
    result = play("first_screen")
    assert "squeezenet1_0" in result["found"]
