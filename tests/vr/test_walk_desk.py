"""A person without a headset walks by keys and mouse in a 3D view."""


def test_desk(play):
    play("walk_desk", seconds=400)


def test_bridge(play):
    play("walk_desk_bridge", seconds=300)
