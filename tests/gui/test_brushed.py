"""A brush in a window: a press on a tile changes a generator's picture, and undo takes it back."""


def test_a_brush_paints_and_undo_takes_it_back(play):
    result = play("brushed", seconds=300)
    assert len(result["seconds from brush to picture"]) == 3
