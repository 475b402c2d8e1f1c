"""The script of Templates > Python, and scripts that go on with its hall, in the Scripting workspace."""


def test_a_script_shows_a_hall_and_undo_takes_it_back(play):
    assert play("script")["shown when each returned"] == ["object 7", "noise:8"]
