"""A person names a unit, in a window."""


def test_a_unit_is_named_by_hand(play):
    play("named")
