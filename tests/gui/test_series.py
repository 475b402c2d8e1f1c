"""A series is opened, keyed, rendered and undone in a window."""


def test_a_series_in_a_window(play):
    result = play("series")
    assert result["range"] == [1, 4] and result["frames"] == 4
    assert min(result["changes"]) > 0.2
